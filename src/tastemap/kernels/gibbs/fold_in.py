"""Fold-in of a new user: row and cutpoints given their ratings, for each draw of the items.

References:
    Pratt, "Concavity of the log likelihood", JASA 76(373), 1981 (there is one mode). Tierney and
    Kadane, "Accurate approximations for posterior moments and marginal densities", JASA 81(393),
    1986 (from the mode to the mean by third derivatives).
"""

import math

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32
from tastemap.kernels.gibbs.predictive import cut_moments, moments
from tastemap.kernels.gibbs.statistics import design
from tastemap.kernels.gibbs.tile import WIDTH, weighted_gram

ROOT_OF_TWO, ROOT_OF_TWO_PI = math.sqrt(2.0), math.sqrt(2.0 * math.pi)
# Newton's steps are quadratic: after one of this squared length, in deviations of the posterior,
# the next would be nothing beside these.
MAX_STEPS, MAX_HALVINGS, LAST_STEP = 40, 30, 5e-2
# Of the logarithm of the posterior, relative to it.
MIN_GAIN = 1e-9
MIN_PROBABILITY, MIN_PIVOT, MIN_GAP = 1e-300, 1e-12, 0.01
# Of numbers in a vector register, and of rows that are factorised together.
LANES, BLOCK = 8, 4


@njit(cache=True, nogil=True)
def fold_in(
    level: I32,
    z: F32,
    priors: F32,
    items: F32,
    scales: F32,
    lam: F32,
    sigma: F32,
    shared: F64,
    inverse: F64,
    means: F32,
    cuts: F32,
    roots: F32,
    latent: F32,
) -> None:
    """The posterior of a user's row w and of the deviation delta of their cutpoints, as normal.

    In a draw w ~ N(prior, 1 / lam), delta ~ N(0, S), and rating j is the level between whose
    cutpoints shared + delta a number from N(d_j + w . x_j, (sigma s_j)^2) falls; of numbers, it is
    that number. Steps begin at the predictors of the draw before, which mean the same in each.

    Args:
        level: (n,), the level of each rating, or (0,) for numbers.
        z: (n,), standardised ratings of numbers.
        priors: (K, D), the mean of the user's row before any rating, for each draw.
        items: (K, n, D), the rows of the items rated. scales: (K, n), their noise scales.
        lam: (K, D), prior precisions. sigma: (K,), noise scale of the average user.
        shared: (K, C), shared cutpoints; C = 0 for numbers. inverse: (K, C, C), of S.
        means, cuts: (K, D) and (K, C), set to the means of the row and of the cutpoints.
        roots: (K, (D + C) (D + C + 1) / 2), set to the Cholesky factors of the precisions of
            (w, delta), their lower triangles row by row.
        latent: (K, n), set to the means of the latent values given the ratings and these means.
    """
    K, n, D = items.shape
    E = D + shared.shape[1]
    P = (D + WIDTH - 1) // WIDTH * WIDTH
    buffers = (np.empty((P, P), np.float32), np.empty((E - D + 1, P), np.float32), np.empty(E))
    U, b = np.zeros((E, (E + LANES - 1) // LANES * LANES)), buffers[2]
    theta, f, s, derivatives = np.zeros(E), np.zeros(n), np.empty(n), np.zeros((4, n))
    for q in range(K):
        X = design(items[q])
        for j in range(n):
            s[j] = sigma[q] * scales[q, j]
        problem = (level, z, items[q], X, s, priors[q], lam[q], shared[q], inverse[q])
        if q == 0 or not mode(*problem, False, theta, f, derivatives, U, *buffers):
            begin(priors[q], items[q], shared[q], theta, f)
            mode(*problem, True, theta, f, derivatives, U, *buffers)
        to_mean(level, items[q], s, derivatives, U, theta, b)
        pack(U, roots[q])
        for k in range(D):
            means[q, k] = theta[k] + b[k]
        for c in range(E - D):
            cuts[q, c] = shared[q, c] + theta[D + c] + b[D + c]
        mean_latent(level, z, items[q], s, derivatives, means[q], latent[q])


@njit(cache=True, nogil=True)
def pack(U: F64, root: F32) -> None:
    """Set a root to the lower triangle of U', row by row."""
    at = 0
    for e in range(len(U)):
        for k in range(e + 1):
            root[at] = U[k, e]
            at += 1


@njit(cache=True, nogil=True)
def mean_latent(
    level: I32, z: F32, items: F32, s: F64, derivatives: F64, row: F32, latent: F32
) -> None:
    """Set latent (n,) to the means of the latent values: d_j + w . x_j, and what the level adds."""
    for j in range(len(latent)):
        total = items[j, 0] + row[0] + s[j] * (derivatives[3, j] - derivatives[2, j])
        for k in range(1, len(row)):
            total += row[k] * items[j, k]
        latent[j] = total if len(level) else z[j]


@njit(cache=True, nogil=True)
def begin(prior: F32, items: F32, shared: F64, theta: F64, f: F64) -> None:
    """Set theta (E,) to the prior's mean, and f (n,) to its predictors of the items (n, D).

    Shared cutpoints need not ascend, those of a user do: these are moved apart where they must be.
    """
    D, last = len(prior), -np.inf
    for k in range(D):
        theta[k] = prior[k]
    for c in range(len(shared)):
        last = max(shared[c], last + MIN_GAP)
        theta[D + c] = last - shared[c]
    predictor(items, theta, f)


@njit(cache=True, nogil=True)
def mode(
    level: I32,
    z: F32,
    items: F32,
    X: F32,
    s: F64,
    prior: F32,
    lam: F32,
    shared: F64,
    inverse: F64,
    is_whole: bool,
    theta: F64,
    f: F64,
    derivatives: F64,
    U: F64,
    A: F32,
    sums: F32,
    b: F64,
) -> bool:
    """Newton's steps to the mode of (w, delta), halved until they lead upwards.

    Args:
        is_whole: Whether f are the predictors of theta. If not, they and its cutpoints are only a
            place to begin at; a first step that puts cutpoints out of order is none.
        theta: (D + C,), (w, delta); replaced by the mode. f: (n,), predictors, likewise.
        derivatives: (4, n), set as in `likelihood`, before the last step.
        U: (D + C, at least D + C), set to the factor of the precision U' U, before the last step.
        A, sums, b: (P, P), (C + 1, P) and (D + C,), buffers.

    Returns:
        False if the place to begin at was of no use.
    """
    n, D, E = len(f), len(lam), len(theta)
    old, old_f, value = np.empty(E), np.empty(n), -np.inf
    weight, place = np.empty(n, np.float32), np.arange(n).astype(np.int32)
    ratings = (level, z, s, shared, prior, lam, inverse)
    for step in range(MAX_STEPS):
        now = climb(*ratings, value, old, old_f, theta, f, derivatives)
        if now == -np.inf:
            return False
        value = now if step > 0 or is_whole else -np.inf
        normal_equations(level, X, items, s, derivatives, f, theta, D, weight, sums, U, b)
        weighted_gram(X, place, weight, A)
        assemble(A, sums, prior, lam, inverse, U, b)
        factorise(U)
        for e in range(E):
            old[e], theta[e] = theta[e], b[e]
        for j in range(n):
            old_f[j] = f[j]
        solve(U, theta)
        predictor(items, theta, f)
        if squared_length(weight, f, old_f, U, theta, old, D) < LAST_STEP or not len(level):
            break
    return True


@njit(cache=True, nogil=True)
def climb(
    level: I32,
    z: F32,
    s: F64,
    shared: F64,
    prior: F32,
    lam: F32,
    inverse: F64,
    value: float,
    old: F64,
    old_f: F64,
    theta: F64,
    f: F64,
    derivatives: F64,
) -> float:
    """Halve the step from old (E,) to theta until the logarithm of the posterior is no less.

    Returns it; ``value`` is that of old. The predictors old_f and f (n,) go with these, and
    derivatives are set as in `likelihood`.
    """
    D, now = len(lam), -np.inf
    for _ in range(MAX_HALVINGS):
        now = likelihood(level, z, f, s, shared, theta[D:], derivatives)
        now += log_prior(theta, prior, lam, inverse)
        if now >= value - MIN_GAIN * abs(value):
            break
        for e in range(len(theta)):
            theta[e] = 0.5 * (theta[e] + old[e])
        for j in range(len(f)):
            f[j] = 0.5 * (f[j] + old_f[j])
    return now


@njit(cache=True, nogil=True)
def assemble(A: F32, sums: F32, prior: F32, lam: F32, inverse: F64, U: F64, b: F64) -> None:
    """Set U and b to the precision and the right side, with the prior, from `normal_equations`."""
    D, C = len(lam), len(inverse)
    for k in range(D):
        b[k] = sums[0, k] + lam[k] * prior[k]
        for m in range(k + 1):
            U[m, k] = A[k, m]
        U[k, k] += lam[k]
        for c in range(C):
            U[k, D + c] = sums[c + 1, k]
    for c in range(C):
        for m in range(c, C):
            U[D + c, D + m] += inverse[c, m]


@njit(cache=True, nogil=True)
def squared_length(weight: F32, f: F64, old_f: F64, U: F64, theta: F64, old: F64, D: int) -> float:
    """How far a step has led, in deviations of the posterior, nearly."""
    total = 0.0
    for j in range(len(f)):
        total += weight[j] * (f[j] - old_f[j]) ** 2
    for c in range(D, len(theta)):
        total += (U[c, c] * (theta[c] - old[c])) ** 2
    return total


@njit(cache=True, nogil=True)
def log_prior(theta: F64, prior: F32, lam: F32, inverse: F64) -> float:
    """The logarithm of N(w; prior, 1 / lam) N(delta; 0, S), but for a constant."""
    D, total = len(lam), 0.0
    for k in range(D):
        total -= 0.5 * lam[k] * (theta[k] - prior[k]) ** 2
    for c in range(len(inverse)):
        for m in range(len(inverse)):
            total -= 0.5 * theta[D + c] * inverse[c, m] * theta[D + m]
    return total


@njit(cache=True, nogil=True)
def likelihood(
    level: I32, z: F32, f: F64, s: F64, shared: F64, delta: F64, derivatives: F64
) -> float:
    """The logarithm of the likelihood of ratings (n,) given predictors f and scales s.

    Minus infinity if the cutpoints of a rating's level are out of order.

    Args:
        derivatives: (4, n), set to u = (kappa_c - f) / s, l = (kappa_c-1 - f) / s, and the
            logarithm's derivatives by u and, its sign changed, by l. Of numbers u is (z - f) / s.
    """
    n, last, value = len(f), len(shared), 0.0
    for j in range(n):
        if not len(level):
            u = (z[j] - f[j]) / s[j]
            value -= 0.5 * u * u
            derivatives[0, j], derivatives[2, j] = u, -u
            continue
        c = level[j]
        u = (shared[c] + delta[c] - f[j]) / s[j] if c < last else np.inf
        low = (shared[c - 1] + delta[c - 1] - f[j]) / s[j] if c > 0 else -np.inf
        if not u > low:
            return -np.inf
        # Floats represent Phi near 0 more exactly than near 1.
        above, below = (-low, -u) if low > 0 else (u, low)
        p = 0.5 * (math.erfc(-above / ROOT_OF_TWO) - math.erfc(-below / ROOT_OF_TWO))
        p = max(p, MIN_PROBABILITY)
        value += math.log(p)
        derivatives[0, j], derivatives[1, j] = u, low
        derivatives[2, j] = math.exp(-0.5 * u * u) / (ROOT_OF_TWO_PI * p) if c < last else 0.0
        derivatives[3, j] = math.exp(-0.5 * low * low) / (ROOT_OF_TWO_PI * p) if c > 0 else 0.0
    return value


@njit(cache=True, nogil=True)
def normal_equations(
    level: I32,
    X: F32,
    items: F32,
    s: F64,
    derivatives: F64,
    f: F64,
    theta: F64,
    D: int,
    weight: F32,
    sums: F32,
    U: F64,
    b: F64,
) -> None:
    """What the ratings say at predictors f and cutpoints theta, without the prior.

    Sets the weights (n,) of x_j x_j' in the precision, and sums (C + 1, P): first what the right
    side has of the row, then the rows of the precision of the cutpoints. The part of both that is
    of cutpoints alone is set in b and U.
    """
    C = len(b) - D
    for c in range(C + 1):
        for k in range(sums.shape[1]):
            sums[c, k] = np.float32(0.0)
    for c in range(D, D + C):
        b[c] = 0.0
        for m in range(c, D + C):
            U[c, m] = 0.0
    for j in range(len(f)):
        u, low, by_u, by_l = (
            derivatives[0, j],
            derivatives[1, j],
            derivatives[2, j],
            derivatives[3, j],
        )
        w, c = 1.0 / (s[j] * s[j]), D + level[j] if C else 0
        uu, ll, ul = 1.0, 0.0, 0.0
        if C:
            uu = by_u * (u + by_u) if by_u > 0 else 0.0
            ll = by_l * (by_l - low) if by_l > 0 else 0.0
            ul = -by_u * by_l
        shift, both = f[j] - items[j, 0], max(uu + ll + 2 * ul, 0.0) * w
        weight[j] = both
        t = (by_l - by_u) / s[j] + both * shift
        if C and c < D + C:
            up, delta = -(uu + ul) * w, theta[c]
            t += up * delta
            b[c] += by_u / s[j] + up * shift + uu * w * delta
            U[c, c] += uu * w
            add_multiple(up, X[j], sums[c - D + 1])
        if C and c > D:
            down, delta = -(ll + ul) * w, theta[c - 1]
            t += down * delta
            b[c - 1] += -by_l / s[j] + down * shift + ll * w * delta
            U[c - 1, c - 1] += ll * w
            add_multiple(down, X[j], sums[c - D])
        if C and D < c < D + C:
            b[c] += ul * w * theta[c - 1]
            b[c - 1] += ul * w * theta[c]
            U[c - 1, c] += ul * w
        add_multiple(t, X[j], sums[0])


@njit(cache=True, nogil=True, fastmath={"contract"})
def add_multiple(factor: float, x: F32, total: F32) -> None:
    """Add factor x to total; both have a multiple of 16 numbers."""
    times = np.float32(factor)
    for first in range(0, len(total), WIDTH):
        for k in range(WIDTH):
            total[first + k] += times * x[first + k]


@njit(cache=True, nogil=True)
def to_mean(
    level: I32,
    items: F32,
    s: F64,
    derivatives: F64,
    U: F64,
    theta: F64,
    b: F64,
) -> None:
    """Set b (E,) to the way from the mode to the mean: half V times third derivatives along V.

    V = A^-1 and A = U' U.
    """
    n, D, E = len(s), items.shape[1], len(b)
    for k in range(E):
        b[k] = 0.0
    if not len(level):
        return
    L, C = np.empty((E, E)), E - D
    for e in range(E):
        for k in range(e + 1):
            L[e, k] = U[k, e]
    Y, G, H = np.empty((D, n), np.float32), np.empty((C, n), np.float32), np.empty((C, C))
    f, variance = np.empty(n, np.float32), np.empty(n, np.float32)
    place, row = np.arange(n).astype(np.int32), theta[:D].astype(np.float32)
    moments(place, items, row, L, Y, f, variance)
    cut_moments(L, Y, G, H, variance)
    for j in range(n):
        c, by_u, by_l = level[j], derivatives[2, j], derivatives[3, j]
        uuu, uul, ull, lll = third_derivatives(derivatives[0, j], derivatives[1, j], by_u, by_l)
        uu, ll, ul = float(variance[j]), float(variance[j]), float(variance[j])
        for m in range(C):
            g = float(G[m, j])
            above, below = H[m, c] if by_u > 0 else 0.0, H[m, c - 1] if by_l > 0 else 0.0
            uu += above * (above - 2 * g)
            ll += below * (below - 2 * g)
            ul += above * below - (above + below) * g
        w = 0.5 / s[j] ** 3
        up, down = (
            w * (uuu * uu + 2 * uul * ul + ull * ll),
            w * (uul * uu + 2 * ull * ul + lll * ll),
        )
        b[0] -= up + down
        for k in range(1, D):
            b[k] -= (up + down) * items[j, k]
        b[D + c if c < C else 0] += up
        b[D + c - 1 if c > 0 else 0] += down
    solve(U, b)


@njit(cache=True, nogil=True)
def third_derivatives(
    u: float, low: float, by_u: float, by_l: float
) -> tuple[float, float, float, float]:
    """Of the logarithm by u and l: uuu, uul, ull, lll; 0 of a cutpoint that there is not."""
    has_u, has_l = by_u > 0, by_l > 0
    uu = by_u * (u + by_u) if has_u else 0.0
    ll = by_l * (by_l - low) if has_l else 0.0
    uuu = -by_u + (u + 2 * by_u) * uu if has_u else 0.0
    lll = by_l + (low - 2 * by_l) * ll if has_l else 0.0
    uul = -(u + 2 * by_u) * by_u * by_l if has_u and has_l else 0.0
    ull = by_u * by_l * by_l + by_u * ll if has_u and has_l else 0.0
    return uuu, uul, ull, lll


# The compiler may reorder the terms of a sum, to use vector registers.
@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def predictor(items: F32, theta: F64, f: F64) -> None:
    """Set f (n,) to d_j + w . x_j for each of the items (n, D), w the first D numbers of theta."""
    for i in range(len(items)):
        item = items[i]
        total = item[0] + theta[0]
        for k in range(1, len(item)):
            total += item[k] * theta[k]
        f[i] = total


# Loops over whole vector registers, four rows at a time: what a row has to the left of the diagonal
# is nothing.
@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def factorise(U: F64) -> None:
    """Replace the upper triangle of a matrix A by that of U, where A = U' U.

    U has as many columns as rows, and zeros up to a multiple of 8.
    """
    E = len(U)
    for start in range(0, E, BLOCK):
        end = min(start + BLOCK, E)
        factorise_rows(U, start, end)
        for i in range(end, E):
            row, a, b = U[i], U[start, i], U[start + 1, i]
            c, d = U[start + 2, i], U[start + 3, i]
            ta, tb, tc, td = U[start], U[start + 1], U[start + 2], U[start + 3]
            for first in range(i // LANES * LANES, len(row), LANES):
                for p in range(LANES):
                    at = first + p
                    row[at] -= a * ta[at] + b * tb[at] + c * tc[at] + d * td[at]


@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def factorise_rows(U: F64, start: int, end: int) -> None:
    """Rows start to end - 1 of U, from which the rows above are taken already."""
    first = start // LANES * LANES
    for k in range(start, end):
        top = U[k]
        top[k] = max(top[k], MIN_PIVOT)
        inverse = 1.0 / math.sqrt(top[k])
        for v in range(first, len(top), LANES):
            for lane in range(LANES):
                top[v + lane] *= inverse
        for i in range(k + 1, end):
            row, factor = U[i], top[i]
            for v in range(first, len(top), LANES):
                for lane in range(LANES):
                    row[v + lane] -= factor * top[v + lane]


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def solve(U: F64, x: F64) -> None:
    """Replace x (E,) by A^-1 x, where A = U' U."""
    E = len(x)
    for k in range(E):
        row = U[k]
        x[k] /= row[k]
        y = x[k]
        for m in range(k + 1, E):
            x[m] -= y * row[m]
    for k in range(E - 1, -1, -1):
        row, total = U[k], x[k]
        for m in range(k + 1, E):
            total -= row[m] * x[m]
        x[k] = total / row[k]
