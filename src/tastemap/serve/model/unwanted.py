"""What a person is not interested in lowers what is like it: a little, and never by more."""

from collections.abc import Sequence

import numpy as np

from tastemap.arrays import F32, IndexArray

#: The most similar item counts this share of the scale's width less: a quarter of five stars.
MAX_LOWERING = 1 / 16


def lowering_of(near: Sequence[IndexArray], n_items: int, width: float) -> F32:
    """How much less items count in lists, (n_items,), in units of the rating.

    The most similar item of an unwanted one counts `MAX_LOWERING` of the scale's width less, the
    last that is still similar next to nothing. What is like several of them is not lowered by more
    than by one.

    Args:
        near: For each unwanted item, rows of the similar items, the most similar first.
        n_items: Number of all items.
        width: Width of the scale.

    Example:
        >>> lowering_of([np.array([2, 0])], 4, width=4.0).tolist()
        [0.125, 0.0, 0.25, 0.0]
    """
    lowering = np.zeros(n_items, dtype=np.float32)
    for rows in near:
        amount = MAX_LOWERING * width * (1 - np.arange(len(rows)) / max(len(rows), 1))
        lowering[rows] = np.maximum(lowering[rows], amount.astype(np.float32))
    return lowering
