"""A new person's row and cutpoints from their ratings, for each draw of the items."""

import numpy as np
import numpy.typing as npt
from numba import njit

from tastemap.kernels.gaussian import draw_gaussian
from tastemap.kernels.gram import design
from tastemap.kernels.ordinal import draw_latent, move_user_cutpoints
from tastemap.kernels.predict import person_factor
from tastemap.kernels.random import mixed

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]

# The first draw of the items gets so many times the sweeps of the others.
_BURN_IN = 5


@njit(cache=True, nogil=True)
def fold_in(
    rated: I32,
    level: I32,
    z: F32,
    priors: F32,
    items: F32,
    item_scales: F32,
    lam: F32,
    sigma: F32,
    shared: F64,
    factor: F64,
    inverse: F64,
    sweeps: int,
    key: np.uint64,
    means: F32,
    cuts: F64,
) -> None:
    """Gibbs sweeps over the latent values, row and cutpoints of one person.

    Latent values and own cutpoints are carried from one draw of the items to the next, as they
    mean the same in each. The person's noise scale stays that of the average user.

    Args:
        rated: (n,), the items rated. level: (n,), their levels, or (0,) for numbers.
        z: (n,), standardised ratings of numbers; for ordinal ratings any start, replaced.
        priors: (K, D), the mean of the person's row before any rating, for each draw.
        items, item_scales, lam: As in `predictive`. sigma: (K,), noise scale of the average user.
        shared: (K, C - 1), shared cutpoints.
        factor, inverse: (K, C - 1, C - 1), Cholesky factor and inverse of S.
        sweeps: Sweeps for each draw of the items.
        key: The random stream of this call.
        means, cuts: (K, D) and (K, C - 1), set to the mean of the row given the last z, and to the
            person's cutpoints.
    """
    n, K, D = len(rated), len(items), items.shape[2]
    C = shared.shape[1]
    nobody, offsets, own = np.zeros(n, np.int32), np.array([0, n]), np.zeros((1, C))
    L, proposals = np.zeros((D, D)), np.zeros((2, C, C))
    mean, row, b = np.zeros(D), np.zeros(D), np.empty(D)
    f, e, s = np.zeros(n, np.float32), np.empty(n, np.float32), np.empty(n, np.float32)
    row[:] = priors[0]
    for q in range(K):
        X = design(items[q])
        A = np.empty((X.shape[1], X.shape[1]), dtype=np.float32)
        person_factor(rated, X, item_scales[q], sigma[q], lam[q], A, L)
        proposals[:] = factor[q]
        for i in range(n):
            s[i] = sigma[q] * item_scales[q, rated[i]]
        for sweep in range(sweeps * _BURN_IN if q == 0 else sweeps):
            stream = mixed(key, q * 10_000 + sweep)
            if q > 0 and sweep == 0:  # a row that goes with these items, from the z so far
                right_side(rated, items[q], s, z, lam[q], priors[q], b)
                draw_gaussian(L, b, mixed(stream, 3), mean, row)
            predictor(rated, items[q], row, f)
            if len(level):
                move_user_cutpoints(
                    offsets, level, f, s, shared[q], proposals, inverse[q], stream, own
                )
                e[:] = z - f
                draw_latent(nobody, level, s, shared[q] + own, mixed(stream, 1), z, e)
            right_side(rated, items[q], s, z, lam[q], priors[q], b)
            draw_gaussian(L, b, mixed(stream, 2), mean, row)
        means[q] = mean
        cuts[q] = shared[q] + own[0]


@njit(cache=True, nogil=True)
def predictor(rated: I32, items: F32, row: F64, f: F32) -> None:
    """Set f (n,) to d_j + row . x_j for each item j of ``rated``."""
    for i in range(len(rated)):
        total = items[rated[i], 0] + row[0]
        for k in range(1, len(row)):
            total += items[rated[i], k] * row[k]
        f[i] = total


@njit(cache=True, nogil=True)
def right_side(rated: I32, items: F32, s: F32, z: F32, lam: F32, prior: F32, b: F64) -> None:
    """Set b (D,) to lam * prior + sum of x_j (z_j - d_j) / s_j^2, so that the mean is A^-1 b."""
    for k in range(len(b)):
        b[k] = lam[k] * prior[k]
    for i in range(len(rated)):
        item = items[rated[i]]
        weighted = (z[i] - item[0]) / s[i] ** 2
        b[0] += weighted
        for k in range(1, len(b)):
            b[k] += weighted * item[k]
