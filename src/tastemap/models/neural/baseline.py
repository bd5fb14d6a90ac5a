"""The bias model as the ground that networks stand on: what it predicts, and how much they add.

A network has nothing to say of a user or an item without a training rating, and on a thin table it
may say less than two biases do. There its predictions are those of the bias model, in part or in
whole.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from tastemap.arrays import F64, FloatArray, IndexArray
from tastemap.data.ratings import Ratings
from tastemap.models.base.evidence import STANDARD_ERRORS
from tastemap.models.bias import BiasModel

# Shares of a network in the predictions, of which held-out ratings choose one.
SHARES = (1.0, 0.75, 0.5, 0.25)
MAX_CORRELATION, MIN_SLOPE = 0.99, 1e-6
# The values of s between which the one of a prediction is interpolated.
SCORES = np.linspace(-5.0, 5.0, 2001)


@dataclass(frozen=True)
class Baseline:
    """The bias model, and on a scale with levels the distribution around its predictions.

    References:
        Olsson, Drasgow, Dorans, "The polyserial correlation coefficient", Psychometrika 47, 1982
        (a latent normal variable that is cut into levels, and the estimate of rho from the plain
        correlation).

    Distribution:
        P(r_ui <= level c) = Phi((t_c - s_ui) / sqrt(1 - rho^2)), with t_c = Phi^-1(F_c), F_c being
        the share of ratings up to level c, and s_ui such that the mean of the distribution is the
        prediction b_ui of the bias model. rho is the correlation of the latent variable with b_ui,
        given that ratings rise by as much as b_ui does.

    Attributes:
        bias: The `BiasModel`; who or what it does not know is the average of the others.
        levels: The values of the scale (levels,); empty on a scale without.
        cuts: t_c (levels - 1,).
        correlation: rho, in [0, 1).
    """

    bias: BiasModel
    levels: F64
    cuts: F64
    correlation: float

    @classmethod
    def of(cls, ratings: Ratings) -> "Baseline":
        """The bias model of these ratings, and how they are spread around it."""
        bias = BiasModel().fit(ratings, progress=False)
        if ratings.scale.levels is None:
            return cls(bias, np.zeros(0), np.zeros(0), 0.0)
        levels, cuts = ratings.scale.levels.astype(np.float64), _cuts(ratings)
        predicted = bias.predict_rows(ratings.user_index, ratings.item_index)
        # How much the mean of the levels rises with the latent variable.
        density = np.exp(-(cuts**2) / 2) / np.sqrt(2 * np.pi)
        slope = max(float(np.diff(levels) @ density), MIN_SLOPE)
        return cls(bias, levels, cuts, min(float(predicted.std()) / slope, MAX_CORRELATION))

    def predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Raw predictions (n,); the row -1 is the average."""
        return self.bias.predict_rows(user_index, item_index)

    def distribution(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Probabilities (n, levels) of the levels."""
        means = self._around(SCORES) @ self.levels
        return self._around(np.interp(self.predict(user_index, item_index), means, SCORES))

    def _around(self, score: FloatArray) -> F64:
        """Probabilities (n, levels) for values s (n,)."""
        rest = np.sqrt(1 - self.correlation**2)
        below = ndtr((self.cuts - score[:, None]) / rest)
        return np.diff(below, axis=1, prepend=0.0, append=1.0)


def _cuts(ratings: Ratings) -> F64:
    """Where a normal variable is cut so that the levels occur as often as in the ratings."""
    levels = ratings.scale.levels
    if levels is None:
        return np.zeros(0)
    place = np.searchsorted((levels[1:] + levels[:-1]) / 2, ratings.rating)
    # Half a rating more for each level, so that none is impossible.
    counts = np.bincount(place, minlength=len(levels)) + 0.5
    return np.asarray(ndtri(np.cumsum(counts)[:-1] / counts.sum()))


def network_share(
    losses: Callable[[FloatArray], F64],
    network: FloatArray,
    baseline: FloatArray,
) -> float:
    """The largest share of a network in predictions with which it gains more than chance.

    Args:
        losses: The loss (n,) of each held-out rating, of outputs like those below.
        network, baseline: Outputs (n, width) for the held-out ratings.

    Returns:
        One of `SHARES`, whose loss is less than that of the baseline by more than two standard
        errors of the difference; 0 if that holds for none.

    Example:
        >>> truth, baseline = np.arange(40.0)[:, None], np.zeros((40, 1))
        >>> losses = lambda output: np.square(output - truth)[:, 0]
        >>> network_share(losses, truth, baseline), network_share(losses, -truth, baseline)
        (1.0, 0.0)
    """
    reference = losses(baseline)
    for share in SHARES:
        gains = reference - losses(share * network + (1 - share) * baseline)
        if gains.mean() > STANDARD_ERRORS * gains.std() / np.sqrt(len(gains)):
            return share
    return 0.0
