"""Ordinal ratings: latent values between cutpoints.

References:
    Albert and Chib, "Bayesian analysis of binary and polychotomous response data", JASA 88(422),
    1993, section 4. Cowles, "Accelerating Monte Carlo Markov chain convergence for cumulative-link
    generalized linear models", Statistics and Computing 6, 1996 (cutpoints given the predictor
    alone, the latent values integrated out).
"""

import math

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32, I64
from tastemap.kernels.gibbs.normal import cdf, truncated
from tastemap.kernels.gibbs.random import mixed, normal, uniform

# Stands for an infinite cutpoint.
_FAR = 1e3


@njit(cache=True, nogil=True)
def draw_latent(user: I32, level: I32, s: F32, cuts: F64, key: np.uint64, z: F32, e: F32) -> None:
    """Draw z ~ N(f, s^2) between the cutpoints of the rating's level, where f = z - e.

    Args:
        user, level: (N,), the user and the level (from 0) of each rating.
        s: (N,), noise scale of each rating.
        cuts: (n_users, C - 1), ascending cutpoints of each user.
        key: The random stream of this call.
        z, e: (N,), latent values and residuals; replaced.
    """
    last = cuts.shape[1]
    for i in range(len(z)):
        own = cuts[user[i]]
        f = float(z[i] - e[i])
        lower = own[level[i] - 1] if level[i] > 0 else -_FAR
        upper = own[level[i]] if level[i] < last else _FAR
        drawn = truncated(f, s[i], lower, upper, uniform(key, i))
        z[i] = drawn
        e[i] = drawn - f


@njit(cache=True, nogil=True)
def log_likelihood(level: I32, f: F32, s: F32, cuts: F64) -> float:
    """Sum of log P(level | f, s, cuts) over ratings of one user, the latent z integrated out.

    P(level c) = Phi((cuts[c] - f) / s) - Phi((cuts[c - 1] - f) / s).
    Logarithms are taken of products of up to eight, as they are the slow part.
    """
    last = len(cuts)
    total, product = 0.0, 1.0
    for i in range(len(level)):
        c = level[i]
        above = cdf((cuts[c] - f[i]) / s[i]) if c < last else 1.0
        below = cdf((cuts[c - 1] - f[i]) / s[i]) if c > 0 else 0.0
        product *= max(above - below, 1e-30)
        if i % 8 == 7:
            total += math.log(product)
            product = 1.0
    return total + math.log(product)


@njit(cache=True, nogil=True)
def move_user_cutpoints(
    offsets: I64,
    level: I32,
    f: F32,
    s: F32,
    shared: F64,
    proposals: F64,
    inverse: F64,
    key: np.uint64,
    own: F64,
) -> float:
    """Two Metropolis steps for each user's own part of the cutpoints, delta_a ~ N(0, S).

    The cutpoints of user a are shared + delta_a; the likelihood has z integrated out. A step is
    2 / sqrt(1 + 0.09 n_a tr S) times a proposal's factor times standard normals: the first has
    the shape of S, the second changes the spread of the cutpoints alone.

    Args:
        offsets: (n + 1,), ratings of user a are ``offsets[a]:offsets[a + 1]``.
        level, f, s: (N,), level, predictor and noise scale of each rating, grouped by user.
        shared: (C - 1,), the cutpoints that users share.
        proposals: (2, C - 1, C - 1), a factor (steps = factor @ normals) of each proposal.
        inverse: (C - 1, C - 1), the inverse of S.
        key: The random stream of this call.
        own: (n, C - 1), delta; replaced.

    Returns:
        The share of proposals that were accepted.
    """
    n, C = own.shape
    trace = 0.0
    for c in range(C):
        for d in range(C):
            trace += proposals[0, c, d] ** 2
    tried, cuts, accepted = np.empty(C), np.empty(C), 0
    for a in range(n):
        mine = mixed(key, a)
        rows = slice(offsets[a], offsets[a + 1])
        step = 2.0 / math.sqrt(1.0 + 0.09 * (rows.stop - rows.start) * trace)
        present = log_posterior(level[rows], f[rows], s[rows], shared, own[a], inverse, cuts)
        for p in range(2):
            for c in range(C):
                tried[c] = own[a, c]
                for d in range(C):
                    tried[c] += step * proposals[p, c, d] * normal(mine, p * (C + 1) + d)
            wanted = log_posterior(level[rows], f[rows], s[rows], shared, tried, inverse, cuts)
            if math.log(uniform(mine, p * (C + 1) + C)) < wanted - present:
                present = wanted
                accepted += 1
                for c in range(C):
                    own[a, c] = tried[c]
    return accepted / (2.0 * n)


@njit(cache=True, nogil=True)
def log_posterior(
    level: I32, f: F32, s: F32, shared: F64, own: F64, inverse: F64, cuts: F64
) -> float:
    """Log-likelihood of shared + own cutpoints plus log N(own; 0, S); minus infinity out of order.

    ``cuts`` (C - 1,) is a buffer.
    """
    C = len(own)
    log_prior = 0.0
    for c in range(C):
        cuts[c] = shared[c] + own[c]
        if c > 0 and not cuts[c] > cuts[c - 1]:
            return -np.inf
        for d in range(C):
            log_prior -= 0.5 * own[c] * inverse[c, d] * own[d]
    return log_prior + log_likelihood(level, f, s, cuts)


@njit(cache=True, nogil=True)
def all_log_likelihood(offsets: I64, level: I32, f: F32, s: F32, cuts: F64) -> float:
    """Log-likelihood of all ratings, for cutpoints (n, C - 1) of each user.

    Minus infinity if those of a user are out of order; other arguments as above.
    """
    n, C = cuts.shape
    total = 0.0
    for a in range(n):
        for c in range(1, C):
            if not cuts[a, c] > cuts[a, c - 1]:
                return -np.inf
        rows = slice(offsets[a], offsets[a + 1])
        total += log_likelihood(level[rows], f[rows], s[rows], cuts[a])
    return total
