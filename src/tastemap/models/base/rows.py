"""``RowModel``: a model on row numbers: what it can do, its hooks, and what it answers on rows."""

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.ratings import Ratings
from tastemap.errors import NotFittedError, UnsupportedError
from tastemap.models.base import selection
from tastemap.models.base.explanation import Explanation
from tastemap.models.base.user import User


@dataclass(frozen=True)
class Capabilities:
    """What a model can do, beside scoring items for the users of its training data.

    Attributes:
        predicts: Its scores are ratings; else they only rank, and `predict` is refused.
        distribution: It gives a distribution over ratings, and so a median.
        folds_in: It describes a new user from ratings.
        explains: Its predictions are sums of parts.
        similar_items, similar_users: It compares items, or users.
        map: It has a vector for each item, from which a map can be drawn.
    """

    predicts: bool = True
    distribution: bool = False
    folds_in: bool = False
    explains: bool = False
    similar_items: bool = False
    similar_users: bool = False
    map: bool = False


class RowModel(ABC):
    """What a model implements, and what it answers on rows; ids are strange to it.

    Row -1 stands for an unknown user or item.

    Attributes:
        ratings_: The ratings the model was fitted on: vocabularies, scale, what each user has seen.
        history_: Frame ``epoch, train_<metric>, validation_<metric>`` of the training curves, one
            row an epoch; empty where there are none.
        metrics_: Test errors recorded with the model, by name.
        item_map_: Frame ``item_id, x, y`` of the 2-D map, once one has been drawn, else None.
        seed_: The seed of the fit.
        recipe_: Class and parameters to learn it again, or None where JSON cannot hold them.
        learnt_by_: What learnt the model, which the class of a loaded one may not tell.
    """

    #: Names of the constructor's parameters, kept in the artifact.
    parameters: ClassVar[tuple[str, ...]] = ()
    #: Whether a first fit, on any data, compiles what later fits use.
    compiles: ClassVar[bool] = True

    ratings_: Ratings
    history_: pl.DataFrame
    metrics_: dict[str, Any]
    item_map_: pl.DataFrame | None
    seed_: int
    learnt_by_: str
    recipe_: dict[str, Any] | None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.parameters = tuple(inspect.signature(cls).parameters)

    def __str__(self) -> str:
        return type(self).__name__

    # ---- capabilities ----

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do; of some models their parameters or their data decide."""
        return Capabilities()

    @property
    def predicts_ratings(self) -> bool:
        """Whether a score is a rating; if not, `predict` is refused and predicted ratings null."""
        return self.capabilities.predicts

    @property
    def has_distribution(self) -> bool:
        """Whether the model gives a distribution over ratings, and so a median."""
        return self.capabilities.distribution

    @property
    def folds_in(self) -> bool:
        """Whether the model can describe a new user from ratings."""
        return self.capabilities.folds_in

    # ---- hooks: what a model implements ----

    @abstractmethod
    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        """Learn from ratings; may set ``history_``."""

    @abstractmethod
    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Raw predictions (n,) of pairs of rows."""

    @abstractmethod
    def _score(self, user: Any) -> FloatArray:
        """Raw predictions (n_items,) for one user, as `_user` or `_fold_in` describes them."""

    @abstractmethod
    def _user(self, user_index: int) -> Any:
        """The model's description of a user of the training data."""

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        """As `score_users`."""
        return np.stack([self._score(self._user(int(user))) for user in user_index]), None

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> Any:
        """The model's description of a user from ratings alone."""
        raise self._cannot("describe a new person from ratings")

    def _predict_distribution(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Probabilities (n, levels) of each value of the scale, for pairs of rows."""
        raise self._cannot("give a distribution over ratings, or a median")

    def _distribution_of(self, user: Any, item_index: IndexArray) -> FloatArray:
        """The same (n, levels), of items for one user, as `_user` or `_fold_in` describes them."""
        raise self._cannot("give a distribution over the ratings of a new person")

    def _context(self, ratings: Ratings) -> tuple[Any, ...]:
        """Further arguments of `_predict` and `_predict_distribution` for the rows of a table."""
        return ()

    def _explain(self, user: User, item: int) -> Explanation:
        """The parts of the score of an item (its row) for a user."""
        raise self._cannot("explain a prediction: it is no sum of parts")

    def _lifts(self, user: User, item_index: IndexArray) -> FloatArray:
        """As `lift_rows`."""
        return np.array([self._explain(user, int(item)).effects for item in item_index])

    def _item_similarities(self, item: int) -> FloatArray:
        """Similarity (n_items,) of an item (its row) with every item, in [-1, 1]."""
        raise self._cannot("compare items")

    def _user_similarities(self, user: int) -> FloatArray:
        """Similarity (n_users,) of a user (its row) with every user, in [-1, 1]."""
        raise self._cannot("compare users")

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What the model has learnt, by name, for the artifact."""
        raise self._cannot("be saved")

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take back what `_arrays` gave, which may be read-only.

        Raises:
            KeyError, ValueError: If an array is missing, or does not fit the others.
        """
        raise self._cannot("be loaded")

    def _recipe(self) -> dict[str, Any] | None:
        """Class and parameters, as `recipe_` keeps them."""
        return {"class": type(self).__name__, "parameters": self.get_params()}

    # ---- calls on rows ----

    def rows_of(self, ratings: Ratings) -> tuple[IndexArray, IndexArray]:
        """User and item rows (n,), in this model's vocabularies, of a table that may have its own.

        An unknown user or item has the row -1.
        """
        data = self.fitted_ratings
        users = data.users.index(ratings.users.ids, missing="negative")[ratings.user_index]
        items = data.items.index(ratings.items.ids, missing="negative")[ratings.item_index]
        return users, items

    def user_at(self, user_index: int) -> User:
        """A user of the training data, by row."""
        data = self.fitted_ratings
        rated = data.by_user[user_index]
        items, rating = data.item_index[rated], data.rating[rated]
        return User(self._user(user_index), items, rating, user_index)

    def fold_in_rows(self, item_index: IndexArray, rating: npt.NDArray[np.float32]) -> User:
        """A new user from the rows of the items that they rated, and the ratings."""
        return User(self._fold_in(item_index, rating), item_index, rating)

    def score_rows(self, user: User) -> FloatArray:
        """The score (n_items,) of every item for one user, outside the scale too."""
        return self._score(user.description)

    def score_users(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        """Fast scores of many users, and how exact they are.

        Args:
            user_index: int32 (n,), rows of users.
            out: float32 (n, n_items), memory that the scores may be put into.

        Returns:
            Scores (n, n_items), which the caller may change. Then None, if they are those of
            `score_rows`. Else errors (n,): the scores of a user may lack a number that is the same
            for all items, and differ beside it by so much from `predict_rows`, which is exact.
        """
        return self._score_many(user_index, out)

    def predict_rows(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Raw predictions (n,) of pairs of rows."""
        return self._predict(user_index, item_index)

    def distribution_rows(self, user: User, item_index: IndexArray) -> FloatArray:
        """Probabilities (n, levels) of each value of the scale, of items for one user."""
        return self._distribution_of(user.description, item_index)

    def recommend_rows(
        self,
        user: User,
        k: int,
        *,
        allowed: selection.Mask | None = None,
        exclude_seen: bool = True,
        novelty: float = 0.0,
    ) -> tuple[IndexArray, FloatArray, FloatArray]:
        """The best items for a user: rows, raw predictions and scores, best first.

        Args:
            user: A user, of `user_at`, `fold_in_rows` or `fold_in`.
            k: Number of items; the answer is shorter where no more are allowed.
            allowed: Mask (n_items,) of the items to choose from; None for all.
            exclude_seen: Leave out what the user has rated.
            novelty: From -1 (favour the popular) over 0 to 1 (favour the little known).
        """
        predicted = self._score(user.description)
        popularity = self.fitted_ratings.by_item.counts.astype(float)
        score = predicted + selection.novelty_bonus(predicted, popularity, novelty)
        mask = np.ones(len(score), dtype=bool) if allowed is None else allowed.copy()
        if exclude_seen:
            mask[user.item_index] = False
        rows = selection.top_k(score, mask, k)
        return rows, predicted[rows], score[rows]

    def explain_rows(self, user: User, item: int) -> Explanation:
        """The parts of the score of an item (its row) for a user."""
        return self._explain(user, item)

    def similarity_rows(self, item: int) -> FloatArray:
        """Similarity (n_items,) of an item (its row) with every item, in [-1, 1]."""
        return self._item_similarities(item)

    def lift_rows(self, user: User, item_index: IndexArray) -> FloatArray:
        """How far each rating of a user lifts each item, (n, n_ratings), in units of the score.

        Of a model with factors it is how far a rating lifts an item above the average item; of
        others, what the rating contributes to the score.
        """
        return self._lifts(user, item_index)

    # ---- what both interfaces share ----

    def get_params(self) -> dict[str, Any]:
        """The constructor's arguments, by name."""
        return {name: getattr(self, name) for name in self.parameters}

    @property
    def fitted_ratings(self) -> Ratings:
        """The training ratings, or a clear error before `fit`."""
        if not hasattr(self, "ratings_"):
            raise NotFittedError(
                type(self).__name__, expected="a fitted model", do="call fit first"
            )
        return self.ratings_

    def _cannot(self, what: str) -> UnsupportedError:
        return UnsupportedError(f"{type(self).__name__} cannot {what}", do="use another model")
