"""``AverageDraw``: all draws of the posterior as one, for a first choice among all items."""

from dataclasses import dataclass

import numpy as np

from tastemap.arrays import F32, F64
from tastemap.data.scale import Scale
from tastemap.kernels.gibbs.normal import add_cdf
from tastemap.models.bayesian.posterior import Draws, UserPosteriors

# Of a slope, in units of the latent value.
STEP = np.float32(0.25)


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
        f, left_open = self._predictor(user)
        if not draws.n_levels or scale.levels is None:
            return np.asarray(draws.centre + draws.deviation * f, dtype=np.float64)
        width = self._width(user, left_open)
        return np.asarray(scale.highest - _below(f, width, user, scale), dtype=np.float64)

    def errors(self, draws: Draws, user: UserPosteriors, scale: Scale) -> F64:
        """Standard errors (I,) of the expected ratings, nearly: what is left open, times the slope.

        What a draw leaves open of the user, in a draw of the mean precisions, counts, too.
        """
        f, left_open = self._predictor(user)
        width = self._width(user, left_open)
        rated = self.items[user.rated.items].astype(np.float64)
        rated[:, 0] = 1.0
        noise = (float(user.scales.mean()) * self.scales[user.rated.items]) ** 2
        precision = np.diag(draws.user_precision.mean(axis=0, dtype=np.float64))
        root = np.linalg.cholesky(np.linalg.inv(precision + (rated.T / noise) @ rated))
        X = self.items[:-1].copy()
        X[:, 0] = 1.0
        left_open = left_open + ((X @ root.astype(np.float32)) ** 2).sum(axis=1)
        if not draws.n_levels or scale.levels is None:
            return np.asarray(draws.deviation * np.sqrt(left_open), dtype=np.float64)
        # Half of what the expected rating rises over a step to each side.
        slope = (_below(f - STEP, width, user, scale) - _below(f + STEP, width, user, scale)) / (
            2 * STEP
        )
        return np.asarray(slope * np.sqrt(left_open), dtype=np.float64)

    def _predictor(self, user: UserPosteriors) -> tuple[F32, F32]:
        """The mean (I,) of the predictor, and its variance between the draws."""
        rows = user.means[:, 0].copy()
        rows[:, 1:-1] = np.einsum("kf,kfg->kg", rows[:, 1:-1], self.turns)
        mean, spread = rows.mean(axis=0), rows.var(axis=0)
        X = self.items[:-1]
        bias, weights = mean[0], np.concatenate([[1.0], mean[1:]]).astype(np.float32)
        f = (bias + X @ weights).astype(np.float32)
        return f, self.variance[:-1] @ weights**2 + spread[0] + X[:, 1:] ** 2 @ spread[1:]

    def _width(self, user: UserPosteriors, left_open: F32) -> F32:
        """One over the deviation (I,) of the latent value."""
        variance = (float(user.scales.mean()) * self.scales[:-1]) ** 2 + left_open
        width: F32 = ((variance + float(user.effect_variance.mean())) ** -0.5).astype(np.float32)
        return width


def _below(f: F32, width: F32, user: UserPosteriors, scale: Scale) -> F64:
    """How far the mean rating (I,) lies below the highest."""
    below, cuts = np.zeros(len(f)), user.cuts.mean(axis=(0, 1))
    levels = np.zeros(1) if scale.levels is None else scale.levels
    for cut, step in zip(cuts, np.diff(levels), strict=True):
        add_cdf(cut, f, width, float(step), below)
    return below


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
