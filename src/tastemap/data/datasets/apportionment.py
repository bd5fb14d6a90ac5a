"""Apportion a whole number in given proportions, and resample a table to another size."""

import numpy as np

from tastemap.arrays import F64, I64


def allot(total: int, weights: F64, least: I64, most: I64) -> I64:
    """Whole numbers that sum to ``total``, as near to ``c * weights`` as their bounds allow.

    Args:
        total: A number between the sums of the bounds.
        weights: Positive numbers, of any shape.
        least, most: Bounds of each number, of the same shape.

    Example:
        >>> allot(10, np.array([1.0, 1.0, 8.0]), np.array([0, 2, 0]), np.array([9, 9, 7])).tolist()
        [1, 2, 7]
    """
    low, high = 0.0, float((most / weights).max(initial=0.0))
    for _ in range(200):  # bisection, until no float lies between the ends
        middle = (low + high) / 2
        if np.clip(middle * weights, least, most).sum() < total:
            low = middle
        else:
            high = middle
    share = np.clip(high * weights, least, most)
    counts = np.floor(share + 1e-9).astype(np.int64)
    # The rest after rounding down goes to the largest remainders.
    while rest := total - int(counts.sum()):
        movable = counts < most if rest > 0 else counts > least
        remainder = np.where(movable, np.sign(rest) * (share - counts), -np.inf).ravel()
        largest = np.argsort(-remainder, kind="stable")[: min(abs(rest), int(movable.sum()))]
        counts.ravel()[largest] += np.sign(rest)
    return counts


def resample(table: F64, shape: tuple[int, int]) -> F64:
    """The means of a table over the cells of a grid of another shape, which may cut its cells.

    Example:
        >>> resample(np.array([[0.0, 1.0, 2.0]]), (1, 2)).round(3).tolist()
        [[0.333, 1.667]]
    """
    rows = _resampled(table, shape[0])
    return _resampled(rows.T, shape[1]).T


def _resampled(table: F64, n: int) -> F64:
    """Means along the first axis over n intervals of equal length."""
    length = len(table)
    if n == length:
        return table
    sums = np.concatenate([np.zeros((1, table.shape[1])), np.cumsum(table, axis=0)])
    edges = np.linspace(0, length, n + 1)
    below = np.minimum(edges.astype(np.int64), length - 1)
    at_edges = sums[below] + (edges - below)[:, None] * table[below]
    return np.asarray(np.diff(at_edges, axis=0) * (n / length))
