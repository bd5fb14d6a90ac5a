"""What a user's ratings change in predictions: each left out in turn, the other draws unchanged.

References:
    Golub and Van Loan, "Matrix computations", 2013, section 6.5.1 (Sherman and Morrison: the
    inverse after a change of rank one). Rasmussen and Williams, "Gaussian processes for machine
    learning", 2006, section 5.4.2 (leave-one-out predictions of a Gaussian regression).
"""

import math

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32
from tastemap.kernels.gibbs.normal import add_cdf
from tastemap.kernels.gibbs.predictive import gather, precision_factor
from tastemap.kernels.gibbs.tile import WIDTH

ROOT_OF_TWO, ROOT_OF_TWO_PI = math.sqrt(2.0), math.sqrt(2.0 * math.pi)
# Below this probability the mean of what is cut out of a distribution is the bound next to it.
MIN_MASS = 1e-12


@njit(cache=True, nogil=True)
def leave_one_out(
    targets: I32,
    rated: I32,
    level: I32,
    z: F32,
    means: F32,
    shifts: F32,
    cuts: F32,
    scales: F32,
    items: F32,
    item_scales: F32,
    lam: F32,
    gaps: F64,
    effects: F64,
) -> None:
    """How much each rating of a user raises the expected rating of each target item.

    In a draw the user's row is N(m, A^-1). Without rating i it is N(m - u g, A^-1 + u u' / r), with
    u = A^-1 x_i, h = x_i . u, r = s_i^2 - h, g = (z_i - d_i - m . x_i) / r, and the mean moves by
    the prior's shift, too. With it the mean is m - u g + u (E z - f) / s_i^2, where f is what the
    others predict and E z is the mean of z_i given the rating and f: it takes the place of the z_i
    that was drawn, whose noise the effect would have. The other latent values, the cutpoints and
    the items are those of the draw.

    Args:
        targets: (t,), the items. rated: (n,), the items rated.
        level: (n,), the level of each rating, or (0,) for numbers. z: (K, n), latent values.
        means: (K, D), m.
        shifts: (K, n, D), how far the prior's mean moves if a rating is left out, times lam.
        cuts: (K, C - 1). scales: (K,), noise scales of the user.
        items: (K, n_items, D). item_scales: (K, n_items). lam: (K, D), prior precisions.
        gaps: (C - 1,), differences of neighbouring levels; (0,) for numbers.
        effects: (t, n), set here; of numbers, in units of z.
    """
    K, D, n = len(means), means.shape[1], len(rated)
    P, place = (D + WIDTH - 1) // WIDTH * WIDTH, np.arange(n).astype(np.int32)
    X, s = np.zeros((n, P), np.float32), np.empty(n, np.float32)
    A, L = np.empty((P, P), np.float32), np.zeros((D, D))
    columns, U = np.empty((D, n)), np.empty((n, D))
    rest, gain, loss, lift = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    f, width = np.empty((2, n), np.float32), np.empty((2, n), np.float32)
    effects[:] = 0.0
    for q in range(K):
        gather(rated, items[q], item_scales[q], X, s)
        precision_factor(place, X, s, scales[q], lam[q], A, L)
        solve_all(L, X, columns, U)
        for i in range(n):
            s[i] *= scales[q]
            lift[i] = dot(U[i], shifts[q, i])
        changes(
            rated, level, z[q], means[q], cuts[q % len(cuts)], items[q], X, s, U, rest, gain, loss
        )
        for t in range(len(targets)):
            row = items[q, targets[t]]
            noise = (scales[q] * item_scales[q, targets[t]]) ** 2
            target(row, means[q], L, U, shifts[q], rest, gain, loss, lift, noise, f, width)
            if len(gaps):
                for c in range(len(gaps)):
                    cut, share = cuts[q % len(cuts), c], gaps[c] / K
                    add_cdf(cut, f[0], width[0], share, effects[t])
                    add_cdf(cut, f[1], width[1], -share, effects[t])
            else:
                for i in range(n):
                    effects[t, i] += (f[1, i] - f[0, i]) / K


@njit(cache=True, nogil=True)
def changes(
    rated: I32,
    level: I32,
    z: F32,
    mean: F32,
    cuts: F32,
    items: F32,
    X: F32,
    s: F32,
    U: F64,
    rest: F64,
    gain: F64,
    loss: F64,
) -> None:
    """Set rest to s_i^2 - h, loss to g and gain to (E z - f) / s_i^2 of each rating, (n,)."""
    for i in range(len(rated)):
        variance, h, predicted = float(s[i]) ** 2, U[i, 0], items[rated[i], 0] + mean[0]
        for k in range(1, len(mean)):
            h += U[i, k] * X[i, k]
            predicted += mean[k] * X[i, k]
        rest[i] = max(variance - h, 1e-9)
        loss[i] = (z[i] - predicted) / rest[i]
        others = predicted - h * loss[i]
        drawn = float(z[i])
        if len(level):
            c = level[i]
            lower = cuts[c - 1] if c > 0 else -np.inf
            upper = cuts[c] if c < len(cuts) else np.inf
            drawn = mean_between(others, variance / math.sqrt(rest[i]), lower, upper)
        gain[i] = (drawn - others) / variance


@njit(cache=True, nogil=True)
def target(
    item: F32,
    mean: F32,
    L: F64,
    U: F64,
    shifts: F32,
    rest: F64,
    gain: F64,
    loss: F64,
    lift: F64,
    noise: float,
    f: F32,
    width: F32,
) -> None:
    """Set f (2, n) and width (2, n) of an item: without each rating, and with it."""
    D = len(mean)
    x, y = np.ones(D, np.float32), np.empty(D)
    for k in range(1, D):
        x[k] = item[k]
    solve(L, x, y)
    predicted, variance = float(item[0]), noise
    for k in range(D):
        predicted += mean[k] * x[k]
        variance += y[k] * x[k]
    for i in range(len(rest)):
        c = 0.0
        for k in range(D):
            c += U[i, k] * x[k]
        left = predicted - c * loss[i]
        f[1, i] = left + c * gain[i]
        f[0, i] = left + dot(y, shifts[i]) + c * lift[i] / rest[i]
        width[1, i] = 1.0 / math.sqrt(variance)
        width[0, i] = 1.0 / math.sqrt(variance + c * c / rest[i])


# The compiler may reorder the terms of a sum, to use vector registers.
@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def dot(x: F64, y: F32) -> float:
    """The inner product of x and y, (D,)."""
    total = 0.0
    for k in range(len(x)):
        total += x[k] * y[k]
    return total


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def solve(L: F64, x: F32, u: F64) -> None:
    """Set u (D,) to A^-1 x, where A = L L'; x has at least D numbers."""
    D = len(u)
    for k in range(D):
        total = 0.0
        for m in range(k):
            total += L[k, m] * u[m]
        u[k] = (x[k] - total) / L[k, k]
    for k in range(D - 1, -1, -1):
        u[k] /= L[k, k]
        for m in range(k):
            u[m] -= L[k, m] * u[k]


# The loops over ratings use vector registers.
@njit(cache=True, nogil=True, fastmath={"contract"})
def solve_all(L: F64, X: F32, columns: F64, U: F64) -> None:
    """Set each row of U (n, D) to A^-1 x, x the row of X; columns (D, n) is a buffer."""
    D, n = columns.shape
    for k in range(D):
        y, inverse = columns[k], 1.0 / L[k, k]
        for i in range(n):
            y[i] = X[i, k]
        for m in range(k):
            other, factor = columns[m], L[k, m]
            for i in range(n):
                y[i] -= factor * other[i]
        for i in range(n):
            y[i] *= inverse
    for k in range(D - 1, -1, -1):
        y, inverse = columns[k], 1.0 / L[k, k]
        for m in range(k + 1, D):
            other, factor = columns[m], L[m, k]
            for i in range(n):
                y[i] -= factor * other[i]
        for i in range(n):
            y[i] *= inverse
            U[i, k] = y[i]


@njit(cache=True, nogil=True)
def mean_between(mean: float, scale: float, lower: float, upper: float) -> float:
    """The mean of N(mean, scale^2) between two bounds; next to the mean if nothing is there."""
    a, b = (lower - mean) / scale, (upper - mean) / scale
    sign = 1.0
    if a > 0.0:  # floats represent Phi near 0 more exactly than near 1
        a, b, sign = -b, -a, -1.0
    mass = 0.5 * (math.erfc(-b / ROOT_OF_TWO) - math.erfc(-a / ROOT_OF_TWO))
    if mass < MIN_MASS:
        return min(max(mean, lower), upper)
    density = (math.exp(-0.5 * a * a) - math.exp(-0.5 * b * b)) / ROOT_OF_TWO_PI
    return mean + sign * scale * density / mass
