"""``AverageDraw``: all draws of the posterior as one, for a first choice among all items."""

from dataclasses import dataclass

import numpy as np

from tastemap.arrays import F32, F64
from tastemap.data.scale import Scale
from tastemap.kernels.gibbs.normal import add_cdf
from tastemap.models.bayesian.posterior import Draws, UserPosteriors


@dataclass(frozen=True)
class AverageDraw:
    """The mean of the items' rows over the draws, and how far they vary.

    A rotation of the factors changes no prediction of a draw. So each draw is first turned to agree
    with the first one, and so is a user's row in it.

    Attributes:
        items: (I + 1, D), mean rows (d_j, q_j, x_j).
        variance: (I + 1, D), their variances over the draws.
        scales: (I + 1,), mean noise scales.
        turns: (K, f, f), the rotation of each draw.
    """

    items: F32
    variance: F32
    scales: F32
    turns: F32

    @classmethod
    def of(cls, draws: Draws, weights: F64) -> "AverageDraw":
        """The average of the draws, which are turned to agree on items by weights (I,)."""
        turns = turns_of(draws, weights).astype(np.float32)
        mean, square = np.zeros((2, *draws.items.shape[1:]), dtype=np.float32)
        for turn, rows in zip(turns, draws.items, strict=True):
            turned = rows.copy()
            turned[:, 1:-1] = rows[:, 1:-1] @ turn
            mean += turned / np.float32(len(draws))
            square += turned**2 / np.float32(len(draws))
        variance = np.maximum(square - mean**2, 0)
        return cls(mean, variance, draws.item_scales.mean(axis=0), turns)

    def scores(self, draws: Draws, user: UserPosteriors, scale: Scale) -> F64:
        """What a user would give each item (I,), nearly: the mean rating in the average draw.

        The predictor of item j has the mean d_j + m . x_j of the mean rows, and the variance of
        the items' rows, of the user's rows between the draws, and of the noise.
        """
        rows = user.means[:, 0].copy()
        rows[:, 1:-1] = np.einsum("kf,kfg->kg", rows[:, 1:-1], self.turns)
        mean, spread = rows.mean(axis=0), rows.var(axis=0)
        X = self.items[:-1]
        bias, weights = mean[0], np.concatenate([[1.0], mean[1:]]).astype(np.float32)
        f = (bias + X @ weights).astype(np.float32)
        if not draws.n_levels or scale.levels is None:
            return np.asarray(draws.centre + draws.deviation * f, dtype=np.float64)
        s = float(user.scales.mean())
        variance = (s * self.scales[:-1]) ** 2 + self.variance[:-1] @ weights**2
        variance += spread[0] + X[:, 1:] ** 2 @ spread[1:]
        width = (variance + float(user.effect_variance.mean())) ** -0.5
        below, cuts = np.zeros(len(f)), user.cuts.mean(axis=(0, 1))
        for cut, step in zip(cuts, np.diff(scale.levels), strict=True):
            add_cdf(cut, f, width.astype(np.float32), float(step), below)
        return np.asarray(scale.highest - below, dtype=np.float64)


def turns_of(draws: Draws, weights: F64) -> F64:
    """Rotations (K, f, f) of the factors that make each draw agree with the first one.

    They change no prediction (orthogonal Procrustes, Schoenemann 1966). Weights (I,) say how much
    each item counts.
    """
    reference, turns = draws.items[0, :-1, 1:-1] * weights[:, None], []
    for V in draws.items:
        left, _, right = np.linalg.svd(V[:-1, 1:-1].T.astype(np.float64) @ reference)
        turns.append(left @ right)
    return np.stack(turns)


def posterior_means(draws: Draws, weights: F64) -> tuple[F64, F64]:
    """Mean rows (b_a, p_a, g_a) of users (U + 1, D) and (d_j, q_j, x_j) of items (I + 1, D).

    Each draw is first turned to agree with the first draw, see `turns_of`.
    """
    users, items = np.zeros(draws.user_means.shape[1:]), np.zeros(draws.items.shape[1:])
    turns = turns_of(draws, weights)
    for turn, M, V in zip(turns, draws.user_means, draws.items, strict=True):
        for mean, rows in ((users, M), (items, V)):
            turned = rows.astype(np.float64)
            turned[:, 1:-1] = turned[:, 1:-1] @ turn
            mean[:] += turned / len(draws)
    return users, items
