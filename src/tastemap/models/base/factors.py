"""``Factors``: biases and factors of users and items, and the models that have them."""

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from tastemap.arrays import F32, FloatArray, IndexArray
from tastemap.data.ratings import Ratings
from tastemap.errors import UnsupportedError
from tastemap.metrics.similarity import cosines
from tastemap.models.base.explanation import Explanation, Part, PartKind, correction, kept_inside
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.rows import Capabilities
from tastemap.models.base.user import User

Array = npt.NDArray[Any]

# Rows turned into float64 at once: they stay in the caches.
CHUNK_ROWS = 1024
# Half the distance from 1 to the next float32, and a little more for terms of second order.
ROUNDING = 1.01 * 2.0**-24


@dataclass(frozen=True)
class Prior:
    """What is believed of a user before the first rating: w_u ~ N(mean, s^2 precision^-1).

    Attributes:
        mean: float64 (1 + f,), bias and factors of the average user.
        precision: float64 (1 + f, 1 + f), in units of the inverse noise variance s^2 of a rating:
            the ridge matrix of the fold-in. For a bias alone it is the damping.
    """

    mean: Array
    precision: Array

    @classmethod
    def of_users(cls, weights: Array, noise_variance: float) -> "Prior":
        """The prior that the trained users suggest (empirical Bayes).

        Their covariance is shrunk a little towards a multiple of the identity, so that its inverse
        exists with few users and with a bias that is always zero.

        Args:
            weights: (n_users, 1 + f), bias and factors of users with ratings.
            noise_variance: Mean squared error of a training rating.
        """
        covariance = np.atleast_2d(np.cov(weights, rowvar=False, bias=True))
        size = len(covariance)
        identity = np.eye(size) * max(float(np.trace(covariance)) / size, 1e-9)
        inverse = np.linalg.inv(0.99 * covariance + 0.01 * identity)
        return cls(weights.mean(axis=0), max(noise_variance, 1e-6) * inverse)


@dataclass(frozen=True)
class Factors:
    """Biases and factors of users and items, whatever learnt them.

    Prediction:
        r_ui = mu + b_i + w_u . x_i with w_u = (b_u, p_u) and x_i = (1, q_i), that is
        mu + b_u + b_i + p_u . q_i (Koren, Bell, Volinsky, "Matrix factorization techniques for
        recommender systems", Computer 42(8), 2009, equation 4).

    Attributes:
        global_mean: mu.
        user_weights: float32 (n_users + 1, 1 + f), rows (b_u, p_u); the last is the average user.
        item_weights: float32 (n_items + 1, 1 + f), rows (b_i, q_i); the last is the average item.
        prior: What is believed of a user without ratings; None where the factors only tell what is
            alike, and do not make the predictions.
    """

    global_mean: float
    user_weights: F32
    item_weights: F32
    prior: Prior | None = None

    # ---- from a fit, to and from an artifact ----

    @classmethod
    def of(
        cls, ratings: Ratings, mean: float, users: Array, items: Array, prior: Prior | None = None
    ) -> "Factors":
        """What a fit has learnt: mu, rows (b_u, p_u) and (b_i, q_i), and the prior.

        An item without a rating gets the average of the training ratings' items; a user without
        one the prior's mean, or 0 without a prior.
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
        """As `of`, with the prior that the trained users and the training errors suggest."""
        predicted = cls.of(ratings, mean, users, items).predict(
            ratings.user_index, ratings.item_index
        )
        noise_variance = float(np.mean((ratings.rating - predicted) ** 2))
        rated = users[ratings.by_user.counts > 0].astype(np.float64)
        return cls.of(ratings, mean, users, items, Prior.of_users(rated, noise_variance))

    def arrays(self) -> dict[str, Array]:
        """Everything by name, for the artifact."""
        arrays = {
            "global_mean": np.array([self.global_mean]),
            "user_weights": self.user_weights,
            "item_weights": self.item_weights,
        }
        if self.prior is not None:
            arrays |= {"prior_mean": self.prior.mean, "prior_precision": self.prior.precision}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array], ratings: Ratings) -> "Factors":
        """Take back what `arrays` gave.

        Raises:
            KeyError: If an array is missing.
            ValueError: If they do not fit each other, or the ratings.
        """
        users, items, prior = arrays["user_weights"], arrays["item_weights"], None
        sizes = {users.shape[1], items.shape[1]}
        if "prior_mean" in arrays:
            prior = Prior(arrays["prior_mean"], arrays["prior_precision"])
            sizes |= {*prior.mean.shape, *prior.precision.shape}
        rows, expected = (len(users), len(items)), (ratings.n_users + 1, ratings.n_items + 1)
        if rows != expected or len(sizes) > 1:
            raise ValueError(f"{rows} rows of {sizes} weights, not {expected} of one size")
        return cls(float(arrays["global_mean"][0]), users, items, prior)

    # ---- predictions ----

    # A score is the float32 nearest to the sum in float64, however many are computed at once. So
    # two items stand in the same order for one user and for all, and equal items in that of rows.

    def predict(self, user_index: IndexArray, item_index: IndexArray) -> F32:
        """Raw predictions (n,) of pairs of rows; -1, the last row, is the average."""
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
        """As `RowModel.score_users`: in float32, without what all items of a user share."""
        w, x = self.user_weights[user_index], self.item_weights[:-1]
        shared = self.global_mean + w[:, 0]
        w[:, 0] = 1
        # The error of a product of f numbers and of its rounding at the end (Higham, "Accuracy and
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
        with biases b and rows X, with the prior (m, P).
        """
        bias, X = self.design(item_index)
        residual = rating - self.global_mean - bias - X @ prior.mean
        return np.linalg.solve(X.T @ X + prior.precision, X.T) * residual

    # ---- similarity ----

    def item_cosines(self, item: int) -> FloatArray:
        """Cosine (n_items,) of the factors of an item with those of every item; 0 without any."""
        return cosines(self.item_weights[:-1, 1:], item)

    def user_cosines(self, user: int) -> FloatArray:
        """The same of users, (n_users,)."""
        return cosines(self.user_weights[:-1, 1:], user)


class HasFactors(Recommender):
    """A model that has `Factors`: they predict, fold in, explain, and tell what is alike.

    A model whose factors have no prior predicts in a way of its own, and cannot fold in.

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
    def capabilities(self) -> Capabilities:
        """Without a prior nobody is folded in; without factors beside the biases nothing compared.

        Before the fit, what the model will be able to do.
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

    def _explain(self, user: User, item: int) -> Explanation:
        """In the closed form of the fold-in, and what training found beyond it.

        A score has no more parts than the model has terms: a term that is always 0 is left out.
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
        # Above the average item: else a user who rates high would have that lift every item.
        weights = self.factors.item_weights
        x = weights[item_index].astype(np.float64) - weights[-1]
        x[:, 0] = 0.0
        return x @ self._rating_effects(user.item_index, user.rating)

    def _item_similarities(self, item: int) -> FloatArray:
        self._refuse_without_factors()
        return self.factors.item_cosines(item)

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
    """A model that is its factors, whatever learnt them; by itself, the form they are loaded in.

    Unknown ids:
        An unknown user is the average user, the prior's mean; an unknown item, and one without a
        training rating, is the average item of the training ratings.

    Fold-in:
        The prior's mean plus the effects of the ratings, see `Factors.rating_effects`.
    """

    def __str__(self) -> str:
        return getattr(self, "learnt_by_", type(self).__name__)

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        """Fit a model of the kind that learnt the factors, and adopt what it has learnt."""
        recipe = getattr(self, "recipe_", None)
        if recipe is None or recipe["class"] == "FactorModel":
            raise UnsupportedError(
                "a model loaded from its factors cannot be fitted",
                do="fit a new model of the kind that learnt them (tastemap info names it)",
            )
        from tastemap.models.registry import model_class

        model: Any = model_class(recipe["class"])(**recipe["parameters"])
        model.fit(ratings, validation=validation, seed=seed, progress=progress)
        self.factors, self.history_ = model.factors, model.history_

    def _recipe(self) -> dict[str, Any] | None:
        return getattr(self, "recipe_", None) if type(self) is FactorModel else super()._recipe()


class Start(NamedTuple):
    """Where an update starts.

    Attributes:
        users: float32 (n_users, 1 + f), rows (b_u, p_u); the average user's of those who are new.
        items: float32 (n_items, 1 + f), rows (b_i, q_i); the average item's of those that are new.
    """

    users: F32
    items: F32


class WarmStart(FactorModel):
    """A model of factors whose updates start at the factors that it has.

    An update makes a share of the epochs of a fit, on the old ratings and the new together. Users
    and items that are new start as the average of those known.
    """

    #: Share of the epochs of a fit that an update makes.
    _share: ClassVar[float] = 1 / 3
    _start: Start | None = None

    def update(self, ratings: Ratings, *, seed: int = 0, progress: bool = True) -> Self:
        """Learn further from new ratings, from the present factors, in fewer epochs.

        Where both have a pair of user and item, the new rating wins. What comes out is close to a
        fit on all ratings, and not the same.

        Args:
            ratings: The new ratings; users and items may be new.
            seed: Same seed, same result, on any number of threads.
            progress: As in `fit`.
        """
        merged = self.fitted_ratings.merged_with(ratings)
        users = _grown(self.factors.user_weights, merged.n_users)
        self._start = Start(users, _grown(self.factors.item_weights, merged.n_items))
        try:
            return self.fit(merged, seed=seed, progress=progress)
        finally:
            self._start = None

    def _epochs(self, n_epochs: int) -> int:
        """How many of the epochs of a fit are to be made."""
        return n_epochs if self._start is None else math.ceil(self._share * n_epochs)


def _grown(weights: F32, n: int) -> F32:
    """Rows of n users or items; the last of the weights, the average, stands in for the new."""
    known = weights[:-1]
    return np.vstack([known, np.repeat(weights[-1:], n - len(known), axis=0)])
