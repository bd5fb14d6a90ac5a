"""Alternating least squares, for ratings and for implicit feedback."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.ratings import Groups, Ratings
from tastemap.kernels.als import solve_all
from tastemap.models.base.factors import Array, Factors, Prior, WarmStart, solve_ridge
from tastemap.models.base.rows import Capabilities
from tastemap.models.base.validation import choice, positive, share, whole_number
from tastemap.support.deadline import is_over

F32 = npt.NDArray[np.float32]

# Chosen on inner validation parts of MovieLens 100K and 1M: the penalty, and the standard
# deviation of the initial item factors times the square root of f.
DEFAULT_REG = {"explicit": 0.4, "implicit": 0.1}
INITIAL_DEVIATION = 0.1
# Conjugate gradient steps for each row in an epoch; they start from its present weights.
STEPS_PER_EPOCH = 3
# At the end users are solved once more, until the squared residual is this share of the squared
# right side. Then a user's weights equal those that the fold-in of the same ratings gives.
TOLERANCE = 1e-10


class _HalfStep(NamedTuple):
    """The ratings of a half-step, grouped by the rows that it solves.

    Attributes:
        indptr: int64 (n + 1,), where each row's ratings begin.
        indices: int32 (n_ratings,), rows of the other side.
        target: float32 (n_ratings,), the values to predict.
        ridge: float32 (n,), the penalty of each row.
    """

    indptr: npt.NDArray[np.int64]
    indices: IndexArray
    target: F32
    ridge: F32


class ALS(WarmStart):
    """Ridge regressions of users on fixed items, then of items on fixed users, in turn.

    References:
        Zhou, Wilkinson, Schreiber, Pan, "Large-scale parallel collaborative filtering for the
        Netflix prize", AAIM 2008, section 3 (explicit, penalty by the number of ratings). Hu,
        Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008,
        equations 3 to 5 (implicit). Rendle, Krichene, Zhang, Koren, "Revisiting the performance
        of iALS on item recommendation benchmarks", RecSys 2022, equations 1 to 5 (its weights,
        its penalty). Takács, Pilászy, Tikk, "Applications of the conjugate gradient method for
        implicit feedback collaborative filtering", RecSys 2011 (the solver).

    Prediction:
        explicit: r_ui = mu + b_u + b_i + p_u . q_i, a rating.
        implicit: p_u . q_i, a score to rank by, near 1 for a like. It is not a rating, so
        `predict` is refused, and `recommend` leaves ``predicted_rating`` empty.

    Objective:
        explicit: the sum over the ratings, in units of their standard deviation, of e_ui^2, plus
        reg times the sum over users of n_u^nu (b_u^2 + |p_u|^2), and the same for items; n_u is
        the number of ratings and nu is ``reg_exponent``.
        implicit: the sum over the likes of (1 - p_u . q_i)^2, plus alpha times the sum over all
        pairs of (p_u . q_i)^2, plus reg times the sum over users of
        (n_u + alpha n_items)^nu |p_u|^2, and the same for items; n_u is the number of likes.

    Fold-in:
        The last half-step solves the users, and the fold-in solves the same equations. So a user
        and a new user with the same ratings have the same weights.

    Update:
        A third of the epochs of a fit, from the present factors; the errors are as low as those of
        a new fit.

    Args:
        feedback: ``"explicit"`` learns from the ratings, ``"implicit"`` from the likes.
        n_factors: f, the length of p_u and q_i.
        n_epochs: Number of times that all users and all items are solved.
        reg: Penalty; None takes 0.4 for explicit and 0.1 for implicit feedback.
        reg_exponent: nu, from 0 (the same penalty for all) to 1 (in proportion to the ratings).
        alpha: Weight of the sum over all pairs; a like weighs 1. Implicit feedback only.
        threshold: Lowest rating that counts as a like; None takes the upper quarter of the
            scale (from 4 on a scale of 1 to 5). Implicit feedback only.

    Attributes:
        global_mean, user_bias, item_bias: mu, b_u (n_users,), b_i (n_items,); 0 if implicit.
        user_factors, item_factors: p_u (n_users, f), q_i (n_items, f).

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = ALS("implicit", n_factors=8).fit(synthetic_ratings())
        >>> model.recommend(1, k=3)["title"].str.head(6).to_list()
        ['Comedy', 'Comedy', 'Comedy']
    """

    def __init__(
        self,
        feedback: str = "explicit",
        n_factors: int = 64,
        n_epochs: int = 15,
        reg: float | None = None,
        reg_exponent: float = 0.7,
        alpha: float = 0.2,
        threshold: float | None = None,
    ) -> None:
        self.feedback = choice("feedback", feedback, tuple(DEFAULT_REG))
        self.n_factors = whole_number("n_factors", n_factors)
        self.n_epochs = whole_number("n_epochs", n_epochs)
        self.reg = positive("reg", DEFAULT_REG[feedback] if reg is None else reg)
        self.reg_exponent = share("reg_exponent", reg_exponent)
        self.alpha, self.threshold = positive("alpha", alpha), threshold

    @property
    def capabilities(self) -> Capabilities:
        """Explicit feedback gives ratings, implicit feedback scores to rank by."""
        return replace(super().capabilities, predicts=self.feedback == "explicit")

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        if self.predicts_ratings:
            mu, s = ratings.global_mean, ratings.deviation
            # Back to the rating's units. A product of factors is a rating, so the factors take the
            # square root of its unit, and the penalty the inverse.
            units = np.concatenate([[s], np.full(self.n_factors, np.sqrt(s))])
            w_u, w_i = self._alternate(ratings, (ratings.rating - mu) / s, units, seed)
            precision = self.reg * np.diag((s / units) ** 2)
        else:
            mu, liked = 0.0, ratings.likes(self.threshold)
            w_u, w_i = self._alternate(liked, np.ones(len(liked)), np.ones(self.n_factors), seed)
            w_u, w_i = (np.pad(factors, ((0, 0), (1, 0))) for factors in (w_u, w_i))  # no biases
            precision = self.alpha * (w_i.T @ w_i).astype(np.float64)
        prior = Prior(np.zeros(1 + self.n_factors), precision)
        self.factors = Factors.of(ratings, mu, w_u, w_i, prior)

    def _alternate(
        self, ratings: Ratings, target: Array, units: Array, seed: int
    ) -> tuple[Array, Array]:
        """Rows (b_u, p_u) and (b_i, q_i), or p_u and q_i without biases, for the target (n,).

        The target has unit deviation; the result is multiplied by ``units`` (width,).
        """
        users = self._half_step(ratings.by_user, ratings.item_index, target, ratings.n_items)
        items = self._half_step(ratings.by_item, ratings.user_index, target, ratings.n_users)
        w_u, w_i = self._first_guess(ratings, units, seed)
        for epoch in range(n_epochs := self._epochs(self.n_epochs - 1)):
            self._solve(users, w_i, w_u, STEPS_PER_EPOCH)
            self._solve(items, w_u, w_i, STEPS_PER_EPOCH)
            if is_over(epoch + 1, n_epochs):
                break
        self._solve(users, w_i, w_u, 2 * self.n_factors, TOLERANCE)
        return w_u * units, w_i * units

    def _first_guess(self, ratings: Ratings, units: Array, seed: int) -> tuple[F32, F32]:
        """Zero users and small random items; in an update the present weights."""
        width = self.n_factors + self.predicts_ratings
        if self._start is not None:
            sides = zip((ratings.by_user, ratings.by_item), self._start, strict=True)
            w_u, w_i = (
                np.where(rated.counts[:, None] > 0, weights[:, -width:] / units, 0.0)
                for rated, weights in sides
            )
            return w_u.astype(np.float32), w_i.astype(np.float32)
        w_i = np.random.default_rng(seed).standard_normal((ratings.n_items, width), np.float32)
        w_i *= INITIAL_DEVIATION / np.sqrt(self.n_factors) * (ratings.by_item.counts[:, None] > 0)
        w_i[:, : self.predicts_ratings] = 0
        return np.zeros((ratings.n_users, width), dtype=np.float32), w_i

    def _half_step(
        self, groups: Groups, other: IndexArray, target: Array, n_other: int
    ) -> _HalfStep:
        """The ratings, grouped by the rows to solve."""
        return _HalfStep(
            groups.indptr,
            other[groups.indices],
            target[groups.indices].astype(np.float32),
            self.ridge(groups.counts, n_other).astype(np.float32),
        )

    def ridge(self, n: npt.ArrayLike, n_other: int) -> Array:
        """The penalty reg m^nu; m is max(n, 1), and for implicit feedback alpha n_other more."""
        pairs = np.maximum(n, 1) + (0 if self.predicts_ratings else self.alpha * n_other)
        return self.reg * pairs**self.reg_exponent

    def _solve(
        self, side: _HalfStep, other: F32, weights: F32, steps: int, tolerance: float = 0.0
    ) -> None:
        """One half-step: solve the rows of ``weights``; the other side is fixed."""
        if self.predicts_ratings:
            # w_u = (b_u, p_u) against x_i = (1, q_i), and the target without b_i.
            fixed, target = other.copy(), side.target - other[side.indices, 0]
            fixed[:, 0] = 1
            gram = np.zeros((0, 0), dtype=np.float32)
        else:
            fixed, target, gram = other, side.target, np.float32(self.alpha) * (other.T @ other)
        solve_all(
            side.indptr, side.indices, target, fixed, gram, side.ridge, weights, steps, tolerance
        )

    def _rating_effects(self, item_index: IndexArray, rating: FloatArray) -> Array:
        """As in `HasFactors`, with a penalty that grows with the number of ratings or likes."""
        bias, X = self.factors.design(item_index)
        if self.predicts_ratings:
            penalty = self._prior.precision * len(rating) ** self.reg_exponent
            residual = rating - self.global_mean - bias
        else:
            liked = self.ratings_.scale.liked(rating, self.threshold)
            X *= liked[:, None]
            X[:, 0] = 0  # no biases
            ridge = self.ridge(int(liked.sum()), self.fitted_ratings.n_items)
            penalty = self._prior.precision + ridge * np.eye(X.shape[1])
            residual = np.ones(len(rating))
        return solve_ridge(X.T @ X + penalty, X.T) * residual
