"""EASE: the weighted Gram matrix of the likes, and the scores of many users."""

import numpy as np
from numba import njit

from tastemap.arrays import F32, I32, I64

# Columns summed at a time. So many of a few thousand rows stay in the second cache, and a fixed
# number of columns lets the compiler use vectors.
_COLUMNS = 64


@njit(cache=True)
def gram(item_indptr: I32, users: I32, user_indptr: I32, items: I32, w: F32, G: F32) -> None:
    """Set the lower triangle of G to X'WX, for a matrix X (n_users, n_items) of zeros and ones.

    Row i of G is the sum of the rows of X of the users of item i. One row of G is filled at a time.

    Args:
        item_indptr, users: Item i has the users ``users[item_indptr[i]:item_indptr[i + 1]]``.
        user_indptr, items: The same for users, with the items of each in ascending order.
        w: (n_users,), the diagonal of W.
        G: (n_items, n_items), zeros; filled in place.
    """
    for i in range(len(G)):
        row = G[i]
        for n in range(item_indptr[i], item_indptr[i + 1]):
            u = users[n]
            weight = w[u]
            for m in range(user_indptr[u], user_indptr[u + 1]):
                if items[m] > i:
                    break
                row[items[m]] += weight


@njit(cache=True)
def scatter(P: F32, rows: I64, B: F32) -> None:
    """Set ``B[rows[i], rows[j]]`` to P_ij for P (m, m) and rows (m,)."""
    for i in range(len(rows)):
        row = B[rows[i]]
        for j in range(len(rows)):
            row[rows[j]] = P[i, j]


@njit(cache=True, nogil=True)
def sums_of_rows(indptr: I64, indices: I32, B: F32, out: F32) -> None:
    """Set out (n, m) to X B, for a CSR matrix X of zeros and ones; terms are added in its order.

    Args:
        indptr: (n + 1,); row a of X has ones at ``indices[indptr[a]:indptr[a + 1]]``.
        indices: (N,), rows of B, none negative.
        B: (k, m).
    """
    n, m = out.shape
    out[:] = 0.0
    whole = m // _COLUMNS * _COLUMNS
    for first in range(0, whole, _COLUMNS):
        for a in range(n):
            total = out[a, first : first + _COLUMNS]
            for i in range(indptr[a], indptr[a + 1]):
                row = B[np.uint64(indices[i]), first : first + _COLUMNS]
                for k in range(_COLUMNS):
                    total[k] += row[k]
    for a in range(n):
        for i in range(indptr[a], indptr[a + 1]):
            for k in range(whole, m):
                out[a, k] += B[indices[i], k]
