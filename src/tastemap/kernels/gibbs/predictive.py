"""Predictive distributions of ratings, averaged over draws of the posterior.

References:
    Gelfand and Smith, "Sampling-based approaches to calculating marginal densities", JASA 85(410),
    1990, section 3: averaging conditional distributions rather than draws (Rao-Blackwell).
"""

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

    With A = L L' the variance is |y|^2 where L y = x_j. Y (D, at least n) is a buffer for all y.
    """
    D = len(L)
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
        for m in range(k):
            other, factor = Y[m], np.float32(L[k, m])
            for i in range(len(f)):
                y[i] -= factor * other[i]
        inverse = np.float32(1.0 / L[k, k])
        for i in range(len(f)):
            y[i] *= inverse
            variance[i] += y[i] * y[i]


@njit(cache=True, nogil=True)
def standardise(
    targets: I32, scales: F32, s: float, effects: F32, first: int, f: F32, width: F32
) -> None:
    """Add the effects' means to f (n,), and replace the variances in width by 1 / deviation.

    The noise (s s_j)^2 and the effects' variances come to the variance; ``effects`` (N or 1, 2) are
    those of targets ``first`` and on.
    """
    for i in range(len(f)):
        noise = s * scales[targets[i]]
        effect = effects[(first + i) % len(effects)]
        f[i] += effect[0]
        width[i] = 1.0 / np.sqrt(noise * noise + width[i] + effect[1])


@njit(cache=True, nogil=True)
def predictive(
    target_indptr: I64,
    targets: I32,
    rated_indptr: I64,
    rated: I32,
    means: F32,
    cuts: F32,
    scales: F32,
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
    is N(d_j + m . x_j, (s s_j)^2 + x_j' A^-1 x_j). The results are averages over draws.

    Args:
        target_indptr, targets: (P + 1,) and (N,), the items to predict for each user.
        rated_indptr, rated: (P + 1,) and (R,), the items that each user has rated.
        means: (K, P, D), m of each draw. scales: (K, P), s.
        cuts: (K, P, C - 1), or (1, 1, C - 1) if all have the same.
        items: (K, n_items, D). item_scales: (K, n_items). lam: (K, D), prior precisions.
        effects: (K or 1, N or 1, 2), mean and variance of the temporal effect on the predictor.
        first, last: The users to predict for.
        centre: (N,), set to the mean predictor.
        cumulative: (C - 1, N), set to the probability of at most each level but the highest.
    """
    K, D, most = len(means), means.shape[2], 0
    for p in range(first, last):
        most = max(most, rated_indptr[p + 1] - rated_indptr[p])
    P, place = (D + WIDTH - 1) // WIDTH * WIDTH, np.arange(most).astype(np.int32)
    X, rated_scales = np.zeros((most, P), np.float32), np.empty(most, np.float32)
    A, L, Y = np.empty((P, P), np.float32), np.zeros((D, D)), np.empty((D, BLOCK), np.float32)
    block_f, block_width = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    for q in range(K):
        effects_of_draw = effects[q % len(effects)]
        for p in range(first, last):
            user_rated, s = rated[rated_indptr[p] : rated_indptr[p + 1]], scales[q, p]
            gather(user_rated, items[q], item_scales[q], X, rated_scales)
            precision_factor(place[: len(user_rated)], X, rated_scales, s, lam[q], A, L)
            user_cuts = cuts[q % len(cuts), p % cuts.shape[1]]
            for start in range(target_indptr[p], target_indptr[p + 1], BLOCK):
                end = min(start + BLOCK, target_indptr[p + 1])
                rows, f, width = (
                    targets[start:end],
                    block_f[: end - start],
                    block_width[: end - start],
                )
                moments(rows, items[q], means[q, p], L, Y, f, width)
                standardise(rows, item_scales[q], s, effects_of_draw, start, f, width)
                for i in range(len(f)):
                    centre[start + i] += f[i] / K
                for c in range(len(user_cuts)):
                    add_cdf(user_cuts[c], f, width, 1.0 / K, cumulative[c, start:end])
