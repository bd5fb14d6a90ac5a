"""``Factors``: biases and factors of users and items, and the models that have them."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from tastemap.arrays import F32, F64, I64, FloatArray, IndexArray
from tastemap.data.feedback import Feedback
from tastemap.data.ratings import Ratings
from tastemap.errors import UnsupportedError
from tastemap.metrics.similarity import cosines, unit_rows
from tastemap.models.base.arrays import take
from tastemap.models.base.artifact import model_class
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.explanation import Explanation, Part, PartKind, correction, kept_inside
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.regression import NewItems
from tastemap.models.base.uncertainty import Side, Uncertainty
from tastemap.models.base.user import User, same_kind
from tastemap.models.base.validation import check_arguments

Array = npt.NDArray[Any]

# So many ratings at most say how large the noise is, which is not less than this.
MAX_RATINGS, MIN_NOISE = 1_000_000, 1e-6
# Rows converted to float64 at once; they fit in the caches.
CHUNK_ROWS = 1024
# The unit roundoff of float32, 2^-24, and 1 % more for second-order terms.
ROUNDING = 1.01 * 2.0**-24


@dataclass(frozen=True)
class Prior:
    """The prior of a user's weights: w_u ~ N(mean, s^2 precision^-1).

    Attributes:
        mean: float64 (1 + f,), bias and factors of the average user.
        precision: float64 (1 + f, 1 + f), the prior's precision times the noise variance s^2 of a
            rating: the ridge matrix of the fold-in. For a bias alone it is the damping.
        growth: The same, for a part of the penalty that grows with the number of ratings; None
            where none does.
        exponent: The power of the number with which it grows, from 0 to 1.
    """

    mean: Array
    precision: Array
    growth: Array | None = None
    exponent: float = 0.0

    def ridge(self, n: int) -> Array:
        """The ridge matrix of a user with n ratings: precision + n^exponent growth."""
        if self.growth is None:
            return self.precision
        return self.precision + max(n, 1) ** self.exponent * self.growth

    @classmethod
    def of_users(
        cls, weights: Array, noise_variance: float, bias_uncertainty: float = 0.0
    ) -> "Prior":
        """The prior estimated from the trained users (empirical Bayes).

        Their covariance is shrunk slightly towards a multiple of the identity. Its inverse then
        exists also with few users, or with a bias that is always zero.

        Args:
            weights: (n_users, 1 + f), bias and factors of users with ratings.
            noise_variance: Mean squared error of a training rating.
            bias_uncertainty: Mean over the users of the variance of the true bias around the
                trained one. Trained biases are damped, so that alone they vary too little.
        """
        inverse = np.linalg.inv(regular_covariance(weights, bias_uncertainty))
        return cls(weights.mean(axis=0), max(noise_variance, 1e-6) * inverse)


def regular_covariance(weights: Array, bias_uncertainty: float = 0.0) -> Array:
    """The covariance of rows (n, 1 + f), shrunk slightly towards a multiple of the identity."""
    covariance = np.atleast_2d(np.cov(weights, rowvar=False, bias=True))
    covariance[0, 0] += bias_uncertainty
    size = len(covariance)
    identity = np.eye(size) * max(float(np.trace(covariance)) / size, 1e-9)
    return np.asarray(0.99 * covariance + 0.01 * identity)


def solve_ridge(penalised: Array, right: Array) -> Array:
    """The solution of penalised normal equations; the shortest one if no penalty makes it unique.

    Example:
        >>> solve_ridge(np.ones((2, 2)), np.ones((2, 1))).round(3).tolist()
        [[0.5], [0.5]]
    """
    try:
        return np.linalg.solve(penalised, right)
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(penalised, right, rcond=None)[0]


@dataclass(frozen=True)
class Factors:
    """Biases and factors of users and items, from any learning algorithm.

    Prediction:
        r_ui = mu + b_i + w_u . x_i with w_u = (b_u, p_u) and x_i = (1, q_i), that is
        mu + b_u + b_i + p_u . q_i (Koren, Bell, Volinsky, "Matrix factorization techniques for
        recommender systems", Computer 42(8), 2009, equation 4).

    Attributes:
        global_mean: mu.
        user_weights: float32 (n_users + 1, 1 + f), rows (b_u, p_u); the last is the average user.
        item_weights: float32 (n_items + 1, 1 + f), rows (b_i, q_i); the last is the average item.
        prior: The prior of a user's weights; None if the factors serve only to compare users or
            items, and do not make the predictions.
    """

    global_mean: float
    user_weights: F32
    item_weights: F32
    prior: Prior | None = None

    # ---- from a fit, to and from an artifact ----

    @classmethod
    def of(
        cls, ratings: Feedback, mean: float, users: Array, items: Array, prior: Prior | None = None
    ) -> "Factors":
        """Factors from the result of a fit: mu, rows (b_u, p_u) and (b_i, q_i), and the prior.

        An item without a rating gets the average item of the training ratings. A user without a
        rating gets the prior's mean, or 0 if there is no prior.
        """
        item_counts, user_counts = ratings.by_item.counts, ratings.by_user.counts
        average_item = np.average(items, axis=0, weights=item_counts)
        average_user = np.zeros(users.shape[1]) if prior is None else prior.mean
        items = np.where(item_counts[:, None] > 0, items, average_item)
        users = np.where(user_counts[:, None] > 0, users, average_user)
        user_weights = np.vstack([users, average_user]).astype(np.float32)
        return cls(mean, user_weights, np.vstack([items, average_item]).astype(np.float32), prior)

    @classmethod
    def with_estimated_prior(
        cls, ratings: Ratings, mean: float, users: Array, items: Array
    ) -> "Factors":
        """As `of`, with a prior estimated from the trained users and the training errors."""
        predicted = cls.of(ratings, mean, users, items).predict(
            ratings.user_index, ratings.item_index
        )
        noise_variance = float(np.mean((ratings.rating - predicted) ** 2))
        rated = users[ratings.by_user.counts > 0].astype(np.float64)
        return cls.of(ratings, mean, users, items, Prior.of_users(rated, noise_variance))

    def with_expected_item(self, ratings: Ratings) -> "Factors":
        """The same, where the average item is the one item that fits all training ratings best.

        Users rate what suits them: p_u . q_i is larger over the rated pairs than over all pairs,
        and a mean of the items' weights leaves that out. So the row of the average item, and of
        items without a rating, is the ridge regression of r_ui - mu - b_u on (1, p_u) over all
        ratings. It is shrunk towards the mean m of the items' weights: x ~ N(m, diag(v)), with
        the variances v of the items' factors, and that of the ratings for the bias.
        """
        counts = ratings.by_user.counts.astype(np.float64)
        X = self.user_weights[:-1].astype(np.float64)
        rest = ratings.rating - self.global_mean - X[ratings.user_index, 0]
        X[:, 0] = 1.0
        rated = ratings.by_item.counts > 0
        mean = self.item_weights[-1].astype(np.float64)
        # In units of the items' deviations: a factor that is 0 for all items stays 0.
        deviation = self.item_weights[:-1][rated].std(axis=0, dtype=np.float64)
        deviation[0] = ratings.deviation  # the level is free
        gram = deviation[:, None] * (X.T @ (counts[:, None] * X)) * deviation
        totals = X.T @ np.bincount(ratings.user_index, rest, len(counts))
        right = deviation * (totals - X.T @ (counts * (X @ mean)))
        noise = np.eye(len(gram)) * float(np.mean(rest**2))
        expected = mean + deviation * solve_ridge(gram + noise, right)
        items = np.where(np.append(rated, False)[:, None], self.item_weights, expected)
        return replace(self, item_weights=items.astype(np.float32))

    def arrays(self) -> dict[str, Array]:
        """All arrays by name, for the artifact."""
        arrays = {
            "global_mean": np.array([self.global_mean]),
            "user_weights": self.user_weights,
            "item_weights": self.item_weights,
        }
        if self.prior is not None:
            arrays |= {"prior_mean": self.prior.mean, "prior_precision": self.prior.precision}
            if self.prior.growth is not None:
                exponent = np.array([self.prior.exponent])
                arrays |= {"prior_growth": self.prior.growth, "prior_exponent": exponent}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array], ratings: Feedback) -> "Factors":
        """The factors from the arrays that `arrays` gave, which are taken out.

        Raises:
            KeyError: If an array is missing.
            ValueError: If the arrays do not fit each other, or the ratings.
        """
        users, prior = take(arrays, "user_weights", ratings.n_users + 1, None), None
        size = users.shape[1]
        items = take(arrays, "item_weights", ratings.n_items + 1, size)
        if "prior_mean" in arrays:
            mean = take(arrays, "prior_mean", size)
            prior = Prior(mean, take(arrays, "prior_precision", size, size))
            if "prior_growth" in arrays:
                growth = take(arrays, "prior_growth", size, size)
                exponent = float(take(arrays, "prior_exponent", 1)[0])
                if not 0 <= exponent <= 1:
                    raise ValueError(f"a penalty that grows with the power {exponent}")
                prior = replace(prior, growth=growth, exponent=exponent)
        if not size:
            raise ValueError("weights of size 0, without a bias")
        return cls(float(take(arrays, "global_mean", 1)[0]), users, items, prior)

    def with_items(self, items: NewItems) -> "Factors":
        """The same with rows of items that nobody has rated: the average item, and by facts."""
        rows = items.expected(self.item_weights[:-1], self.item_weights[-1])
        put = items.put(self.item_weights[:-1], rows)
        return replace(self, item_weights=np.vstack([put, self.item_weights[-1:]]))

    # ---- predictions ----

    # A score is the sum in float64, rounded to float32, for any number of scores computed at once.
    # So the order of items is the same for one user and for many; ties go to the lower row.

    def predict(self, user_index: IndexArray, item_index: IndexArray) -> F32:
        """Raw predictions (n,) of pairs of rows; row -1, the last, is the average."""
        predicted = np.empty(len(user_index), dtype=np.float32)
        for start in range(0, len(user_index), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            w = self.user_weights[user_index[part]].astype(np.float64)
            x = self.item_weights[item_index[part]].astype(np.float64)
            bias = self.global_mean + w[:, 0] + x[:, 0]
            predicted[part] = bias + np.einsum("nf,nf->n", w[:, 1:], x[:, 1:])
        return predicted

    def score(self, weights: Array) -> F32:
        """Raw predictions (n_items,) of all items for a user's weights w_u (1 + f,)."""
        from tastemap.kernels.factors import score_rows  # Numba is not loaded before it is needed

        w = np.array(weights, dtype=np.float64)
        w[0] += self.global_mean
        scores = np.empty(len(self.item_weights) - 1, dtype=np.float32)
        score_rows(self.item_weights[:-1], w, scores)
        return scores

    def score_users(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """As `RowModel.score_users`: in float32, without the user's constant mu + b_u."""
        w, x = self.user_weights[user_index], self.item_weights[:-1]
        shared = self.global_mean + w[:, 0]
        w[:, 0] = 1
        # A bound of the error of a dot product and of its final rounding (Higham, "Accuracy and
        # stability of numerical algorithms", 2002, equation 3.5).
        norms = [np.sqrt(np.einsum("nf,nf->n", rows, rows)) for rows in (w, x)]
        size = norms[0].astype(np.float64) * norms[1].max()
        return np.matmul(w, x.T, out=out), ROUNDING * (np.abs(shared) + (x.shape[1] + 2) * size)

    # ---- the ratings of a user ----

    def design(self, item_index: IndexArray) -> tuple[Array, Array]:
        """b_i (n,) and rows x_i = (1, q_i), (n, 1 + f), in float64."""
        X = self.item_weights[item_index].astype(np.float64)
        bias = X[:, 0].copy()
        X[:, 0] = 1.0
        return bias, X

    def rating_effects(self, prior: Prior, item_index: IndexArray, rating: FloatArray) -> Array:
        """How far each rating moves a user from the prior's mean: columns (1 + f, n).

        The terms of the ridge solution (X'X + P)^-1 X'(r - mu - b - X m) for ratings r of items
        with biases b and rows X, with the prior's mean m and its ridge matrix P for n ratings.
        """
        bias, X = self.design(item_index)
        residual = rating - self.global_mean - bias - X @ prior.mean
        return solve_ridge(X.T @ X + prior.ridge(len(rating)), X.T) * residual

    # ---- similarity ----

    def item_cosines(self, item: int) -> FloatArray:
        """Cosines (n_items,) of an item's factors with those of every item; 0 for zero factors."""
        return cosines(self.item_weights[:-1, 1:], item)

    def user_cosines(self, user: int) -> FloatArray:
        """Cosines (n_users,) of a user's factors with those of every user; 0 for zero factors."""
        return cosines(self.user_weights[:-1, 1:], user)


def reliability(counts: I64, shrinkage: float) -> F32:
    """The cosine (n,) to expect of an item's learnt factors and its true ones: sqrt(n / (n + s)).

    An item without ratings, whose factors come from its facts, counts as one of one rating.

    Args:
        counts: int64 (n,), numbers of ratings of the items.
        shrinkage: s, the number of ratings at which half of what was learnt is noise; 0 if all
            factors are to be believed.

    Example:
        >>> reliability(np.array([0, 1, 15]), 3.0).tolist()[:2]
        [0.5, 0.5]
    """
    n = np.maximum(counts, 1).astype(np.float64)
    return np.sqrt(n / (n + shrinkage)).astype(np.float32)


class HasFactors(Recommender):
    """A model that has `Factors`: they predict, fold in, explain and compare.

    If its factors have no prior, a model predicts by other means and does not fold in.

    Attributes:
        factors: The `Factors`.
        global_mean, user_bias, item_bias: mu, b_u (n_users,), b_i (n_items,).
        user_factors, item_factors: p_u (n_users, f), q_i (n_items, f).
    """

    factors: Factors

    @property
    def global_mean(self) -> float:
        """Mu."""
        return self.factors.global_mean

    @property
    def user_bias(self) -> F32:
        """b_u, (n_users,), in units of the rating."""
        return self.factors.user_weights[:-1, 0]

    @property
    def item_bias(self) -> F32:
        """b_i, (n_items,), in units of the rating."""
        return self.factors.item_weights[:-1, 0]

    @property
    def user_factors(self) -> F32:
        """p_u, (n_users, f)."""
        return self.factors.user_weights[:-1, 1:]

    @property
    def item_factors(self) -> F32:
        """q_i, (n_items, f)."""
        return self.factors.item_weights[:-1, 1:]

    @property
    def compared_factors(self) -> F32 | None:
        """q_i, or None if there are no factors."""
        return self.item_factors if self.item_factors.shape[1] else None

    @property
    def capabilities(self) -> Capabilities:
        """Fold-in, explanations and standard errors need a prior, similarities and map factors.

        Before the fit, both count as present.
        """
        fitted = hasattr(self, "factors")
        has_prior = not fitted or self.factors.prior is not None
        compares = not fitted or self.item_factors.shape[1] > 0
        return Capabilities(
            folds_in=has_prior,
            explains=has_prior,
            similar_items=compares,
            similar_users=compares,
            map=compares,
            new_items=has_prior and compares,
            standard_errors=has_prior,
        )

    # ---- hooks ----

    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        return self.factors.predict(user_index, item_index)

    def _user(self, user_index: int) -> Any:
        return self.factors.user_weights[user_index]

    def _score(self, user: Any) -> FloatArray:
        return self.factors.score(user)

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        return self.factors.score_users(user_index, out)

    @property
    def _prior(self) -> Prior:
        if self.factors.prior is None:
            raise self._cannot("describe a new person from ratings: it has no closed form")
        return self.factors.prior

    def _rating_effects(self, item_index: IndexArray, rating: FloatArray) -> Array:
        """How far each rating moves a user from the prior's mean: columns (1 + f, n)."""
        return self.factors.rating_effects(self._prior, item_index, rating)

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> Any:
        effects = self._rating_effects(item_index, rating)
        return (self._prior.mean + effects.sum(axis=1)).astype(np.float32)

    @cached_property
    def uncertainty(self) -> Uncertainty:
        """Of expected ratings, from all training ratings or evenly spaced ones."""
        data, has_ratings = self.fitted_ratings, self._has_ratings
        error = self._errors(slice(None, None, -(-len(data) // MAX_RATINGS)))
        rated = self.factors.item_weights[:-1][has_ratings].astype(np.float64)
        counts = data.by_user.counts
        ridge = self._prior.ridge(round(float(counts[counts > 0].mean())))
        users = Side(self.factors.user_weights[:-1][counts > 0], counts[counts > 0], ridge)
        items = Side(rated, data.by_item.counts[has_ratings])
        squared_error = max(float(np.mean(error**2)), MIN_NOISE)
        return Uncertainty.of(squared_error, users, items, regular_covariance(rated))

    @cached_property
    def misfits(self) -> F64:
        """How far the learnt weights of each item are from the best, (n_items,), squared.

        Of a table of more than a million ratings only the items of the fewest have one: of others
        it is next to 0.
        """
        data, has_ratings = self.fitted_ratings, self._has_ratings
        counts, weights = data.by_item.counts, self.factors.item_weights[:-1]
        order = np.argsort(counts, kind="stable")
        n = int(np.searchsorted(np.cumsum(counts[order]), MAX_RATINGS, side="right"))
        some = np.zeros(len(counts), dtype=np.bool_)
        some[order[:n]] = True
        some &= has_ratings
        rows = np.flatnonzero(some[data.item_index])
        where, shape = (data.item_index[rows], data.user_index[rows]), (data.n_items, data.n_users)
        users = Side(self.factors.user_weights[:-1], data.by_user.counts)
        sums = csr_array((self._errors(rows), where), shape=shape) @ users.design
        mean = weights[has_ratings].mean(axis=0, dtype=np.float64)
        misfits = np.zeros(len(counts))
        items = Side(weights[some], counts[some])
        misfits[some] = self.uncertainty.misfits(sums[some], items, mean)
        return misfits

    def _errors(self, rows: Any) -> F64:
        """What the predictions leave of some training ratings, (n,)."""
        data = self.fitted_ratings
        predicted = self.factors.predict(data.user_index[rows], data.item_index[rows])
        return np.asarray(data.rating[rows] - predicted.astype(np.float64))

    def _standard_errors(self, user: User, item_index: IndexArray) -> FloatArray:
        _, X = self.factors.design(user.item_index)
        _, x = self.factors.design(item_index)
        S = solve_ridge(X.T @ X + self._prior.ridge(len(X)), np.eye(X.shape[1]))
        of_items = (self.fitted_data.by_item.counts[item_index], self.misfits[item_index])
        return self.uncertainty.standard_errors(x, S, user.description, *of_items)

    def _place(self, items: NewItems) -> None:
        self.factors = self.factors.with_items(items)

    def _explain(self, user: User, item: int) -> Explanation:
        """The closed form of the fold-in, and a correction for what training adds to it.

        If the prediction is a score and not a rating, terms that are 0 are left out.
        """
        explanation, total = self._closed_form(user, item, user.description)
        if self.predicts_ratings:
            scale = self.ratings_.scale
            corrections = (*explanation.corrections, *kept_inside(scale, total))
            return replace(explanation, corrections=corrections)
        return replace(explanation, parts=tuple(p for p in explanation.parts if p.contribution))

    def _closed_form(self, user: User, item: int, weights: Array) -> tuple[Explanation, float]:
        """The parts of mu + b_i + w_u . x_i for weights w_u, and their sum."""
        (bias,), (x,) = self.factors.design(np.array([item], dtype=np.int32))
        effects = x @ self._rating_effects(user.item_index, user.rating)
        average = float(x @ self._prior.mean)
        beyond = float(x @ weights) - average - float(effects.sum())
        parts = (
            Part(PartKind.GLOBAL_MEAN, self.global_mean),
            Part(PartKind.ITEM_BIAS, float(bias)),
            Part(PartKind.AVERAGE_USER, average),
        )
        total = sum(part.contribution for part in parts) + float(effects.sum()) + beyond
        return Explanation(user, parts, effects, correction(PartKind.TRAINING, beyond)), total

    def _lifts(self, user: User, item_index: IndexArray) -> FloatArray:
        # Relative to the average item; otherwise a user's high ratings would raise every item.
        weights = self.factors.item_weights
        x = weights[item_index].astype(np.float64) - weights[-1]
        x[:, 0] = 0.0
        return x @ self._rating_effects(user.item_index, user.rating)

    @cached_property
    def similarity_shrinkage(self) -> float:
        """The number of ratings at which half of what an item's factors say is noise.

        It is learnt from the training ratings when it is first needed, with the same result each
        time: `estimated_shrinkage`. It is 0 in a model that only ranks: there who takes an item
        up says more than how much, and factors of few likes are small and lie near the average.
        """
        if not self.predicts_ratings or not self.item_factors.shape[1]:
            return 0.0
        from tastemap.models.base.reliability import estimated_shrinkage  # compiled code

        factors = self.factors
        users, items = factors.user_weights[:-1], factors.item_weights[:-1]
        return estimated_shrinkage(self.fitted_ratings, factors.global_mean, users, items)

    def similarity_vectors(self) -> F32:
        """Vectors (n_items, d), at most of length 1, whose inner products are the similarities.

        Those of two different items: the similarity of an item with itself is 1.
        """
        self._refuse_without_factors()
        vectors = self._item_reliability[:, None] * unit_rows(self.item_factors)
        return vectors.astype(np.float32)

    @property
    def _item_reliability(self) -> F32:
        """The cosine to expect of an item's learnt factors and its true ones, (n_items,)."""
        return reliability(self.fitted_data.by_item.counts, self.similarity_shrinkage)

    def _item_similarities(self, item: int) -> FloatArray:
        """The cosines of factors that are partly noise, times what is left of true ones."""
        self._refuse_without_factors()
        reliable = self._item_reliability
        similarity = self.factors.item_cosines(item) * reliable * reliable[item]
        if self.item_factors[item].any():
            similarity[item] = 1.0
        return similarity

    def _user_similarities(self, user: int) -> FloatArray:
        self._refuse_without_factors()
        return self.factors.user_cosines(user)

    def _refuse_without_factors(self) -> None:
        if not self.item_factors.shape[1]:
            raise self._cannot("compare: it has biases and no factors")

    def _arrays(self) -> dict[str, Array]:
        return self.factors.arrays()

    def _restore(self, arrays: dict[str, Array]) -> None:
        self.factors = Factors.from_arrays(arrays, self.ratings_)


class FactorModel(HasFactors):
    """A model that consists of its factors; a saved network of factors is loaded as this class.

    Unknown ids:
        An unknown user is the average user, the prior's mean. An unknown item, or an item without
        a training rating, is the average item of the training ratings.

    Fold-in:
        The prior's mean plus the effects of the ratings, see `Factors.rating_effects`.
    """

    def __str__(self) -> str:
        return getattr(self, "learnt_by_", type(self).__name__)

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        """Fit a new model of the recipe's class, and adopt its factors and training curves."""
        recipe = getattr(self, "recipe_", None)
        if recipe is None or recipe["class"] == "FactorModel":
            raise UnsupportedError(
                "a model loaded from its factors cannot be fitted",
                do="fit a new model of the kind that learnt them (tastemap info names it)",
            )
        cls = model_class(recipe["class"])
        check_arguments(cls, recipe["parameters"])
        model: Any = cls(**recipe["parameters"])
        model.fit(ratings, validation=validation, seed=seed, progress=progress)
        self.factors, self.history_ = model.factors, model.history_

    def _recipe(self) -> dict[str, Any] | None:
        return getattr(self, "recipe_", None) if type(self) is FactorModel else super()._recipe()


class Start(NamedTuple):
    """Where an update starts.

    Attributes:
        users: float32 (n_users, 1 + f), rows (b_u, p_u); a new user has the average user's.
        items: float32 (n_items, 1 + f), rows (b_i, q_i); a new item has the average item's.
    """

    users: F32
    items: F32


class WarmStart(FactorModel):
    """A factor model whose updates start from its present factors.

    An update runs a share of the epochs of a fit, on the old and the new ratings together. New
    users and items start as the average user and the average item.
    """

    #: Share of the epochs of a fit that an update runs.
    _share: ClassVar[float] = 1 / 3
    _start: Start | None = None

    def update(self, ratings: Feedback, *, seed: int = 0, progress: bool = True) -> Self:
        """Learn further from new ratings, from the present factors, in fewer epochs.

        If both tables have a pair of user and item, the new rating replaces the old. The result
        is close to a fit on all ratings, but not the same.

        Args:
            ratings: The new ratings; users and items may be new.
            seed: The same seed gives the same result, on any number of threads.
            progress: As in `fit`.
        """
        merged = self.fitted_data.merged_with(same_kind(ratings, self.fitted_data))
        users = _grown(self.factors.user_weights, merged.n_users)
        self._start = Start(users, _grown(self.factors.item_weights, merged.n_items))
        try:
            return self.fit(merged, seed=seed, progress=progress)
        finally:
            self._start = None

    def _epochs(self, n_epochs: int) -> int:
        """The number of epochs to run: all in a fit, a share of them in an update."""
        return n_epochs if self._start is None else math.ceil(self._share * n_epochs)


def _grown(weights: F32, n: int) -> F32:
    """Weights of n users or items; each new one gets the last row, the average."""
    n_new = n - (len(weights) - 1)
    return np.vstack([weights[:-1], np.repeat(weights[-1:], n_new, axis=0)])
