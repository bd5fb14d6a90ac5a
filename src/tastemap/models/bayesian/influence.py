"""What each rating of a user changes in a prediction, and parts of a prediction made of that."""

import numpy as np

from tastemap.arrays import F32, F64, IndexArray
from tastemap.data.scale import Scale
from tastemap.kernels.gibbs.leave_one_out import leave_one_out
from tastemap.models.bayesian.features import reliability
from tastemap.models.bayesian.posterior import Draws, UserPosteriors

# The effects of single ratings are stretched or shrunk by this factor at most.
MAX_FACTOR = 4.0


def effects_of_ratings(
    draws: Draws,
    user: UserPosteriors,
    rating: F32,
    seen: IndexArray,
    targets: IndexArray,
    scale: Scale,
) -> F64:
    """How much each rating raises the prediction of each item, (t, n), in units of the rating.

    That is the prediction with it less that without it, where all else in each draw stays as it is:
    the items, the cutpoints, the mean latent values of the other ratings. A fold-in anew from the
    others, whose latent values follow, changes by a little more (benchmarks/answers.py).

    Args:
        draws: The draws.
        user: Somebody new with n ratings, from `Draws.fold_in`.
        rating: float32 (n,), the ratings.
        seen: int32 (m,), what else was seen.
        targets: int32 (t,), rows of items; -1 is the average item.
        scale: The scale of the ratings.
    """
    rated = user.rated.items
    K, n, D = len(draws), len(rated), draws.items.shape[2]
    effects = np.zeros((len(targets), n))
    if not n or user.latent is None:
        return effects
    level, gaps = draws.levels_of(rating, scale), np.zeros(0)
    if len(level) and scale.levels is not None:
        gaps = np.diff(scale.levels).astype(np.float64)
    shifts = np.matmul(_shifts(draws, rated, seen), draws.user_link).reshape(K, n, D)
    shifts *= draws.user_precision[:, None]
    leave_one_out(
        np.where(targets < 0, draws.items.shape[1] - 1, targets).astype(np.int32),
        rated,
        level,
        user.latent,
        user.means[:, 0],
        shifts.astype(np.float32),
        user.cuts[:, 0],
        user.scales[:, 0],
        draws.items,
        draws.item_scales,
        draws.user_precision,
        gaps,
        effects,
    )
    return effects if len(gaps) else draws.deviation * effects


def _shifts(draws: Draws, rated: IndexArray, seen: IndexArray) -> F32:
    """How far a user's scores move if each item rated is left out, (n, f)."""
    touched = np.concatenate([rated, seen]) if len(seen) else rated
    n, axes = len(touched), draws.axes
    share = reliability(np.array(n - 1), draws.reliable_at)
    rest = (axes[touched].sum(axis=0) - axes[rated]) / np.sqrt(max(n - 1, 1))
    return np.asarray(share * (rest - draws.average) - draws.shift_of(touched), np.float32)


def scaled_to_sum(effects: F64, total: float) -> F64:
    """Effects (n,) that sum to a total as nearly as they can, none of which changes its sign.

    Effects of single ratings do not add up to that of all: what two ratings both say is lost only
    with the second. So those above 0 are multiplied by a factor, and those below 0 divided by it.
    The factor is at most `MAX_FACTOR`, or at least its inverse.

    Example:
        >>> scaled_to_sum(np.array([0.2, 0.1, -0.1]), 0.5).round(3).tolist()
        [0.369, 0.185, -0.054]
    """
    above, below = effects[effects > 0].sum(), -effects[effects < 0].sum()
    # above x - below / x = total, by the formula that does not take equal numbers from each other
    root = abs(total) + np.sqrt(total**2 + 4 * above * below)
    top, bottom = (root, 2 * above) if total >= 0 else (2 * below, root)
    factor = top / bottom if bottom > 0 else MAX_FACTOR
    factor = min(max(factor, 1 / MAX_FACTOR), MAX_FACTOR)
    return np.where(effects > 0, effects * factor, effects / factor)
