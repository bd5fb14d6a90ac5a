"""What models with user and item factors share: prediction, fold-in, explanation, similarity."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Id
from tastemap.errors import UnsupportedError
from tastemap.models.base.recommender import Hooks, Recommender
from tastemap.models.base.selection import ranked, top_k

Array = npt.NDArray[Any]

# Rows turned into float64 at once: they stay in the caches.
_CHUNK = 1024
# Half the distance from 1 to the next float32, and a little more for terms of second order.
_ROUNDING = 1.01 * 2.0**-24


@dataclass(frozen=True)
class Prior:
    """What is believed of a person before their first rating: w_u ~ N(mean, s^2 precision^-1).

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


class FactorModel(Recommender):
    """Biases and factors, whatever learnt them; by itself, the form in which they are loaded.

    Prediction:
        r_ui = mu + b_i + w_u . x_i with w_u = (b_u, p_u) and x_i = (1, q_i), that is
        mu + b_u + b_i + p_u . q_i (Koren, Bell, Volinsky, "Matrix factorization techniques for
        recommender systems", Computer 42(8), 2009, equation 4).

    Unknown ids:
        An unknown user is the average user, the prior's mean; an unknown item, and one without a
        training rating, is the average item of the training ratings.

    Fold-in:
        The ridge solution for ratings r of items j against the fixed items, where row j of X is
        x_j and (m, P) is the prior: w = m + (X'X + P)^-1 X'(r - mu - b - X m).

    Attributes:
        global_mean: mu.
        user_weights: float32 (n_users + 1, 1 + f), rows (b_u, p_u); the last is the average user.
        item_weights: float32 (n_items + 1, 1 + f), rows (b_i, q_i); the last is the average item.
        prior: The `Prior` of the fold-in.
    """

    global_mean: float
    user_weights: npt.NDArray[np.float32]
    item_weights: npt.NDArray[np.float32]
    prior: Prior

    @property
    def folds_in(self) -> bool:
        """A new person can be described from ratings, in closed form."""
        return True

    @property
    def user_bias(self) -> npt.NDArray[np.float32]:
        """b_u, (n_users,), in units of the rating."""
        return self.user_weights[:-1, 0]

    @property
    def item_bias(self) -> npt.NDArray[np.float32]:
        """b_i, (n_items,), in units of the rating."""
        return self.item_weights[:-1, 0]

    @property
    def user_factors(self) -> npt.NDArray[np.float32]:
        """p_u, (n_users, f)."""
        return self.user_weights[:-1, 1:]

    @property
    def item_factors(self) -> npt.NDArray[np.float32]:
        """q_i, (n_items, f)."""
        return self.item_weights[:-1, 1:]

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        """Fit a model of the kind that learnt the factors, and take what it finds."""
        recipe = getattr(self, "recipe_", None)
        if recipe is None or recipe["class"] == "FactorModel":
            raise UnsupportedError(
                "a model loaded from its factors cannot be fitted",
                do="fit a new model of the kind that learnt them (tastemap info names it)",
            )
        from tastemap.models.registry import model_class

        model: Any = model_class(recipe["class"])(**recipe["parameters"])
        model.fit(ratings, validation=validation, seed=seed, progress=progress)
        self.take(model)

    def take(self, model: Recommender) -> None:
        """Take over all that another model of factors has learnt."""
        learnt = Hooks.__annotations__ | FactorModel.__annotations__
        vars(self).update({name: value for name, value in vars(model).items() if name in learnt})

    def __str__(self) -> str:
        return getattr(self, "learnt_by_", type(self).__name__)

    def _recipe(self) -> dict[str, Any] | None:
        return getattr(self, "recipe_", None) if type(self) is FactorModel else super()._recipe()

    def _learnt(
        self, ratings: Ratings, mean: float, users: Array, items: Array, prior: Prior | None = None
    ) -> None:
        """Take what a fit has learnt: mu, rows (b_u, p_u), rows (b_i, q_i), and maybe the prior."""
        item_counts, user_counts = ratings.by_item.counts, ratings.by_user.counts
        average_item = np.average(items, axis=0, weights=item_counts)
        items = np.where(item_counts[:, None] > 0, items, average_item)
        self.global_mean = mean
        self.item_weights = np.vstack([items, average_item]).astype(np.float32)
        if prior is None:
            self.user_weights = np.vstack([users, users[:1]]).astype(np.float32)
            residual = ratings.rating - self._predict(ratings.user_index, ratings.item_index)
            noise_variance = float(np.mean(residual**2))
            prior = Prior.of_users(users[user_counts > 0].astype(np.float64), noise_variance)
        users = np.where(user_counts[:, None] > 0, users, prior.mean)
        self.prior = prior
        self.user_weights = np.vstack([users, prior.mean]).astype(np.float32)

    # ---- prediction ----

    # A score is the float32 nearest to the sum in float64, however many are asked for: so that two
    # items stand in the same order for one user and for all, and equal items in that of their rows.

    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        predicted = np.empty(len(user_index), dtype=np.float32)
        for start in range(0, len(user_index), _CHUNK):
            part = slice(start, start + _CHUNK)
            # Row -1, the last, is the average user or item.
            w = self.user_weights[user_index[part]].astype(np.float64)
            x = self.item_weights[item_index[part]].astype(np.float64)
            bias = self.global_mean + w[:, 0] + x[:, 0]
            predicted[part] = bias + np.einsum("nf,nf->n", w[:, 1:], x[:, 1:])
        return predicted

    def _score(self, user: Array) -> FloatArray:
        from tastemap.kernels.factors import score_rows  # Numba is not loaded before it is needed

        w = np.array(user, dtype=np.float64)
        w[0] += self.global_mean
        scores = np.empty(len(self.item_weights) - 1, dtype=np.float32)
        score_rows(self.item_weights[:-1], w, scores)
        return scores

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        # In float32, without what all items of a user share.
        w, x = self.user_weights[user_index], self.item_weights[:-1]
        shared = self.global_mean + w[:, 0]
        w[:, 0] = 1
        # Of a product of f numbers and of its rounding at the end (Higham, "Accuracy and stability
        # of numerical algorithms", 2002, equation 3.5).
        sizes = [np.sqrt(np.einsum("nf,nf->n", rows, rows)) for rows in (w, x)]
        size = sizes[0].astype(np.float64) * sizes[1].max()
        return np.matmul(w, x.T, out=out), _ROUNDING * (np.abs(shared) + (x.shape[1] + 2) * size)

    def _user(self, user_index: int) -> Array:
        return self.user_weights[user_index]

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> Array:
        return (self.prior.mean + self._moves(item_index, rating).sum(axis=1)).astype(np.float32)

    def _moves(self, item_index: IndexArray, rating: FloatArray) -> Array:
        """How far each rating moves a person from the average user: columns (1 + f, n)."""
        bias, X = self._design(item_index)
        residual = rating - self.global_mean - bias - X @ self.prior.mean
        return np.linalg.solve(X.T @ X + self.prior.precision, X.T) * residual

    def _design(self, item_index: IndexArray) -> tuple[Array, Array]:
        """b_i (n,) and rows x_i = (1, q_i), (n, 1 + f), in float64."""
        X = self.item_weights[item_index].astype(np.float64)
        bias = X[:, 0].copy()
        X[:, 0] = 1.0
        return bias, X

    # ---- explanation ----

    def explain(
        self, user_id: Id | None = None, *, item_id: Id, ratings: Any = None
    ) -> pl.DataFrame:
        """The parts of a predicted rating; they sum to it.

        The mean, the item's bias, what the average user adds, and the contribution of each rating
        of the person in the closed form of the fold-in. For a user of the training data a further
        part says what training found beyond the closed form; where the prediction leaves the
        scale, a last part brings it back.

        Args:
            user_id: A user of the training data; or else
            ratings: The ratings of one person, as in `recommend`.
            item_id: The item (id or title) whose predicted rating is explained.

        Returns:
            Frame ``part, item_id, title, rating, contribution``; the middle three belong to the
            rated item and are null in the other parts.
        """
        data = self._fitted
        person = self._person(user_id, ratings)
        bias, x = self._design(np.array([data.items.find(item_id)], dtype=np.int32))
        moves = x[0] @ self._moves(person.item_index, person.rating)
        average = float(x[0] @ self.prior.mean)
        beyond = float(x[0] @ person.description) - average - float(moves.sum())
        parts = {"global mean": self.global_mean, "item bias": bias[0], "average user": average}
        total = sum(parts.values()) + float(moves.sum()) + beyond
        correction = float(data.scale.clip(np.array(total))) - total
        rated = pl.DataFrame(
            {
                "item_id": data.items.ids_at(person.item_index),
                "title": data.items.titles.gather(person.item_index),
                "rating": person.rating,
                "contribution": moves,
            }
        ).sort(pl.col("contribution").abs(), descending=True, maintain_order=True)
        rest = {"training beyond the ratings": beyond, "kept inside the scale": correction}
        return pl.concat(
            [
                _parts(parts),
                rated.select(pl.lit("your rating").alias("part"), pl.all()),
                _parts({part: value for part, value in rest.items() if abs(value) > 1e-6}),
            ],
            how="diagonal_relaxed",
        ).select("part", "item_id", "title", "rating", "contribution")

    # ---- similarity ----

    def similarity(self, item_id: Id, other_id: Id) -> float:
        """Cosine similarity, in [-1, 1], of the factors of two items (ids or titles)."""
        items = self._fitted.items
        rows = [items.find(item_id), items.find(other_id)]
        return float(self._cosines(self.item_factors, rows[0])[rows[1]])

    def similar_items(self, item_id: Id, k: int | None = None) -> pl.DataFrame:
        """The k items whose factors point most nearly the same way; the item itself is left out.

        Returns:
            Frame ``rank, item_id, title, similarity`` (cosine, in [-1, 1]), most similar first.
        """
        return self._neighbours(item_id, k, sign=1)

    def dissimilar_items(self, item_id: Id, k: int | None = None) -> pl.DataFrame:
        """The k items whose factors point most nearly the opposite way, as in `similar_items`."""
        return self._neighbours(item_id, k, sign=-1)

    def similar_users(self, user_id: Id, k: int | None = None) -> pl.DataFrame:
        """The k users whose factors point most nearly the same way; the user is left out.

        Returns:
            Frame ``rank, user_id, similarity`` (cosine, in [-1, 1]), most similar first.
        """
        users = self._fitted.users
        row = users.index_of(user_id)
        cosines = self._cosines(self.user_factors, row)
        rows = top_k(cosines, np.arange(len(users)) != row, k, kind="user")
        return ranked(users.ids_at(rows), similarity=cosines[rows])

    def _neighbours(self, item_id: Id, k: int | None, sign: int) -> pl.DataFrame:
        items = self._fitted.items
        row = items.find(item_id)
        cosines = self._cosines(self.item_factors, row)
        rated = self._fitted.by_item.counts > 0
        rated[row] = False
        rows = top_k(sign * cosines, rated, k)
        return self._item_frame(rows, similarity=cosines[rows])

    def _cosines(self, factors: Array, row: int) -> FloatArray:
        """Cosine of one row with every row; 0 where a row has no length."""
        if not factors.shape[1]:
            raise self._cannot("compare: it has biases and no factors")
        norms = np.linalg.norm(factors, axis=1)
        lengths = np.maximum(norms * norms[row], np.finfo(np.float32).tiny)
        return np.clip(factors @ factors[row] / lengths, -1.0, 1.0)

    # ---- the artifact ----

    def _arrays(self) -> dict[str, Array]:
        return {
            "global_mean": np.array([self.global_mean]),
            "user_weights": self.user_weights,
            "item_weights": self.item_weights,
            "prior_mean": self.prior.mean,
            "prior_precision": self.prior.precision,
        }

    def _restore(self, arrays: dict[str, Array]) -> None:
        self.global_mean = float(arrays["global_mean"][0])
        self.user_weights, self.item_weights = arrays["user_weights"], arrays["item_weights"]
        self.prior = Prior(arrays["prior_mean"], arrays["prior_precision"])
        rows = (self.ratings_.n_users + 1, self.ratings_.n_items + 1)
        found = (len(self.user_weights), len(self.item_weights))
        size = len(self.prior.mean)
        columns = {
            self.user_weights.shape[1],
            self.item_weights.shape[1],
            *arrays["prior_precision"].shape,
        }
        if found != rows or columns != {size}:
            raise ValueError(f"{found} rows of {columns} weights, not {rows} of {size}")


def _parts(values: dict[str, Any]) -> pl.DataFrame:
    """Parts of an explanation that belong to no rated item."""
    return pl.DataFrame(
        {"part": list(values), "contribution": [float(value) for value in values.values()]},
        schema={"part": pl.String, "contribution": pl.Float64},
    )


_Floats = npt.NDArray[np.float32]


class Start(NamedTuple):
    """Where an update starts.

    Attributes:
        users: float32 (n_users, 1 + f), rows (b_u, p_u); the average user's of those who are new.
        items: float32 (n_items, 1 + f), rows (b_i, q_i); the average item's of those that are new.
    """

    users: _Floats
    items: _Floats


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
        merged = self._fitted.merged_with(ratings)
        self._start = Start(
            _grown(self.user_weights, merged.n_users), _grown(self.item_weights, merged.n_items)
        )
        try:
            return self.fit(merged, seed=seed, progress=progress)
        finally:
            self._start = None

    def _epochs(self, n_epochs: int) -> int:
        """How many of the epochs of a fit are to be made."""
        return n_epochs if self._start is None else math.ceil(self._share * n_epochs)


def _grown(weights: _Floats, n: int) -> _Floats:
    """Rows of n users or items; the last of the weights, the average, stands in for the new."""
    known = weights[:-1]
    return np.vstack([known, np.repeat(weights[-1:], n - len(known), axis=0)])
