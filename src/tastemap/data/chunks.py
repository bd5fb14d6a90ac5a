"""Sums and counts over long columns, a chunk of rows at a time, and the damped mean."""

from collections.abc import Callable, Iterator

import numpy as np

from tastemap.arrays import F64, I64, AnyArray, IndexArray

#: Rows that are worked on at a time. A shorter table is one chunk.
CHUNK_ROWS = 2**20
#: Rows whose values fit into a processor's cache.
CACHE_ROWS = 2**17


def chunks(n: int, size: int | None = None) -> Iterator[slice]:
    """Slices that together are ``range(n)``, of `CHUNK_ROWS` rows or another size."""
    size = CHUNK_ROWS if size is None else size
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def sums(index: IndexArray, n: int, value: Callable[[slice], AnyArray]) -> F64:
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
    for rows in chunks(len(index)):
        total += np.bincount(index[rows], weights=value(rows), minlength=n)
    return total


def damped_mean(total: AnyArray, counts: I64, damping: float, mean: float = 0.0) -> F64:
    """Mean (n,) of each group after ``damping`` further values equal to ``mean``.

    (total + damping * mean) / (counts + damping); ``mean`` for an empty group without damping.

    Args:
        total, counts: (n,), sum and number of the values of each group.
        damping: Number of values that are added to each group, 0 or more.
        mean: What these are.

    Example:
        >>> damped_mean(np.array([9.0, 0.0]), np.array([2, 0]), damping=1, mean=3.0)
        array([4., 3.])
    """
    sizes, added = counts + damping, damping * mean if damping else 0.0
    return np.divide(total + added, sizes, out=np.full(len(sizes), mean), where=sizes > 0)


def distinct(values: AnyArray) -> tuple[AnyArray, I64]:
    """The different values, ascending, and how often each occurs."""
    parts = [np.unique(values[rows], return_counts=True) for rows in chunks(len(values))]
    if not parts:
        return values[:0], np.zeros(0, dtype=np.int64)
    levels, place = np.unique(np.concatenate([part for part, _ in parts]), return_inverse=True)
    counts = np.bincount(place, np.concatenate([n for _, n in parts]), len(levels))
    return levels, counts.astype(np.int64)
