"""Alternating least squares, for ratings and for implicit feedback."""

from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.feedback import Feedback, Groups
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.kernels.als import solve_all
from tastemap.models.base.arrays import take
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.confidence import FORMS, Confidence
from tastemap.models.base.evidence import Biases, chosen_damping, estimated_biases
from tastemap.models.base.factors import Array, Factors, Prior, WarmStart, solve_ridge
from tastemap.models.base.hidden_likes import HiddenLikes
from tastemap.models.base.validation import choice, not_negative, positive, share, whole_number
from tastemap.support.deadline import is_over

F32 = npt.NDArray[np.float32]

# Chosen on inner validation parts of MovieLens 100K and 1M: the penalty, and the standard
# deviation of the initial item factors times the square root of f.
DEFAULT_REG = {"explicit": 0.4, "implicit": 0.1}
INITIAL_DEVIATION = 0.1
# Conjugate gradient steps for each row in an epoch; they start from its present weights.
STEPS_PER_EPOCH = 3
# A row is done once the squared residual is this share of the squared right side. At the end users
# are solved once more, until then: their weights equal those that a fold-in of their ratings gives.
TOLERANCE = 1e-10
# The largest penalty of likes that needs no trial, as a share of the singular values of chance.
MAX_PENALTY = 0.9
# Of the small fits that choose the damping, and the factors of those that choose among lists.
TRIAL_FACTORS, TRIAL_EPOCHS, LIST_FACTORS = 16, 8, 32


class _HalfStep(NamedTuple):
    """The ratings of a half-step, grouped by the rows that it solves.

    Attributes:
        indptr: int64 (n + 1,), where each row's ratings begin.
        indices: int32 (n_ratings,), rows of the other side.
        target: float32 (n_ratings,), the values to predict.
        confidence: float32 (n_ratings,), how much each counts; (0,) if each counts 1.
        ridge: float32 (n,), the penalty of each row.
        first_ridge: float32 (n,), that of its first weight.
    """

    indptr: npt.NDArray[np.int64]
    indices: IndexArray
    target: F32
    confidence: F32
    ridge: F32
    first_ridge: F32

    @classmethod
    def of(
        cls,
        groups: Groups,
        other: IndexArray,
        target: Array,
        ridge: Array,
        first_ridge: Array,
        confidence: F32 | None = None,
    ) -> "_HalfStep":
        """The ratings of a table, with the penalties of the rows to solve."""
        indices, values = other[groups.indices], target[groups.indices].astype(np.float32)
        penalties = (ridge.astype(np.float32), first_ridge.astype(np.float32))
        c = np.zeros(0, dtype=np.float32) if confidence is None else confidence[groups.indices]
        return cls(groups.indptr, indices, values, c, *penalties)


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
        the sum over users of d_u b_u^2 + (reg n_u^nu + damping) |p_u|^2, and the same for items;
        n_u is the number of ratings and nu is ``reg_exponent``.
        implicit: the sum over the likes of c_ui (1 - p_u . q_i)^2, plus alpha times the sum over
        all pairs of (p_u . q_i)^2, plus reg times the sum over users of
        (n_u + alpha n_items)^nu |p_u|^2, and the same for items; n_u is the number of likes.

    Confidence:
        c_ui is 1, unless the model learns from interactions whose weights differ. Then it is 1, or
        grows with the weight or with its logarithm, with a mean of 1: see `Confidence`. Each is
        tried in a small fit that hides a fifth of the likes, and the one whose lists find most of
        these is taken; of equals the one that looks less at weights.

    Penalties:
        Of explicit feedback, the dampings d_u and d_i of the biases come from the variances of the
        biases and the noise: `estimated_biases`, from which the alternation starts. The damping of
        the factors is 0 where the ratings are many, and larger where rows have few or the factors
        explain little: `chosen_damping`, which tries small fits of 16 factors and 8 epochs on nine
        tenths of the ratings, one to four of them, each in a sixth of the time of the fit.

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
        reg: Penalty; None takes 0.4 for explicit feedback. For implicit feedback it takes 0.1, or
            less where that would erase all taste: on many items with few likes.
        reg_exponent: nu, from 0 (the same penalty for all) to 1 (in proportion to the ratings).
        alpha: Weight of the sum over all pairs; a like weighs 1. Implicit feedback only.
        threshold: Lowest rating that counts as a like; None takes the upper quarter of the
            scale (from 4 on a scale of 1 to 5). Implicit feedback only.
        damping: Penalty of the factors of a user or item, whatever the number of ratings; None
            tries several on held-out ratings. Explicit feedback only.

    Attributes:
        damping_: The damping of the factors in the last fit of explicit feedback.
        reg_: The penalty reg of the last fit.
        confidence_: The `Confidence` of the last fit of implicit feedback.
        global_mean, user_bias, item_bias: mu, b_u (n_users,), b_i (n_items,); 0 if implicit.
        user_factors, item_factors: p_u (n_users, f), q_i (n_items, f).

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = ALS("implicit", n_factors=8).fit(synthetic_ratings())
        >>> model.recommend(1, k=3)["title"].str.head(6).to_list()
        ['Comedy', 'Comedy', 'Comedy']
    """

    confidence_ = Confidence()

    def __init__(
        self,
        feedback: str = "explicit",
        n_factors: int = 64,
        n_epochs: int = 15,
        reg: float | None = None,
        reg_exponent: float = 0.7,
        alpha: float = 0.2,
        threshold: float | None = None,
        damping: float | None = None,
    ) -> None:
        self.feedback = choice("feedback", feedback, tuple(DEFAULT_REG))
        self.n_factors = whole_number("n_factors", n_factors)
        self.n_epochs = whole_number("n_epochs", n_epochs)
        self.reg = None if reg is None else positive("reg", reg)
        self.reg_exponent = share("reg_exponent", reg_exponent)
        self.alpha, self.threshold = positive("alpha", alpha), threshold
        self.damping = None if damping is None else not_negative("damping", damping)

    @property
    def capabilities(self) -> Capabilities:
        """Explicit feedback gives ratings, implicit feedback scores to rank by."""
        explicit = self.feedback == "explicit"
        return replace(
            super().capabilities,
            predicts=explicit,
            interactions=not explicit,
            standard_errors=explicit,
        )

    def _fit(self, ratings: Any, validation: Any, seed: int, progress: bool) -> None:
        if self.predicts_ratings:
            self._fit_explicit(ratings, seed)
            return
        liked = ratings.likes(self.threshold)
        self.reg_, self.confidence_ = self._chosen_by_lists(liked, seed)
        w_u, w_i = self._learnt_from_likes(liked, seed)
        w_u, w_i = (np.pad(factors, ((0, 0), (1, 0))) for factors in (w_u, w_i))  # no biases
        prior = Prior(np.zeros(w_i.shape[1]), self.alpha * (w_i.T @ w_i).astype(np.float64))
        self.factors = Factors.of(ratings, 0.0, w_u, w_i, prior)

    def _learnt_from_likes(self, liked: Interactions, seed: int) -> tuple[F32, F32]:
        """Rows p_u and q_i."""
        is_equal = self.confidence_.form == FORMS[0]
        confidence = None if is_equal else self.confidence_(liked.weight)
        sides, ones = [], np.ones(len(liked))
        for groups, other, n_other in (
            (liked.by_user, liked.item_index, liked.n_items),
            (liked.by_item, liked.user_index, liked.n_users),
        ):
            ridge = self.ridge(groups.counts, n_other)
            sides.append(_HalfStep.of(groups, other, ones, ridge, ridge, confidence))
        return self._alternate(sides, self._first_guess(liked, np.ones(self.n_factors), seed))

    def _chosen_by_lists(self, liked: Interactions, seed: int) -> tuple[float, Confidence]:
        """The reg and the confidence of implicit feedback, by the hidden likes that lists find."""
        if self._start is not None:
            return self.reg or self.reg_, Confidence.of(self.confidence_.form, liked.weight)
        penalties = [self.reg] if self.reg else self._penalties_of_likes(liked)
        has_weights = len(liked) > 0 and liked.weight.min() < liked.weight.max()
        forms = FORMS if has_weights else FORMS[:1]
        if len(penalties) == len(forms) == 1 or (trial := HiddenLikes.of(liked, seed)) is None:
            return penalties[-1], Confidence()

        @cache
        def hits(reg: float, form: str) -> int:
            f = min(self.n_factors, LIST_FACTORS)
            small = ALS("implicit", f, TRIAL_EPOCHS, reg, self.reg_exponent, self.alpha)
            small.reg_, small.confidence_ = reg, Confidence.of(form, trial.train.weight)
            w_u, w_i = small._learnt_from_likes(trial.train, seed)
            return trial.hits(w_u[trial.users] @ w_i.T)

        # `max` takes the first of equals. A single penalty needs no trial.
        reg = max(penalties, key=lambda reg: hits(reg, FORMS[0])) if penalties[1:] else penalties[0]
        form = max(forms, key=lambda form: hits(reg, form)) if forms[1:] else forms[0]
        return reg, Confidence.of(form, liked.weight)

    def _penalties_of_likes(self, liked: Interactions) -> list[float]:
        """The values of reg to choose from: the default, where that may be too much a smaller one.

        Singular values of the likes below the geometric mean of the penalties are lost. Those of
        chance alone reach the sum of the roots of the mean numbers of likes of users and items. A
        penalty above that may leave the popular items alone.
        """
        default, n = DEFAULT_REG["implicit"], len(liked)
        if not n:
            return [default]
        means = [n / np.count_nonzero(rated.counts) for rated in (liked.by_user, liked.by_item)]
        growths = [
            float(self._growth(mean, n_other))
            for mean, n_other in zip(means, (liked.n_items, liked.n_users), strict=True)
        ]
        largest = float(MAX_PENALTY * np.sqrt(means).sum() / np.sqrt(growths[0] * growths[1]))
        return [default] if default <= largest else [largest, default]

    def _fit_explicit(self, ratings: Ratings, seed: int) -> None:
        self.reg_ = self.reg or DEFAULT_REG["explicit"]
        damping = self.damping_ = self._damping_of_factors(ratings, seed)
        biases, s = estimated_biases(ratings), ratings.deviation
        w_u, w_i = self._learnt(ratings, biases, damping, seed)
        units = self._units(ratings)
        # A user's penalty for such units, at n ratings: of the bias d_u, of the factors the rest.
        of_factors = np.diag((s / units) ** 2)
        of_factors[0, 0] = 0
        precision = damping * of_factors
        precision[0, 0] = biases.user_damping
        prior = Prior(np.zeros(len(units)), precision, self.reg_ * of_factors, self.reg_exponent)
        factors = Factors.of(ratings, biases.mean, w_u * units, w_i * units, prior)
        self.factors = factors.with_expected_item(ratings)

    def _units(self, ratings: Ratings) -> Array:
        """From weights for a target of unit deviation to weights in units of the rating.

        A product of factors is a rating, so the factors take the square root of its unit.
        """
        s = ratings.deviation
        return np.concatenate([[s], np.full(self.n_factors, np.sqrt(s))])

    def _damping_of_factors(self, ratings: Ratings, seed: int) -> float:
        """That of the constructor, or the one that small fits choose."""
        if self.damping is not None:
            return self.damping
        f = min(self.n_factors, TRIAL_FACTORS)
        small = ALS("explicit", f, TRIAL_EPOCHS, self.reg, self.reg_exponent)
        small.reg_ = self.reg_

        def trial(train: Ratings, held_out: Ratings, damping: float) -> tuple[F32, F32]:
            biases = estimated_biases(train)
            w_u, w_i = small._learnt(train, biases, damping, seed)
            w, x = w_u[held_out.user_index], w_i[held_out.item_index]
            rest = (held_out.rating - biases.mean) / train.deviation - w[:, 0] - x[:, 0]
            return rest, np.einsum("nf,nf->n", w[:, 1:], x[:, 1:])

        return chosen_damping(ratings, seed, trial)

    def _learnt(
        self, ratings: Ratings, biases: Biases, damping: float, seed: int
    ) -> tuple[F32, F32]:
        """Rows (b_u, p_u) and (b_i, q_i) for ratings less mu, of unit deviation."""
        s = ratings.deviation
        target = (ratings.rating - biases.mean) / s
        sides = []
        for groups, other, bias_damping in (
            (ratings.by_user, ratings.item_index, biases.user_damping),
            (ratings.by_item, ratings.user_index, biases.item_damping),
        ):
            ridge = self.ridge(groups.counts, 0) + damping
            first_ridge = np.full(len(ridge), bias_damping)
            sides.append(_HalfStep.of(groups, other, target, ridge, first_ridge))
        w_u, w_i = self._first_guess(ratings, self._units(ratings), seed)
        if self._start is None:
            w_u[:, 0], w_i[:, 0] = biases.user / s, biases.item / s
        return self._alternate(sides, (w_u, w_i))

    def _alternate(self, sides: list[_HalfStep], weights: tuple[F32, F32]) -> tuple[F32, F32]:
        """Solve users and items in turn, from their first weights."""
        (users, items), (w_u, w_i) = sides, weights
        for epoch in range(n_epochs := self._epochs(self.n_epochs - 1)):
            self._solve(users, w_i, w_u, STEPS_PER_EPOCH)
            self._solve(items, w_u, w_i, STEPS_PER_EPOCH)
            if is_over(epoch + 1, n_epochs):
                break
        self._solve(users, w_i, w_u, 2 * self.n_factors)
        return w_u, w_i

    def _first_guess(self, ratings: Feedback, units: Array, seed: int) -> tuple[F32, F32]:
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

    def ridge(self, n: npt.ArrayLike, n_other: int) -> Array:
        """The penalty reg m^nu; m is max(n, 1), and for implicit feedback alpha n_other more.

        The dampings of explicit feedback come on top.
        """
        reg = getattr(self, "reg_", self.reg) or DEFAULT_REG[self.feedback]
        return reg * self._growth(n, n_other)

    def _growth(self, n: npt.ArrayLike, n_other: int) -> Array:
        pairs = np.maximum(n, 1) + (0 if self.predicts_ratings else self.alpha * n_other)
        return pairs**self.reg_exponent

    def _solve(self, side: _HalfStep, other: F32, weights: F32, steps: int) -> None:
        """One half-step: solve the rows of ``weights``; the other side is fixed."""
        if self.predicts_ratings:
            # w_u = (b_u, p_u) against x_i = (1, q_i), and the target without b_i.
            fixed, target = other.copy(), side.target - other[side.indices, 0]
            fixed[:, 0] = 1
            gram = np.zeros((0, 0), dtype=np.float32)
        else:
            fixed, target, gram = other, side.target, np.float32(self.alpha) * (other.T @ other)
        penalties = (side.ridge, side.first_ridge)
        values = (target, side.confidence, fixed, gram)
        solve_all(side.indptr, side.indices, *values, *penalties, weights, steps, TOLERANCE)

    def _rating_effects(self, item_index: IndexArray, rating: FloatArray) -> Array:
        """As in `HasFactors`; of implicit feedback, likes count, with a penalty by their number."""
        if self.predicts_ratings:
            return super()._rating_effects(item_index, rating)
        _, X = self.factors.design(item_index)
        liked = self.fitted_data.liked(rating, self.threshold)
        X[:, 0] = 0  # no biases
        weighted = (liked * self.confidence_(rating))[:, None] * X
        ridge = self.ridge(int(liked.sum()), self.fitted_data.n_items)
        penalty = self._prior.precision + ridge * np.eye(X.shape[1])
        return solve_ridge(X.T @ weighted + penalty, weighted.T)

    def _arrays(self) -> dict[str, Array]:
        learnt = {"reg": np.array([self.reg_])}
        if not self.predicts_ratings:
            learnt["confidence"] = self.confidence_.to_array()
        return super()._arrays() | learnt

    def _restore(self, arrays: dict[str, Array]) -> None:
        # An older version had it among the parameters.
        default = self.reg or DEFAULT_REG[self.feedback]
        reg = take(arrays, "reg", 1)[0] if "reg" in arrays else default
        self.reg_ = float(positive("reg", float(reg)))
        if "confidence" in arrays:  # an older version had none: each like weighed 1
            self.confidence_ = Confidence.from_array(take(arrays, "confidence", 3))
        super()._restore(arrays)
        prior = self._prior
        if self.predicts_ratings and prior.growth is None:
            # An older version saved the penalty of one rating; all of it grows with their number.
            nothing = np.zeros_like(prior.precision)
            prior = Prior(prior.mean, nothing, prior.precision, self.reg_exponent)
            self.factors = replace(self.factors, prior=prior)
