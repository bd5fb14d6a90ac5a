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
from tastemap.kernels.gibbs.predictive import (
    cut_moments,
    cut_widths,
    gather,
    moments,
    precision_factor,
    rows_of_root,
    unpack,
)
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
    roots: F32,
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
        roots: (K, R), of a new user the roots of `fold_in`, by which the cutpoints vary with the
            row; else (K, 0).
        items: (K, n_items, D). item_scales: (K, n_items). lam: (K, D), prior precisions.
        effect_variance: (K,), variance of the temporal effects.
        gaps: (C - 1,), differences of neighbouring levels; (0,) for numbers.
        variance: float64 (n,), set here.
    """
    K, D, n, C = len(means), means.shape[1], len(targets), len(gaps)
    E = max(rows_of_root(roots.shape[1]), D)
    P, place = (D + WIDTH - 1) // WIDTH * WIDTH, np.arange(len(rated)).astype(np.int32)
    X, rated_scales = np.zeros((len(rated), P), np.float32), np.empty(len(rated), np.float32)
    A, L, Y = np.empty((P, P), np.float32), np.zeros((E, E)), np.empty((D, n), dtype=np.float32)
    G, H = np.empty((E - D, n), np.float32), np.empty((E - D, E - D))
    f, v, total = np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n, np.float32)
    width, by_cut = np.empty((C, n), np.float32), np.empty(C)
    mean, square, within = np.zeros(n), np.zeros(n), np.zeros(n)
    for q in range(K):
        if roots.shape[1]:
            unpack(roots[q], L)
        else:
            gather(rated, items[q], item_scales[q], X, rated_scales)
            precision_factor(place, X, rated_scales, scales[q], lam[q], A, L)
        moments(targets, items[q], means[q], L, Y, f, v)
        for i in range(n):
            total[i] = v[i] + (scales[q] * item_scales[q, targets[i]]) ** 2 + effect_variance[q]
        if E > D:
            cut_moments(L, Y, G, H, total)
        for c in range(C):
            cut_widths(total, G, H, c, width[c])
        for i in range(n):
            expected, left_open = spread_in_draw(
                f[i], v[i], cuts[q % len(cuts)], width[:, i], gaps, G[:, i], H, by_cut
            )
            if unrated[i]:
                noise = scales[q] * item_scales[q, targets[i]]
                slope = by_cut.sum() if C else 1.0
                left_open += slope * slope * max(noise * noise - scales[q] * scales[q], 0.0)
            mean[i] += expected / K
            square[i] += expected * expected / K
            within[i] += left_open / K
    for i in range(n):
        variance[i] = max(square[i] - mean[i] * mean[i], 0.0) + within[i]


@njit(cache=True, nogil=True)
def spread_in_draw(
    f: float, v: float, cuts: F32, width: F32, gaps: F64, g: F32, H: F64, by_cut: F64
) -> tuple[float, float]:
    """The expected rating of an item in a draw, less the highest, and what is open of it.

    Args:
        f, v: Mean and variance of the predictor. cuts: (C - 1,). width: (C - 1,), 1 / deviation.
        gaps: (C - 1,), of levels; of numbers (0,).
        g, H: As `cut_moments` sets them; (0,) and (0, 0) where the cutpoints are certain.
        by_cut: (C - 1,), set to what the expected rating loses where a cutpoint rises.
    """
    if not len(gaps):
        return float(f), float(v)
    expected, slope = 0.0, 0.0
    for c in range(len(gaps)):
        x = (cuts[c] - f) * width[c]
        expected -= gaps[c] * cdf(x)
        by_cut[c] = gaps[c] * math.exp(-0.5 * x * x) * width[c] / ROOT_OF_TWO_PI
        slope += by_cut[c]
    left_open = slope * slope * v
    for m in range(len(g)):
        step = -slope * g[m]
        for c in range(m + 1):
            step += by_cut[c] * H[m, c]
        left_open += step * step
    return expected, left_open
