"""Fold-in of a new user: row and cutpoints from ratings, for each draw of the items."""

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32
from tastemap.kernels.gibbs.ordinal import draw_latent, move_user_cutpoints
from tastemap.kernels.gibbs.predictive import precision_factor
from tastemap.kernels.gibbs.random import mixed
from tastemap.kernels.gibbs.rows import draw_gaussian
from tastemap.kernels.gibbs.statistics import design

# Sweeps at the first draw of the items, in units of those at each other draw.
BURN_IN_FACTOR = 5


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
    proposals: F64,
    inverse: F64,
    sweeps: int,
    key: np.uint64,
    means: F32,
    cuts: F64,
    latent: F32,
) -> None:
    """Gibbs sweeps over the latent values, row and cutpoints of one user.

    Latent values and cutpoints are carried from one draw of the items to the next: they mean the
    same in each. The user's noise scale stays that of the average user. Loops fill the arrays here,
    because Numba takes seconds to compile an assignment of whole rows.

    Args:
        level: (n,), the level of each rating, or (0,) for numbers.
        z: (n,), standardised ratings of numbers; for ordinal ratings any start, replaced.
        priors: (K, D), the mean of the user's row before any rating, for each draw.
        items: (K, n, D), the rows of the items rated. scales: (K, n), their noise scales.
        lam: (K, D), prior precisions. sigma: (K,), noise scale of the average user.
        shared: (K, C - 1), shared cutpoints.
        proposals: (K, 2, C - 1, C - 1), as in `move_user_cutpoints`. inverse: (K, C - 1, C - 1), of
            S.
        sweeps: Sweeps for each draw of the items.
        key: The random stream of this call.
        means, cuts: (K, D) and (K, C - 1), set to the mean of the row given the last z, and to the
            user's cutpoints.
        latent: (K, n), set to the last z.
    """
    K, n, D = items.shape
    C = shared.shape[1]
    delta, place = np.zeros((1, C)), np.empty(n, np.int32)
    L, mean, row, b = np.zeros((D, D)), np.zeros(D), np.zeros(D), np.empty(D)
    f, s = np.zeros(n, np.float32), np.empty(n, np.float32)
    for i in range(n):
        place[i] = i
    for k in range(D):
        row[k] = priors[0, k]
    for q in range(K):
        X = design(items[q])
        A = np.empty((X.shape[1], X.shape[1]), dtype=np.float32)
        precision_factor(place, X, scales[q], sigma[q], lam[q], A, L)
        for i in range(n):
            s[i] = sigma[q] * scales[q, i]
        for sweep in range(sweeps * BURN_IN_FACTOR if q == 0 else sweeps):
            stream = mixed(key, q * 10_000 + sweep)
            if q > 0 and sweep == 0:  # a row that goes with these items, from the z so far
                right_side(items[q], s, z, lam[q], priors[q], b)
                draw_gaussian(L, b, mixed(stream, 3), mean, row)
            if len(level):
                predictor(items[q], row, f)
                draw_ordinal(level, f, s, shared[q], proposals[q], inverse[q], stream, delta, z)
            right_side(items[q], s, z, lam[q], priors[q], b)
            draw_gaussian(L, b, mixed(stream, 2), mean, row)
        copy_numbers(z, latent[q])
        copy_numbers(mean, means[q])
        for c in range(C):
            cuts[q, c] = shared[q, c] + delta[0, c]


@njit(cache=True, nogil=True)
def copy_numbers(source: F32 | F64, out: F32) -> None:
    """Set out (n,) to source (n,)."""
    for i in range(len(source)):
        out[i] = source[i]


@njit(cache=True, nogil=True)
def draw_ordinal(
    level: I32,
    f: F32,
    s: F32,
    shared: F64,
    proposals: F64,
    inverse: F64,
    key: np.uint64,
    delta: F64,
    z: F32,
) -> None:
    """Move the deviation delta (1, C - 1) of one user's cutpoints and draw z (n,), given f (n,)."""
    n, C = len(level), len(shared)
    user, indptr = np.zeros(n, np.int32), np.zeros(2, np.int64)
    indptr[1] = n
    move_user_cutpoints(indptr, level, f, s, shared, proposals, inverse, key, delta)
    cuts, e = np.empty((1, C)), np.empty(n, np.float32)
    for c in range(C):
        cuts[0, c] = shared[c] + delta[0, c]
    for i in range(n):
        e[i] = z[i] - f[i]
    draw_latent(user, level, s, cuts, mixed(key, 1), z, e)


# The compiler may reorder the terms of a sum, to use vector registers.
@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def predictor(items: F32, row: F64, f: F32) -> None:
    """Set f (n,) to d_j + row . x_j for each of the items (n, D)."""
    for i in range(len(items)):
        total = items[i, 0] + row[0]
        for k in range(1, len(row)):
            total += items[i, k] * row[k]
        f[i] = total


@njit(cache=True, nogil=True)
def right_side(items: F32, s: F32, z: F32, lam: F32, prior: F32, b: F64) -> None:
    """Set b (D,) to lam * prior + sum of x_j (z_j - d_j) / s_j^2, so that the mean is A^-1 b."""
    for k in range(len(b)):
        b[k] = lam[k] * prior[k]
    for i in range(len(items)):
        item = items[i]
        weighted = (z[i] - item[0]) / s[i] ** 2
        b[0] += weighted
        for k in range(1, len(b)):
            b[k] += weighted * item[k]
