"""Gaussian conditionals: rows of biases and factors, and their link to features.

References:
    Salakhutdinov and Mnih, "Bayesian probabilistic matrix factorization using Markov chain Monte
    Carlo", ICML 2008, equations 11-13 (rows). Adams, Dahl, Murray, "Incorporating side information
    in probabilistic matrix factorization with Gaussian processes", UAI 2010 (rows with a mean that
    depends on features). Papaspiliopoulos, Roberts, Skold, "A general framework for the
    parametrization of hierarchical models", Statistical Science 22(1), 2007 (non-centred).
"""

import math

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32, I64
from tastemap.kernels.gibbs.random import gamma, mixed, normal

# Number of rows that are factorised together: a few vector registers.
BATCH = 32


# The compiler may reorder the terms of a sum, to use vector registers.
@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def factorise(A: F32, ridge: F32, L: F64) -> None:
    """Set the lower triangle of L to the Cholesky factor of A + diag(ridge)."""
    D = len(ridge)
    for k in range(D):
        for m in range(k + 1):
            s = float(A[k, m])
            for n in range(m):
                s -= L[k, n] * L[m, n]
            if k == m:
                L[k, k] = math.sqrt(s + ridge[k])
            else:
                L[k, m] = s / L[m, m]


@njit(cache=True, nogil=True)
def draw_gaussian(L: F64, b: F64, key: np.uint64, mean: F64, draw: F64) -> None:
    """Set mean to A^-1 b and draw to a sample of N(A^-1 b, A^-1), where A = L L'.

    With L y = b the mean solves L' mean = y, and the draw L' draw = y + noise.
    """
    D = len(b)
    for k in range(D):
        s = b[k]
        for m in range(k):
            s -= L[k, m] * mean[m]
        mean[k] = s / L[k, k]
    for k in range(D - 1, -1, -1):
        s, t = mean[k], mean[k] + normal(key, k)
        for m in range(k + 1, D):
            s -= L[m, k] * mean[m]
            t -= L[m, k] * draw[m]
        mean[k] = s / L[k, k]
        draw[k] = t / L[k, k]


# The compiler may fuse products and sums, and divisions are not checked: so the loops over a batch
# use vector registers.
@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def draw_rows(
    rows: I32, r: F32, G: F32, prior: F32, lam: F32, key: np.uint64, W: F32, mean: F32
) -> None:
    """Draw some rows W_a from N(m_a, A_a^-1), their distribution given all else.

    A_a = diag(lam) + G_a,  m_a = A_a^-1 (r_a + G_a W_a + lam * prior_a),
    where r_a is made of the residuals at the present W_a. The algebra is that of `factorise` and
    `draw_gaussian`, for a batch of rows at a time.

    Args:
        rows: (n,), the rows.
        r, G: (n, D) and (n, D, D), from `row_statistics`, in the order of ``rows``.
        prior: (n_rows, D), the prior means of all rows.
        lam: (D,), the prior precisions.
        key: The random stream of this call.
        W: (n_rows, D), all rows; these are replaced by the draws.
        mean: (n_rows, D), set to m_a.
    """
    n, D = r.shape
    L = np.empty((D, D, BATCH))
    b, draw = np.empty((D, BATCH)), np.empty((D, BATCH))
    for first in range(0, n, BATCH):
        for p in range(BATCH):
            q = min(first + p, n - 1)  # the last batch is filled up with its last row
            a = rows[q]
            stream = mixed(key, a)
            for k in range(D):
                total = r[q, k] + lam[k] * prior[a, k]
                for m in range(D):
                    total += G[q, k, m] * W[a, m]
                b[k, p], draw[k, p] = total, normal(stream, k)
                for m in range(k):
                    L[k, m, p] = G[q, k, m]
                L[k, k, p] = G[q, k, k] + lam[k]
        factorise_batch(L)
        solve_batch(L, b, draw)
        for p in range(min(BATCH, n - first)):
            for k in range(D):
                mean[rows[first + p], k] = b[k, p]
                W[rows[first + p], k] = draw[k, p]


@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def factorise_batch(L: F64) -> None:
    """Replace lower triangles (D, D, P) of P matrices by their Cholesky factors.

    Their diagonals are replaced by the inverses of the diagonals, which the solutions use.
    """
    D, _, P = L.shape
    for k in range(D):
        for m in range(k + 1):
            row = L[k, m]
            for j in range(m):
                left, right = L[k, j], L[m, j]
                for p in range(P):
                    row[p] -= left[p] * right[p]
            inverse = L[m, m]
            for p in range(P):
                row[p] = row[p] * inverse[p] if m < k else 1.0 / math.sqrt(row[p])


@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def solve_batch(L: F64, b: F64, draw: F64) -> None:
    """Set b (D, P) to A^-1 b, and draw to A^-1 b + L'^-1 draw, for each of P matrices A = L L'.

    L is as `factorise_batch` leaves it.
    """
    D, P = b.shape
    for k in range(D):
        y, inverse = b[k], L[k, k]
        for m in range(k):
            factor, other = L[k, m], b[m]
            for p in range(P):
                y[p] -= factor[p] * other[p]
        for p in range(P):
            y[p] *= inverse[p]
    for k in range(D - 1, -1, -1):
        x, y, inverse = b[k], draw[k], L[k, k]
        for p in range(P):
            y[p] += x[p]
        for m in range(k + 1, D):
            factor, mean, drawn = L[m, k], b[m], draw[m]
            for p in range(P):
                x[p] -= factor[p] * mean[p]
                y[p] -= factor[p] * drawn[p]
        for p in range(P):
            x[p] *= inverse[p]
            y[p] *= inverse[p]


# The compiler may reorder sums over all rows, to use vector registers.
@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def draw_link(
    many: I32,
    r: F32,
    G: F32,
    few: I32,
    indptr: I64,
    indices: I64,
    other: I32,
    X: F32,
    e: F32,
    w: F32,
    features: F32,
    lam: F32,
    key: np.uint64,
    B: F32,
    change: F32,
) -> None:
    """One sweep over the link B, where rows are W_a = B' phi_a + v_a with fixed v_a.

    A step d of B[f, k] moves column k of every row by phi_af d, so that given all else
    precision = lam[f, k] + sum of phi_af^2 G_a[k, k],
    d ~ N((sum of phi_af r_a[k] - lam[f, k] B[f, k]) / precision, 1 / precision).

    Args:
        many, r, G: Rows, and their sums as in `draw_rows`; r is updated for the moves.
        few: The other rows, whose sums are taken from their ratings; of these e is updated.
        indptr, indices, other, X, e, w: As in `row_statistics`.
        features: (F, n), phi, a feature a row.
        lam: (F, D), the prior precisions of B.
        key: The random stream of this call.
        B: (F, D), the link; replaced by the draws.
        change: (n, D), set to how far each row has moved.
    """
    F, n = features.shape
    D = r.shape[1]
    residual, weight = np.zeros(n, np.float32), np.zeros(n, np.float32)
    moved = np.empty(n, np.float32)
    for k in range(D):
        for a in range(n):
            moved[a] = np.float32(0.0)
        for p in range(len(many)):
            residual[many[p]], weight[many[p]] = r[p, k], G[p, k, k]
        column_sums(few, indptr, indices, other, X, e, w, k, residual, weight)
        for f in range(F):
            phi = features[f]
            total, precision = np.float32(0.0), np.float32(0.0)
            for a in range(n):
                total += phi[a] * residual[a]
                precision += phi[a] * phi[a] * weight[a]
            precision += lam[f, k]
            mean = (total - lam[f, k] * B[f, k]) / precision
            d = np.float32(mean + normal(key, k * F + f) / math.sqrt(precision))
            B[f, k] += d
            for a in range(n):
                moved[a] += phi[a] * d
                residual[a] -= phi[a] * d * weight[a]
        for a in range(n):
            change[a, k] = moved[a]
        for p in range(len(many)):
            for m in range(D):
                r[p, m] -= G[p, m, k] * moved[many[p]]
        take_column(few, indptr, indices, other, X, k, moved, e)


@njit(cache=True, nogil=True)
def take_column(
    rows: I32, indptr: I64, indices: I64, other: I32, X: F32, k: int, moved: F32, e: F32
) -> None:
    """Set e to e - x_jk moved_a for the ratings of some rows, whose column k has moved."""
    for a in rows:
        for i in range(indptr[a], indptr[a + 1]):
            e[indices[i]] -= X[other[i], k] * moved[a]


@njit(cache=True, nogil=True)
def column_sums(
    rows: I32,
    indptr: I64,
    indices: I64,
    other: I32,
    X: F32,
    e: F32,
    w: F32,
    k: int,
    residual: F32,
    weight: F32,
) -> None:
    """Set residual[a] to r_a[k] and weight[a] to G_a[k, k] for some rows a, from their ratings.

    Args as in `draw_link`.
    """
    for a in rows:
        first, second = np.float32(0.0), np.float32(0.0)
        for i in range(indptr[a], indptr[a + 1]):
            x = X[other[i], k]
            weighted = w[indices[i]] * x
            first += weighted * e[indices[i]]
            second += weighted * x
        residual[a], weight[a] = first, second


@njit(cache=True, nogil=True)
def draw_scales(
    indptr: I64,
    indices: I64,
    other: I32,
    e: F32,
    other_s: F32,
    sigma: float,
    shape: float,
    key: np.uint64,
    s: F32,
) -> None:
    """Draw the noise scale s_a of each row, s_a^2 ~ InvGamma(shape, shape) a priori.

    s_a^2 given all else ~ InvGamma(shape + n_a / 2, shape + sum of (e / (sigma s_j))^2 / 2).

    Args:
        indptr, indices, other, e: The ratings of each row, as in `row_statistics`.
        other_s: (m,), the scales of the other side. sigma: The common scale.
        shape: Shape of the prior.
        key: The random stream of this call.
        s: (n,), set here.
    """
    for a in range(len(indptr) - 1):
        total = 0.0
        for i in range(indptr[a], indptr[a + 1]):
            total += (e[indices[i]] / other_s[other[i]]) ** 2
        total /= sigma * sigma
        n = indptr[a + 1] - indptr[a]
        s[a] = math.sqrt((shape + 0.5 * total) / gamma(key, a, shape + 0.5 * n))


@njit(cache=True, nogil=True)
def noise_of_ratings(
    user: I32, item: I32, user_s: F32, item_s: F32, sigma: float, s: F32, w: F32
) -> None:
    """Set s (N,) to sigma s_a s_j, the noise scale of each rating, and w (N,) to 1 / s^2."""
    for i in range(len(s)):
        s[i] = sigma * user_s[user[i]] * item_s[item[i]]
        w[i] = 1.0 / (s[i] * s[i])
