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
