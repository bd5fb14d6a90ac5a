"""Sufficient statistics of each row: sums over its ratings, for its conditional distribution."""

import numpy as np
from numba import njit

from tastemap.arrays import F32, I32, I64
from tastemap.kernels.gibbs.tile import WIDTH, weighted_gram, weighted_sum


@njit(cache=True, nogil=True)
def design(rows: F32) -> F32:
    """x_j = (1, q_j, 0, ..., 0) for rows (b_j, q_j), (m, D up to a multiple of 16)."""
    m, D = rows.shape
    X = np.zeros((m, (D + WIDTH - 1) // WIDTH * WIDTH), dtype=np.float32)
    for j in range(m):
        X[j, 0] = 1.0
        for k in range(1, D):
            X[j, k] = rows[j, k]
    return X


@njit(cache=True, nogil=True)
def row_statistics(
    rows: I32, indptr: I64, indices: I64, other: I32, X: F32, e: F32, w: F32, r: F32, G: F32
) -> None:
    """The sums r_a = sum of w x e and G_a = sum of w x x' over the ratings of some rows a.

    Args:
        rows: (n,), the rows.
        indptr: row a has the ratings ``indices[indptr[a]:indptr[a + 1]]``.
        indices: (N,), positions in e and w, grouped by row.
        other: (N,), the row on the other side, in the order of ``indices``.
        X: (m, multiple of 16), x_j of the other side, from `design`.
        e, w: (N,), residuals and weights of the ratings.
        r, G: (n, D) and (n, D, D), set here, in the order of ``rows``.
    """
    D, P, largest = r.shape[1], X.shape[1], 0
    for a in rows:
        largest = max(largest, indptr[a + 1] - indptr[a])
    weight, weighted = np.empty(largest, np.float32), np.empty(largest, np.float32)
    total, A = np.empty(P, np.float32), np.empty((P, P), np.float32)
    for p in range(len(rows)):
        start = indptr[rows[p]]
        n = indptr[rows[p] + 1] - start
        for i in range(n):
            weight[i] = w[indices[start + i]]
            weighted[i] = weight[i] * e[indices[start + i]]
        others = other[start : start + n]
        weighted_sum(X, others, weighted, total)
        weighted_gram(X, others, weight, A)
        for k in range(D):
            r[p, k] = total[k]
            for m in range(k + 1):
                G[p, k, m] = A[k, m]
                G[p, m, k] = A[k, m]


# The compiler may reorder the terms of a sum, to use vector registers.
@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def take_from_residuals(
    rows: I32, indptr: I64, indices: I64, other: I32, X: F32, change: F32, e: F32
) -> None:
    """Set e to e - x_j . change_a for each rating of some rows, as W_a moved by change_a.

    ``change`` (n_rows, D) holds the move of every row, not of these alone. The other arguments are
    those of `row_statistics`.
    """
    D, P = change.shape[1], X.shape[1]
    step = np.zeros(P, dtype=np.float32)
    for a in rows:
        for k in range(D):
            step[k] = change[a, k]
        for i in range(indptr[a], indptr[a + 1]):
            x, f = X[other[i]], np.float32(0.0)
            for first in range(0, P, WIDTH):
                for k in range(WIDTH):
                    f += x[first + k] * step[first + k]
            e[indices[i]] -= f
