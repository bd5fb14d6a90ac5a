"""Predictive distributions of ratings, averaged over draws of the posterior.

References:
    Gelfand and Smith, "Sampling-based approaches to calculating marginal densities", JASA 85(410),
    1990, section 3: averaging conditional distributions rather than draws (Rao-Blackwell).
"""

import math

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32, I64
from tastemap.kernels.gibbs.normal import cdf
from tastemap.kernels.gibbs.rows import factorise
from tastemap.kernels.gibbs.statistics import design
from tastemap.kernels.gibbs.tile import weighted_gram


@njit(cache=True, nogil=True)
def precision_factor(rated: I32, X: F32, scales: F32, s: float, lam: F32, A: F32, L: F64) -> None:
    """Set L to the Cholesky factor of A = diag(lam) + sum of x_j x_j' / (s s_j)^2.

    A is the precision of a user's row given the rated items j and the noise scales. X (n_items,
    multiple of 16) holds the x_j of one draw; the buffer for A is as wide.
    """
    w = np.empty(len(rated), dtype=np.float32)
    for i in range(len(rated)):
        w[i] = 1.0 / (s * scales[rated[i]]) ** 2
    weighted_gram(X, rated, w, A)
    factorise(A, lam, L)


# The compiler may fuse products and sums: the loops over items then use vector registers.
@njit(cache=True, nogil=True, fastmath={"contract"})
def moments(targets: I32, items: F32, mean: F32, L: F64, Y: F32, f: F32, variance: F32) -> None:
    """Mean d_j + m . x_j and variance x_j' A^-1 x_j of the predictor for the target items.

    With A = L L' the variance is |y|^2 where L y = x_j. Y (D, n) is a buffer for all y.
    """
    D, n = Y.shape
    for i in range(n):
        f[i] = items[targets[i], 0] + mean[0]
        Y[0, i] = 1.0 / L[0, 0]
        variance[i] = Y[0, i] * Y[0, i]
    for k in range(1, D):
        for i in range(n):
            Y[k, i] = items[targets[i], k]
            f[i] += mean[k] * Y[k, i]
        for m in range(k):
            for i in range(n):
                Y[k, i] -= L[k, m] * Y[m, i]
        for i in range(n):
            Y[k, i] /= L[k, k]
            variance[i] += Y[k, i] * Y[k, i]


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
        cumulative: (N, C - 1), set to the probability of at most each level but the highest.
    """
    K, D, C = len(means), means.shape[2], cuts.shape[2]
    size = 0
    for p in range(first, last):
        size = max(size, target_indptr[p + 1] - target_indptr[p])
    L, buffer = np.zeros((D, D)), np.empty(D * size, dtype=np.float32)
    f, variance = np.empty(size, dtype=np.float32), np.empty(size, dtype=np.float32)
    for q in range(K):
        X = design(items[q])
        A = np.empty((X.shape[1], X.shape[1]), dtype=np.float32)
        for p in range(first, last):
            user_targets = targets[target_indptr[p] : target_indptr[p + 1]]
            user_rated = rated[rated_indptr[p] : rated_indptr[p + 1]]
            n, start, s = len(user_targets), target_indptr[p], scales[q, p]
            precision_factor(user_rated, X, item_scales[q], s, lam[q], A, L)
            Y = buffer[: D * n].reshape(D, n)
            moments(user_targets, items[q], means[q, p], L, Y, f[:n], variance[:n])
            for i in range(n):
                noise = s * item_scales[q, user_targets[i]]
                effect = effects[q % len(effects), (start + i) % effects.shape[1]]
                centred = f[i] + effect[0]
                width = 1.0 / math.sqrt(noise * noise + variance[i] + effect[1])
                centre[start + i] += centred / K
                for c in range(C):
                    cut = cuts[q % len(cuts), p % cuts.shape[1], c]
                    cumulative[start + i, c] += cdf((cut - centred) * width) / K
