"""Sums over tables too long to be copied: a piece at a time."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

#: Rows that are worked on at a time; tables of no more than these are one piece.
PIECE = 2**20


def pieces(n: int, size: int | None = None) -> Iterator[slice]:
    """Slices that together are ``range(n)``, of ``PIECE`` rows or another size."""
    size = PIECE if size is None else size
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def sums(
    index: npt.NDArray[np.int32], n: int, value: Callable[[slice], npt.NDArray[Any]]
) -> npt.NDArray[np.float64]:
    """Sum (n,) of the values of each group.

    Args:
        index: (m,), the group of each row, below n.
        n: Number of groups.
        value: Gives the values of the rows of a slice.

    Example:
        >>> sums(np.array([0, 2, 0], np.int32), 3, lambda rows: np.array([1.0, 2.0, 3.0])[rows])
        array([4., 0., 2.])
    """
    total = np.zeros(n)
    for rows in pieces(len(index)):
        total += np.bincount(index[rows], weights=value(rows), minlength=n)
    return total


def distinct(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """The different values, ascending, and how often each stands there."""
    found = [np.unique(values[rows], return_counts=True) for rows in pieces(len(values))]
    if not found:
        return values[:0], np.zeros(0, dtype=np.int64)
    levels, place = np.unique(np.concatenate([one for one, _ in found]), return_inverse=True)
    counts = np.bincount(place, np.concatenate([n for _, n in found]), len(levels))
    return levels, counts.astype(np.int64)
