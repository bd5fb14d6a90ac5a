"""How far expected ratings vary over the posterior: between draws, and within each.

References:
    Gelman, Carlin, Stern, Dunson, Vehtari, Rubin, "Bayesian data analysis", 2013, equations 1.8 and
    1.9 (a variance is that of the conditional means, and the mean of the conditional variances).
"""

import math

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32, Mask
from tastemap.kernels.gibbs.normal import cdf
from tastemap.kernels.gibbs.predictive import gather, moments, precision_factor
from tastemap.kernels.gibbs.tile import WIDTH

ROOT_OF_TWO_PI = math.sqrt(2.0 * math.pi)


@njit(cache=True, nogil=True)
def expected_spread(
    targets: I32,
    unrated: Mask,
    rated: I32,
    means: F32,
    cuts: F32,
    scales: F32,
    items: F32,
    item_scales: F32,
    lam: F32,
    effect_variance: F32,
    gaps: F64,
    variance: F64,
) -> None:
    """Variances of the expected ratings of items for one user, less the noise of a rating.

    In each draw the predictor of item j is N(f, v) given the draw's items, and the rating's mean is
    E(f) = highest - the sum over the levels c of gap_c Phi((kappa_c - f) / d), with
    d^2 = (s s_j)^2 + v + the temporal effects' variance. The variance is that of E over the draws,
    and the mean over the draws of E'(f)^2 v: what the draw leaves open of the user. Of numbers, E
    is f. The noise scale of an item that nobody has rated holds what such an item may be else: what
    it has above 1 counts as open, too.

    Args:
        targets: int32 (n,), the items. unrated: (n,), whether nobody has rated each.
        rated: int32 (r,), the items that the user has rated.
        means: (K, D). cuts: (K, C - 1), or (1, C - 1) if all draws have the same. scales: (K,).
        items: (K, n_items, D). item_scales: (K, n_items). lam: (K, D), prior precisions.
        effect_variance: (K,), variance of the temporal effects.
        gaps: (C - 1,), differences of neighbouring levels; (0,) for numbers.
        variance: float64 (n,), set here.
    """
    K, D, n, C = len(means), means.shape[1], len(targets), len(gaps)
    P, place = (D + WIDTH - 1) // WIDTH * WIDTH, np.arange(len(rated)).astype(np.int32)
    X, rated_scales = np.zeros((len(rated), P), np.float32), np.empty(len(rated), np.float32)
    A, L, Y = np.empty((P, P), np.float32), np.zeros((D, D)), np.empty((D, n), dtype=np.float32)
    f, v = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.float32)
    mean, square, within = np.zeros(n), np.zeros(n), np.zeros(n)
    for q in range(K):
        gather(rated, items[q], item_scales[q], X, rated_scales)
        precision_factor(place, X, rated_scales, scales[q], lam[q], A, L)
        moments(targets, items[q], means[q], L, Y, f, v)
        for i in range(n):
            expected, slope = float(f[i]), 1.0
            noise = scales[q] * item_scales[q, targets[i]]
            left_open = float(v[i])
            if unrated[i]:
                left_open += max(noise * noise - scales[q] * scales[q], 0.0)
            if C:
                expected, slope = 0.0, 0.0
                width = 1.0 / math.sqrt(noise * noise + v[i] + effect_variance[q])
                for c in range(C):
                    x = (cuts[q % len(cuts), c] - f[i]) * width
                    expected -= gaps[c] * cdf(x)
                    slope += gaps[c] * math.exp(-0.5 * x * x) * width / ROOT_OF_TWO_PI
            mean[i] += expected / K
            square[i] += expected * expected / K
            within[i] += slope * slope * left_open / K
    for i in range(n):
        variance[i] = max(square[i] - mean[i] * mean[i], 0.0) + within[i]
