"""Rows with few ratings, drawn in the space of their ratings: it is smaller than that of factors.

References:
    Bhattacharya, Chakraborty, Mallick, "Fast sampling with Gaussian scale mixture priors in
    high-dimensional regression", Biometrika 103(4), 2016, algorithm 1.
"""

import math

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32, I64
from tastemap.kernels.gibbs.random import mixed, normal


# The compiler may reorder the terms of a sum, to use vector registers.
@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def draw_few(
    rows: I32,
    indptr: I64,
    indices: I64,
    other: I32,
    X: F32,
    e: F32,
    w: F32,
    prior: F32,
    lam: F32,
    key: np.uint64,
    W: F32,
    mean: F32,
) -> None:
    """Draw some rows W_a from N(m_a, A_a^-1), as `draw_rows` does; e is updated.

    The n ratings of a row are y = X W_a + noise of precision w. With u ~ N(prior, 1 / lam) and
    v ~ N(0, 1 / w), the draw is u + X' S^-1 (y - X u - v) / lam where S = X X' / lam + 1 / w, which
    is n x n. The mean is the same with u = prior and v = 0. A row without ratings is u.

    Args:
        rows: (n_few,), the rows.
        indptr, indices, other, X, e, w: As in `row_statistics`, at the present W.
        prior, lam, key, W, mean: As in `draw_rows`.
    """
    D, most = W.shape[1], 1
    for a in rows:
        most = max(most, indptr[a + 1] - indptr[a])
    starts, step = np.empty((2, D)), np.empty(D)
    scaled, S, b = np.empty((most, D), np.float32), np.empty((most, most)), np.empty((2, most))
    for a in rows:
        stream, ratings = mixed(key, a), slice(indptr[a], indptr[a + 1])
        for k in range(D):
            starts[0, k] = prior[a, k]
            starts[1, k] = prior[a, k] + normal(stream, k) / math.sqrt(lam[k])
        conditions(indices[ratings], other[ratings], X, e, w, W[a], starts, lam, scaled, S, b)
        for i in range(ratings.stop - ratings.start):
            b[1, i] -= normal(stream, D + i) / math.sqrt(w[indices[ratings.start + i]])
        solve(S, b, ratings.stop - ratings.start)
        for k in range(D):
            expected, drawn = starts[0, k], starts[1, k]
            for i in range(ratings.stop - ratings.start):
                expected += b[0, i] * scaled[i, k]
                drawn += b[1, i] * scaled[i, k]
            step[k] = drawn - W[a, k]
            mean[a, k], W[a, k] = expected, drawn
        for i in range(ratings.start, ratings.stop):
            x, f = X[other[i]], 0.0
            for k in range(D):
                f += x[k] * step[k]
            e[indices[i]] -= f


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def conditions(
    indices: I64,
    other: I32,
    X: F32,
    e: F32,
    w: F32,
    row: F32,
    starts: F64,
    lam: F32,
    scaled: F32,
    S: F64,
    b: F64,
) -> None:
    """Set S (n, n), lower triangle, b (2, n) = y - X u for both u, and scaled (n, D) = X / lam.

    Args:
        indices, other: (n,), the ratings of one row, as in `row_statistics`.
        X, e, w: As there.
        row: (D,), the row at which e is what it is.
        starts: (2, D), the two u.
        lam: (D,), the prior precisions.
        scaled, S, b: Set here.
    """
    for i in range(len(indices)):
        x, residual = X[other[i]], e[indices[i]]
        first, second = 0.0, 0.0
        for k in range(len(row)):
            first += x[k] * (row[k] - starts[0, k])
            second += x[k] * (row[k] - starts[1, k])
            scaled[i, k] = x[k] / lam[k]
        b[0, i], b[1, i] = residual + first, residual + second
        for j in range(i + 1):
            y, total = X[other[j]], 0.0
            for k in range(len(row)):
                total += scaled[i, k] * y[k]
            S[i, j] = total
        S[i, i] += 1.0 / w[indices[i]]


@njit(cache=True, nogil=True)
def solve(S: F64, b: F64, n: int) -> None:
    """Replace the first n numbers of both rows of b by S^-1 b; S's lower triangle by its root."""
    for i in range(n):
        for j in range(i + 1):
            total = S[i, j]
            for k in range(j):
                total -= S[i, k] * S[j, k]
            S[i, j] = math.sqrt(total) if i == j else total / S[j, j]
    for right in b:
        for i in range(n):
            for j in range(i):
                right[i] -= S[i, j] * right[j]
            right[i] /= S[i, i]
        for i in range(n - 1, -1, -1):
            for j in range(i + 1, n):
                right[i] -= S[j, i] * right[j]
            right[i] /= S[i, i]
