"""Ordinal ratings: latent values between cutpoints.

References:
    Albert and Chib, "Bayesian analysis of binary and polychotomous response data", JASA 88(422),
    1993, section 4. Cowles, "Accelerating Monte Carlo Markov chain convergence for cumulative-link
    generalized linear models", Statistics and Computing 6, 1996 (cutpoints given the predictor
    alone, with the latent values integrated out).
"""

import math

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32, I64
from tastemap.kernels.gibbs.normal import cdf, truncated
from tastemap.kernels.gibbs.random import mixed, normal, uniform

# The cutpoint above the highest level; its negative is the one below the lowest.
OUTER_CUTPOINT = 1e3


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
        user_cuts = cuts[user[i]]
        f = float(z[i] - e[i])
        lower = user_cuts[level[i] - 1] if level[i] > 0 else -OUTER_CUTPOINT
        upper = user_cuts[level[i]] if level[i] < last else OUTER_CUTPOINT
        draw = truncated(f, s[i], lower, upper, uniform(key, i))
        z[i] = draw
        e[i] = draw - f


@njit(cache=True, nogil=True)
def log_likelihood(level: I32, f: F32, s: F32, cuts: F64) -> float:
    """Sum of log P(level | f, s, cuts) over the ratings of one user, with z integrated out.

    P(level c) = Phi((cuts[c] - f) / s) - Phi((cuts[c - 1] - f) / s).
    Logarithms are slow, so each is taken of a product of up to eight probabilities.
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
    indptr: I64,
    level: I32,
    f: F32,
    s: F32,
    shared: F64,
    proposals: F64,
    inverse: F64,
    key: np.uint64,
    delta: F64,
) -> float:
    """Two Metropolis steps for each user's deviation from the shared cutpoints, delta_a ~ N(0, S).

    The cutpoints of user a are shared + delta_a; z is integrated out of the likelihood. A step is
    2 / sqrt(1 + 0.09 n_a tr S) times a proposal's factor times standard normals. The first
    proposal has the shape of S, the second changes only the spread of the cutpoints.

    Args:
        indptr: (n + 1,), ratings of user a are ``indptr[a]:indptr[a + 1]``.
        level, f, s: (N,), level, predictor and noise scale of each rating, grouped by user.
        shared: (C - 1,), the shared cutpoints.
        proposals: (2, C - 1, C - 1), a lower triangular factor (steps = factor @ normals) of each
            proposal.
        inverse: (C - 1, C - 1), the inverse of S.
        key: The random stream of this call.
        delta: (n, C - 1); replaced.

    Returns:
        The share of proposals that were accepted.
    """
    n, C = delta.shape
    trace = 0.0
    for c in range(C):
        for d in range(C):
            trace += proposals[0, c, d] ** 2
    proposal, cuts, noise, accepted = np.empty(C), np.empty(C), np.empty(C), 0
    for a in range(n):
        stream = mixed(key, a)
        rows = slice(indptr[a], indptr[a + 1])
        step = 2.0 / math.sqrt(1.0 + 0.09 * (rows.stop - rows.start) * trace)
        current = log_posterior(level[rows], f[rows], s[rows], shared, delta[a], inverse, cuts)
        for p in range(2):
            for c in range(C):
                noise[c] = step * normal(stream, p * (C + 1) + c)
                proposal[c] = delta[a, c]
                for d in range(c + 1):
                    proposal[c] += proposals[p, c, d] * noise[d]
            proposed = log_posterior(level[rows], f[rows], s[rows], shared, proposal, inverse, cuts)
            if math.log(uniform(stream, p * (C + 1) + C)) < proposed - current:
                current = proposed
                accepted += 1
                for c in range(C):
                    delta[a, c] = proposal[c]
    return accepted / (2.0 * n)


@njit(cache=True, nogil=True)
def log_posterior(
    level: I32, f: F32, s: F32, shared: F64, delta: F64, inverse: F64, cuts: F64
) -> float:
    """Log-likelihood at shared + delta plus log N(delta; 0, S); minus infinity if out of order.

    ``cuts`` (C - 1,) is a buffer.
    """
    C = len(delta)
    log_prior = 0.0
    for c in range(C):
        cuts[c] = shared[c] + delta[c]
        if c > 0 and not cuts[c] > cuts[c - 1]:
            return -np.inf
        for d in range(C):
            log_prior -= 0.5 * delta[c] * inverse[c, d] * delta[d]
    return log_prior + log_likelihood(level, f, s, cuts)


@njit(cache=True, nogil=True)
def all_log_likelihood(indptr: I64, level: I32, f: F32, s: F32, cuts: F64) -> float:
    """Log-likelihood of all ratings, for cutpoints (n, C - 1) of each user.

    Minus infinity if the cutpoints of a user are out of order. Other arguments as above.
    """
    n, C = cuts.shape
    total = 0.0
    for a in range(n):
        for c in range(1, C):
            if not cuts[a, c] > cuts[a, c - 1]:
                return -np.inf
        rows = slice(indptr[a], indptr[a + 1])
        total += log_likelihood(level[rows], f[rows], s[rows], cuts[a])
    return total
