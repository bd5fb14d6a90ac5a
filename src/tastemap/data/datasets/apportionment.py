"""Whole numbers in given proportions, and tables resampled to another size."""

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]
_Counts = npt.NDArray[np.int64]


def allot(total: int, weights: _Floats, least: _Counts, most: _Counts) -> _Counts:
    """Whole numbers as near as may be to ``c * weights`` within bounds, whose sum is ``total``.

    Args:
        total: Between the sums of the bounds.
        weights: Positive numbers, of any shape.
        least, most: Bounds of each, of the same shape.

    Example:
        >>> allot(10, np.array([1.0, 1.0, 8.0]), np.array([0, 2, 0]), np.array([9, 9, 7])).tolist()
        [1, 2, 7]
    """
    low, high = 0.0, float((most / weights).max(initial=0.0))
    for _ in range(200):  # halves the interval until no float lies between its ends
        middle = (low + high) / 2
        if np.clip(middle * weights, least, most).sum() < total:
            low = middle
        else:
            high = middle
    share = np.clip(high * weights, least, most)
    counts = np.floor(share + 1e-9).astype(np.int64)
    # What rounding down has left over goes to the largest remainders, until nothing is left.
    while left := total - int(counts.sum()):
        open_ = counts < most if left > 0 else counts > least
        remainder = np.where(open_, share - counts, -np.inf if left > 0 else np.inf).ravel()
        ranked = np.argsort(-remainder if left > 0 else remainder, kind="stable")
        chosen = ranked[: min(abs(left), int(open_.sum()))]
        counts.ravel()[chosen] += np.sign(left)
    return counts


def resample(table: _Floats, shape: tuple[int, int]) -> _Floats:
    """The means of a table over the cells of a grid of another shape; cells may cut its own.

    Example:
        >>> resample(np.array([[0.0, 1.0, 2.0]]), (1, 2)).round(3).tolist()
        [[0.333, 1.667]]
    """
    rows = _resampled(table, shape[0])
    return _resampled(rows.T, shape[1]).T


def _resampled(table: _Floats, n: int) -> _Floats:
    """Means along the first axis over n intervals of equal length."""
    length = len(table)
    if n == length:
        return table
    sums = np.concatenate([np.zeros((1, table.shape[1])), np.cumsum(table, axis=0)])
    edges = np.linspace(0, length, n + 1)
    below = np.minimum(edges.astype(np.int64), length - 1)
    at_edges = sums[below] + (edges - below)[:, None] * table[below]
    return np.asarray(np.diff(at_edges, axis=0) * (n / length))
