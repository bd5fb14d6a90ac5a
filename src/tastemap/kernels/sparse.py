"""Products of a sparse matrix and a thin dense one."""

import numpy as np
import numpy.typing as npt
from numba import njit

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def sparse_product(offsets: I64, columns: I32, values: F32, X: F32, out: F32) -> None:
    """Set out (n, d) to M X, where row a of M holds ``values`` at ``columns`` and X is (m, d)."""
    d = X.shape[1]
    for a in range(len(offsets) - 1):
        out[a] = 0.0
        for i in range(offsets[a], offsets[a + 1]):
            v = values[i]
            for k in range(d):
                out[a, k] += v * X[columns[i], k]


# Columns summed at a time: so many of a few thousand rows stay in the second cache, and a fixed
# number of them makes vectors.
_WIDTH = 64


@njit(cache=True, nogil=True)
def sums_of_rows(offsets: I64, rows: I32, X: F32, out: F32) -> None:
    """Set out (n, m) to the sums of rows of X (k, m), added up in the order given.

    Args:
        offsets: (n + 1,); sum a is that of X at ``rows[offsets[a]:offsets[a + 1]]``.
        rows: (N,), none negative.
    """
    n, m = out.shape
    out[:] = 0.0
    whole = m // _WIDTH * _WIDTH
    for first in range(0, whole, _WIDTH):
        for a in range(n):
            total = out[a, first : first + _WIDTH]
            for i in range(offsets[a], offsets[a + 1]):
                row = X[np.uint64(rows[i]), first : first + _WIDTH]
                for k in range(_WIDTH):
                    total[k] += row[k]
    for a in range(n):
        for i in range(offsets[a], offsets[a + 1]):
            for k in range(whole, m):
                out[a, k] += X[rows[i], k]
