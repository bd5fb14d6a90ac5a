"""Temporal effects: Ornstein-Uhlenbeck processes along the times of each user's ratings.

References:
    Uhlenbeck and Ornstein, "On the theory of the Brownian motion", Physical Review 36, 1930.
    Carter and Kohn, "On Gibbs sampling for state space models", Biometrika 81(3), 1994 (forward
    filter, backward sampling).
"""

import math

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32, I64
from tastemap.kernels.gibbs.random import gamma, mixed, normal


def decays(indptr: I64, time: F64, tau: float) -> F64:
    """C = exp(-(t_n - t_n-1) / tau) of each node (M,); the first node of a user has 0."""
    decay = np.exp(-np.diff(time, prepend=0.0).clip(min=0.0) / tau)
    decay[indptr[:-1][indptr[:-1] < indptr[1:]]] = 0.0
    return decay


@njit(cache=True, nogil=True)
def draw_effects(
    indptr: I64,
    decay: F64,
    total: F64,
    weight: F64,
    shape: float,
    scale: float,
    key: np.uint64,
    v: F32,
    h: F32,
) -> None:
    """Draw one process of every user, and its variance, given the ratings.

    The process of user a has mean 0, variance v_a and correlation exp(-|t - t'| / tau). Along its
    nodes t_1 < t_2 < ..., with c = exp(-(t_n - t_n-1) / tau),
    h_n | h_n-1 ~ N(c h_n-1, v_a (1 - c^2)); the ratings of a node have the likelihood
    N(total / weight, 1 / weight). Forward: mean and variance of h_n given all ratings up to n.
    Backward: h_n given h_n+1.
    Then v_a ~ InvGamma(shape + n / 2, scale + half the sum of the standardised squared steps).

    Args:
        indptr: (n + 1,), user a has the nodes ``indptr[a]:indptr[a + 1]``, ascending in time.
        decay: (M,), c of each node, from `decays`.
        total, weight: (M,), sums of w e and of w over the ratings of each node, without this h.
        shape, scale: Of the prior of v_a, an inverse gamma distribution.
        key: The random stream of this call.
        v: (n,), variances; replaced. h: (M,), the process; replaced.
    """
    longest = 0
    for a in range(len(v)):
        longest = max(longest, indptr[a + 1] - indptr[a])
    mean, variance = np.empty(longest), np.empty(longest)
    for a in range(len(v)):
        start, n, stream = indptr[a], indptr[a + 1] - indptr[a], mixed(key, a)
        m, p = 0.0, float(v[a])
        for k in range(n):
            if k > 0:
                c = decay[start + k]
                m, p = c * m, c * c * p + v[a] * (1.0 - c * c)
            gain = p / (1.0 + p * weight[start + k])
            m += gain * (total[start + k] - weight[start + k] * m)
            p = gain
            mean[k], variance[k] = m, p
        squares = 0.0
        for k in range(n - 1, -1, -1):
            m, p = mean[k], variance[k]
            if k < n - 1:
                c = decay[start + k + 1]
                ahead = v[a] * (1.0 - c * c) + 1e-9
                gain = p * c / (c * c * p + ahead)
                m, p = m + gain * (h[start + k + 1] - c * m), p * ahead / (c * c * p + ahead)
            h[start + k] = m + math.sqrt(p) * normal(stream, k)
            if k < n - 1:
                squares += (h[start + k + 1] - c * h[start + k]) ** 2 / (1.0 - c * c + 1e-9)
        if n:
            squares += h[start] ** 2
        v[a] = (scale + 0.5 * squares) / gamma(stream, n, shape + 0.5 * n)


@njit(cache=True, nogil=True)
def sum_over_nodes(node: I32, e: F32, w: F32, h: F32, total: F64, weight: F64) -> None:
    """Sums over the ratings of each node: of w (e + h) and of w, e being the residual without h."""
    total[:] = 0.0
    weight[:] = 0.0
    for i in range(len(node)):
        total[node[i]] += w[i] * (e[i] + h[node[i]])
        weight[node[i]] += w[i]


@njit(cache=True, nogil=True)
def effect_at(first: int, last: int, time: F64, t: float, tau: float, v: float, h: F32) -> F64:
    """Mean and variance of the process of one user at time t, given its values at the nodes.

    With the correlations a and b of the process at t with the nodes before and after it, it is
    N(A h_before + B h_after, v (1 - a A - b B)) with A = a (1 - b^2) / (1 - a^2 b^2) and
    B = b (1 - a^2) / (1 - a^2 b^2).
    """
    after = first + np.searchsorted(time[first:last], t)
    if after < last and time[after] == t:
        return np.array([h[after], 0.0])
    a = math.exp((time[after - 1] - t) / tau) if after > first else 0.0
    b = math.exp((t - time[after]) / tau) if after < last else 0.0
    common = max(1.0 - a * a * b * b, 1e-9)
    before, behind = a * (1.0 - b * b) / common, b * (1.0 - a * a) / common
    mean = 0.0
    if after > first:
        mean += before * h[after - 1]
    if after < last:
        mean += behind * h[after]
    return np.array([mean, max(v * (1.0 - a * before - b * behind), 0.0)])


@njit(cache=True, nogil=True)
def effects_at(
    indptr: I64, time: F64, user: I32, t: F64, tau: F64, v: F32, h: F32, out: F64
) -> None:
    """Add to out (N, 2) mean and variance of the sum of all processes, for users and times.

    Args:
        indptr: As in `draw_effects`. time: (M,), of the nodes.
        user, t: (N,), users and times; user -1 has no nodes and the typical variance.
        tau: (c,). v: (c, n + 1), the last the typical variance. h: (c, M).
        out: (N, 2).
    """
    for i in range(len(user)):
        a = user[i] if user[i] >= 0 else v.shape[1] - 1
        first, last = (indptr[a], indptr[a + 1]) if user[i] >= 0 else (0, 0)
        for c in range(len(tau)):
            moments = effect_at(first, last, time, t[i], tau[c], v[c, a], h[c])
            out[i, 0] += moments[0]
            out[i, 1] += moments[1]
