"""How similar items are over the draws of the posterior: the cosine that is to be expected.

In each draw the rows of items are (d_j, q_j, x_j), of which q_j are the factors. Draws of an item
with few ratings point to many sides, so that its average cosine with any other is small.
"""

import numpy as np

from tastemap.arrays import F32


def item_lengths(items: F32) -> F32:
    """Lengths (K, I) of the factors of rows (K, I + 1, D), without the last, the average item.

    Factors of zeros, which have no direction, get length 1.
    """
    factors = items[:, :-1, 1:-1]
    lengths = np.sqrt(np.einsum("kif,kif->ki", factors, factors))
    return np.where(lengths > 0, lengths, 1.0).astype(np.float32)


def average_cosines(items: F32, lengths: F32, item: int) -> F32:
    """Cosines (I,) of an item's factors with those of every item, averaged over the draws.

    Args:
        items: (K, I + 1, D), the rows.
        lengths: (K, I), as `item_lengths` gives them.
        item: The row of the item.

    Example:
        >>> items = np.zeros((2, 4, 4), dtype=np.float32)
        >>> items[:, :3, 1:-1] = [[[3, 4], [6, 8], [3, 4]], [[3, 4], [3, 4], [-3, -4]]]
        >>> average_cosines(items, item_lengths(items), 0).round(3).tolist()
        [1.0, 1.0, 0.0]
    """
    factors = items[:, item].copy()
    factors[:, 0] = factors[:, -1] = 0.0  # d_j and x_j are no factors
    factors /= lengths[:, item, None]
    total = np.zeros(lengths.shape[1], dtype=np.float32)
    for V, q, length in zip(items, factors, lengths, strict=True):
        total += (V[:-1] @ q) / length
    return np.clip(total / np.float32(len(items)), -1.0, 1.0)


def direction_vectors(items: F32, lengths: F32) -> F32:
    """Vectors (I, K f) whose inner products are the averages of `average_cosines`."""
    units = items[:, :-1, 1:-1] / lengths[:, :, None]
    rows = units.transpose(1, 0, 2).reshape(units.shape[1], -1)
    return np.ascontiguousarray(rows / np.sqrt(len(items)), dtype=np.float32)
