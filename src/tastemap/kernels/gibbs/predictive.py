"""Predictive distributions of ratings, averaged over draws of the posterior.

References:
    Gelfand and Smith, "Sampling-based approaches to calculating marginal densities", JASA 85(410),
    1990, section 3: averaging conditional distributions rather than draws (Rao-Blackwell).
"""

import math

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32, I64
from tastemap.kernels.gibbs.normal import add_cdf
from tastemap.kernels.gibbs.rows import factorise
from tastemap.kernels.gibbs.tile import WIDTH, weighted_gram

# Targets handled at once: their buffers stay in the nearest cache.
BLOCK = 128


@njit(cache=True, nogil=True)
def precision_factor(rated: I32, X: F32, scales: F32, s: float, lam: F32, A: F32, L: F64) -> None:
    """Set L to the Cholesky factor of A = diag(lam) + sum of x_j x_j' / (s s_j)^2.

    A is the precision of a user's row given the rated items j and the noise scales. X (n, multiple
    of 16) holds the x_j of one draw; the buffer for A is as wide.
    """
    w = np.empty(len(rated), dtype=np.float32)
    for i in range(len(rated)):
        w[i] = 1.0 / (s * scales[rated[i]]) ** 2
    weighted_gram(X, rated, w, A)
    factorise(A, lam, L)


@njit(cache=True, nogil=True)
def gather(rated: I32, items: F32, item_scales: F32, X: F32, scales: F32) -> None:
    """Set the first rows of X to the x_j = (1, q_j, 0, ...) of the items rated, scales to s_j."""
    for i in range(len(rated)):
        item = items[rated[i]]
        scales[i], X[i, 0] = item_scales[rated[i]], 1.0
        for k in range(1, len(item)):
            X[i, k] = item[k]


# The compiler may fuse products and sums: the loops over items then use vector registers.
@njit(cache=True, nogil=True, fastmath={"contract"})
def moments(targets: I32, items: F32, mean: F32, L: F64, Y: F32, f: F32, variance: F32) -> None:
    """Mean d_j + m . x_j and variance x_j' A^-1 x_j of the predictor for the target items.

    With A = L L' the variance is |y|^2 where L y = x_j. Y (D, at least n) is set to all y. L may
    have more rows, which belong to cutpoints.
    """
    D = len(mean)
    first = np.float32(1.0 / L[0, 0])
    for i in range(len(f)):
        item = items[targets[i]]
        f[i] = item[0] + mean[0]
        Y[0, i] = first
        variance[i] = first * first
        for k in range(1, D):
            Y[k, i] = item[k]
    for k in range(1, D):
        y, weight = Y[k], mean[k]
        for i in range(len(f)):
            f[i] += weight * y[i]
        for m in range(0, k - 3, 4):  # four at a time: y is read and written less often
            ya, yb, yc, yd = Y[m], Y[m + 1], Y[m + 2], Y[m + 3]
            a, b = np.float32(L[k, m]), np.float32(L[k, m + 1])
            c, d = np.float32(L[k, m + 2]), np.float32(L[k, m + 3])
            for i in range(len(f)):
                y[i] -= a * ya[i] + b * yb[i] + c * yc[i] + d * yd[i]
        for m in range(k // 4 * 4, k):
            other, factor = Y[m], np.float32(L[k, m])
            for i in range(len(f)):
                y[i] -= factor * other[i]
        inverse = np.float32(1.0 / L[k, k])
        for i in range(len(f)):
            y[i] *= inverse
            variance[i] += y[i] * y[i]


@njit(cache=True, nogil=True, fastmath={"contract"})
def cut_moments(L: F64, Y: F32, G: F32, H: F64, variance: F32) -> None:
    """What the uncertainty of the cutpoints adds to that of the predictor.

    With the precision L L' of row and cutpoints, (D + C, D + C), and with y of `moments`, the
    variance of kappa_c - w . x_j is |y|^2 + |g - h_c|^2 = |y|^2 + |g|^2 - 2 g . h_c + |h_c|^2.

    Args:
        Y: (D, at least n), as `moments` sets it.
        G: (C, at least n), set to g. H: (C, C), set to h_c in its columns.
        variance: (n,), |y|^2; |g|^2 is added.
    """
    C, n = len(H), len(variance)
    D = len(L) - C
    for m in range(C):
        inverse = 1.0 / L[D + m, D + m]
        for c in range(C):
            total = 1.0 if c == m else 0.0
            for k in range(m):
                total -= L[D + m, D + k] * H[k, c]
            H[m, c] = total * inverse
        g = G[m]
        for i in range(n):
            g[i] = np.float32(0.0)
        for k in range(D + m):
            factor = np.float32(-L[D + m, k] * inverse)
            other = Y[k] if k < D else G[k - D]
            for i in range(n):
                g[i] += factor * other[i]
        for i in range(n):
            variance[i] += g[i] * g[i]


@njit(cache=True, nogil=True, fastmath={"contract"})
def cut_widths(total: F32, G: F32, H: F64, c: int, width: F32) -> None:
    """Set width (n,) to 1 / deviation of cutpoint c less the latent value.

    ``total`` (n,) is |y|^2 + |g|^2 of `cut_moments` and what else varies.
    """
    shared = np.float32(0.0)
    for m in range(len(H)):
        shared += np.float32(H[m, c] * H[m, c])
    for i in range(len(width)):
        width[i] = total[i] + shared
    for m in range(c, len(H)):
        factor, g = np.float32(-2.0 * H[m, c]), G[m]
        for i in range(len(width)):
            width[i] += factor * g[i]
    for i in range(len(width)):
        width[i] = np.float32(1.0) / np.sqrt(width[i])


@njit(cache=True, nogil=True)
def rows_of_root(n: int) -> int:
    """E of a lower triangle (E, E) of n = E (E + 1) / 2 numbers."""
    return int((math.sqrt(8.0 * n + 1.0) - 0.5) / 2.0)


@njit(cache=True, nogil=True)
def unpack(root: F32, L: F64) -> None:
    """Set the lower triangle of L to the numbers of a root, row by row."""
    at = 0
    for e in range(len(L)):
        for k in range(e + 1):
            L[e, k] = root[at]
            at += 1


@njit(cache=True, nogil=True)
def standardise(
    targets: I32, scales: F32, s: float, effects: F32, first: int, f: F32, variance: F32, width: F32
) -> None:
    """Add the effects' means to f (n,), their variances and the noise to the variance (n,).

    The noise is (s s_j)^2, ``effects`` (N or 1, 2) are those of targets ``first`` and on, and width
    is set to 1 / deviation.
    """
    for i in range(len(f)):
        noise = s * scales[targets[i]]
        effect = effects[(first + i) % len(effects)]
        f[i] += effect[0]
        variance[i] += noise * noise + effect[1]
        width[i] = 1.0 / np.sqrt(variance[i])


@njit(cache=True, nogil=True)
def predictive(
    target_indptr: I64,
    targets: I32,
    rated_indptr: I64,
    rated: I32,
    means: F32,
    cuts: F32,
    scales: F32,
    roots: F32,
    items: F32,
    item_scales: F32,
    lam: F32,
    effects: F32,
    first: int,
    last: int,
    centre: F64,
    cumulative: F64,
) -> None:
    """Mean predictor and P(rating <= level) of users ``first`` to ``last`` - 1.

    In each draw the user's row is N(m, A^-1) given the draw's items, so the latent value of item j
    is N(d_j + m . x_j, (s s_j)^2 + x_j' A^-1 x_j). The results are averages over draws. Of a new
    user, whose row and cutpoints vary together, what is not certain of these counts, too.

    Args:
        target_indptr, targets: (P + 1,) and (N,), the items to predict for each user.
        rated_indptr, rated: (P + 1,) and (R,), the items that each user has rated.
        means: (K, P, D), m of each draw. scales: (K, P), s.
        cuts: (K, P, C - 1), or (1, 1, C - 1) if all have the same.
        roots: (K, R), of one new user the roots of `fold_in`; else (K, 0).
        items: (K, n_items, D). item_scales: (K, n_items). lam: (K, D), prior precisions.
        effects: (K or 1, N or 1, 2), mean and variance of the temporal effect on the predictor.
        first, last: The users to predict for.
        centre: (N,), set to the mean predictor.
        cumulative: (C - 1, N), set to the probability of at most each level but the highest.
    """
    K, D, most = len(means), means.shape[2], 0
    for p in range(first, last):
        most = max(most, rated_indptr[p + 1] - rated_indptr[p])
    E = max(rows_of_root(roots.shape[1]), D)
    P, place = (D + WIDTH - 1) // WIDTH * WIDTH, np.arange(most).astype(np.int32)
    X, rated_scales = np.zeros((most, P), np.float32), np.empty(most, np.float32)
    A, L, Y = np.empty((P, P), np.float32), np.zeros((E, E)), np.empty((D, BLOCK), np.float32)
    G, H = np.empty((E - D, BLOCK), np.float32), np.empty((E - D, E - D))
    block_f, block_width = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    block_total = np.empty(BLOCK, np.float32)
    for q in range(K):
        effects_of_draw = effects[q % len(effects)]
        for p in range(first, last):
            user_rated, s = rated[rated_indptr[p] : rated_indptr[p + 1]], scales[q, p]
            if roots.shape[1]:
                unpack(roots[q], L)
            else:
                gather(user_rated, items[q], item_scales[q], X, rated_scales)
                precision_factor(place[: len(user_rated)], X, rated_scales, s, lam[q], A, L)
            user_cuts = cuts[q % len(cuts), p % cuts.shape[1]]
            for start in range(target_indptr[p], target_indptr[p + 1], BLOCK):
                end = min(start + BLOCK, target_indptr[p + 1])
                rows, f = targets[start:end], block_f[: end - start]
                width, total = block_width[: end - start], block_total[: end - start]
                moments(rows, items[q], means[q, p], L, Y, f, total)
                if E > D:
                    cut_moments(L, Y, G, H, total)
                standardise(rows, item_scales[q], s, effects_of_draw, start, f, total, width)
                for i in range(len(f)):
                    centre[start + i] += f[i] / K
                for c in range(len(user_cuts)):
                    if E > D:
                        cut_widths(total, G, H, c, width)
                    add_cdf(user_cuts[c], f, width, 1.0 / K, cumulative[c, start:end])
