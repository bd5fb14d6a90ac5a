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
def person_factor(rated: I32, X: F32, scales: F32, s: float, lam: F32, A: F32, L: F64) -> None:
    """Set L to the Cholesky factor of A = diag(lam) + sum of x_j x_j' / (s s_j)^2.

    A is the precision of a person's row given the items j that they have rated and the noise
    scales. X (n_items, multiple of 16) holds the x_j of one draw; the buffer for A is as wide.
    """
    w = np.empty(len(rated), dtype=np.float32)
    for i in range(len(rated)):
        w[i] = 1.0 / (s * scales[rated[i]]) ** 2
    weighted_gram(X, rated, w, A)
    factorise(A, lam, L)


# Sums of products may be contracted; the loops over items are then vectors.
@njit(cache=True, nogil=True, fastmath={"contract"})
def moments(asked: I32, items: F32, mean: F32, L: F64, Y: F32, f: F32, variance: F32) -> None:
    """Mean d_j + m . x_j and variance x_j' A^-1 x_j of the predictor for the items asked.

    With A = L L' the variance is |y|^2 where L y = x_j; Y (D, n) is a buffer for all y.
    """
    D, n = Y.shape
    for i in range(n):
        f[i] = items[asked[i], 0] + mean[0]
        Y[0, i] = 1.0 / L[0, 0]
        variance[i] = Y[0, i] * Y[0, i]
    for k in range(1, D):
        for i in range(n):
            Y[k, i] = items[asked[i], k]
            f[i] += mean[k] * Y[k, i]
        for m in range(k):
            for i in range(n):
                Y[k, i] -= L[k, m] * Y[m, i]
        for i in range(n):
            Y[k, i] /= L[k, k]
            variance[i] += Y[k, i] * Y[k, i]


@njit(cache=True, nogil=True)
def predictive(
    offsets: I64,
    asked: I32,
    rated_offsets: I64,
    rated: I32,
    means: F32,
    cuts: F32,
    scales: F32,
    items: F32,
    item_scales: F32,
    lam: F32,
    moods: F32,
    first: int,
    last: int,
    centre: F64,
    cumulative: F64,
) -> None:
    """Mean predictor and P(rating <= level) of persons ``first`` to ``last`` - 1.

    For each draw the person's row is N(m, A^-1) given the draw's items, so the latent value of
    item j is N(d_j + m . x_j, (s s_j)^2 + x_j' A^-1 x_j); the answers are averages over draws.

    Args:
        offsets, asked: (P + 1,) and (N,), the items that each person is asked about.
        rated_offsets, rated: (P + 1,) and (R,), the items that each person has rated.
        means: (K, P, D), m of each draw. scales: (K, P), s.
        cuts: (K, P, C - 1), or (1, 1, C - 1) where they are the same for all.
        items: (K, n_items, D). item_scales: (K, n_items). lam: (K, D), prior precisions.
        moods: (K or 1, N or 1, 2), mean and variance of what the moment adds to the predictor.
        first, last: The persons to answer for.
        centre: (N,), set to the mean predictor.
        cumulative: (N, C - 1), set to the probability of at most each level but the highest.
    """
    K, D, C = len(means), means.shape[2], cuts.shape[2]
    most = 0
    for p in range(first, last):
        most = max(most, offsets[p + 1] - offsets[p])
    L, buffer = np.zeros((D, D)), np.empty(D * most, dtype=np.float32)
    f, variance = np.empty(most, dtype=np.float32), np.empty(most, dtype=np.float32)
    for q in range(K):
        X = design(items[q])
        A = np.empty((X.shape[1], X.shape[1]), dtype=np.float32)
        for p in range(first, last):
            own = asked[offsets[p] : offsets[p + 1]]
            seen = rated[rated_offsets[p] : rated_offsets[p + 1]]
            n, start, s = len(own), offsets[p], scales[q, p]
            person_factor(seen, X, item_scales[q], s, lam[q], A, L)
            Y = buffer[: D * n].reshape(D, n)
            moments(own, items[q], means[q, p], L, Y, f[:n], variance[:n])
            for i in range(n):
                noise = s * item_scales[q, own[i]]
                mood = moods[q % len(moods), (start + i) % moods.shape[1]]
                centred = f[i] + mood[0]
                width = 1.0 / math.sqrt(noise * noise + variance[i] + mood[1])
                centre[start + i] += centred / K
                for c in range(C):
                    cut = cuts[q % len(cuts), p % cuts.shape[1], c]
                    cumulative[start + i, c] += cdf((cut - centred) * width) / K
