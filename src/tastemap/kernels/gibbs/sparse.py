"""Products of a sparse matrix and a thin dense one."""

from numba import njit

from tastemap.arrays import F32, I32, I64


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
