"""The scores of all items for one user, from factors in float32 summed in float64."""

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64

# The compiler may reorder sums, to use vector registers. Their errors in float64 are far smaller
# than the rounding to float32 at the end, and a row's sum does not depend on the thread.
_REORDER = {"reassoc", "contract"}


@njit(cache=True, nogil=True, fastmath=_REORDER)
def score_rows(x: F32, w: F64, s: F32) -> None:
    """Set s (n,) to x_i0 + w_0 + sum over k of x_ik w_k, the float32 nearest to it.

    Args:
        x: (n, 1 + f), rows (b_i, q_i). w: (1 + f,), the row (mu + b_u, p_u).
    """
    for i in range(len(s)):
        total = 0.0
        for k in range(1, len(w)):
            total += np.float64(x[i, k]) * w[k]
        s[i] = np.float32(w[0] + np.float64(x[i, 0]) + total)
