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
        turns = draws.turns(weights).astype(np.float32)
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
