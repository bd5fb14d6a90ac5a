"""What every model shares: ids to rows, validation, the scale, seen items, top-k, frames, saving.

What differs from model to model stands in `tastemap.models.base.recommender`.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import FloatArray, IndexArray, Mask
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Interval, central
from tastemap.data.vocabulary import Id
from tastemap.errors import ArgumentError, NotFittedError, UnsupportedError
from tastemap.models.base import selection
from tastemap.models.base.user import Person, rated_pairs


class Hooks(ABC):
    """The hooks of a model; `Recommender` makes calls with ids of them.

    Attributes:
        ratings_: The ratings the model was fitted on: vocabularies, scale, what each user has seen.
        history_: Frame of the training curves, one row an epoch; empty where there are none.
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

    def __str__(self) -> str:
        return type(self).__name__

    @abstractmethod
    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        """Learn from ratings; may set ``history_``."""

    @abstractmethod
    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Raw predictions (n,) for pairs of rows; -1 stands for an unknown user or item."""

    @abstractmethod
    def _score(self, user: Any) -> FloatArray:
        """Raw predictions (n_items,) for one user, as `_user` or `_fold_in` describes them."""

    @abstractmethod
    def _user(self, user_index: int) -> Any:
        """The model's description of a user of the training data."""

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        """Scores (n, n_items), the caller's to change, of users; and how far off they may be.

        None if they are those of `_score`. Else, (n,), how much a score may differ, but for a
        number that all items of a user share, from that of `_predict`, which then decides.
        Scores in float32 may be put into ``out`` (n, n_items), which saves getting new memory.
        """
        return np.stack([self._score(self._user(int(user))) for user in user_index]), None

    @property
    def predicts_ratings(self) -> bool:
        """Whether a score is a rating; if not, `predict` is refused and predicted ratings null."""
        return True

    @property
    def has_distribution(self) -> bool:
        """Whether the model gives a distribution over ratings, and so a median."""
        return False

    @property
    def folds_in(self) -> bool:
        """Whether the model can describe a new person from ratings."""
        return False

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> Any:
        """The model's description of a person from ratings alone."""
        raise self._cannot("describe a new person from ratings")

    def _predict_distribution(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Probabilities (n, levels) of each value of the scale."""
        raise self._cannot("give a distribution over ratings, or a median")

    def _distribution_of(self, user: Any, item_index: IndexArray) -> FloatArray:
        """The same (n, levels), of items for one user, as `_user` or `_fold_in` describes them."""
        raise self._cannot("give a distribution over the ratings of a new person")

    def _context(self, ratings: Ratings) -> tuple[Any, ...]:
        """What else `_predict` is told of the rows of a table, such as their times; here nothing.

        `_predict_distribution` is told the same.
        """
        return ()

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What the model has learnt, by name, for the artifact."""
        raise self._cannot("be saved")

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take back what `_arrays` gave."""
        raise self._cannot("be loaded")

    def _as_saved(self) -> Any:
        """The model that stands for this one in an artifact."""
        return self

    def _recipe(self) -> dict[str, Any] | None:
        parameters = {name: getattr(self, name) for name in self.parameters}
        return {"class": type(self).__name__, "parameters": parameters}

    def _cannot(self, what: str) -> UnsupportedError:
        return UnsupportedError(f"{type(self).__name__} cannot {what}", do="use another model")


class Recommender(Hooks):
    """Base of all models: what its callers see, the same of every model.

    A model implements the hooks, `Hooks`, which also names its attributes.
    """

    # ---- calls: raw ids in, raw ids out ----

    def fit(
        self,
        ratings: Ratings,
        *,
        validation: Ratings | None = None,
        seed: int = 0,
        progress: bool = True,
    ) -> Self:
        """Learn from ratings, forgetting whatever was learnt before.

        Args:
            ratings: The training ratings.
            validation: Ratings to judge epochs by; never the test ratings.
            seed: Same seed, same result, on any number of threads.
            progress: Show a progress bar where the fit takes long.
        """
        if not len(ratings):
            raise ArgumentError("ratings", expected="at least one rating", received="none")
        self.history_, self.metrics_, self.item_map_, self.seed_ = pl.DataFrame(), {}, None, seed
        self.ratings_, self.learnt_by_, self.recipe_ = ratings, str(self), self._recipe()
        try:
            self._fit(ratings, validation, seed, progress)
        except BaseException:
            # Refused or interrupted: a model that has learnt nothing, or half, is not fitted.
            del self.ratings_
            raise
        return self

    def update(self, ratings: Ratings, *, seed: int = 0, progress: bool = True) -> Self:
        """Learn further from new ratings: a fit on the old and the new together."""
        return self.fit(self._fitted.merged_with(ratings), seed=seed, progress=progress)

    def predict(
        self, user_ids: Any, item_ids: Any, *, point: str = "mean", clip: bool = True
    ) -> FloatArray:
        """Predicted ratings of pairs of a user and an item.

        Args:
            user_ids, item_ids: Ids, one or many; one of either goes with all of the other.
            point: ``"mean"``, or ``"median"`` of the distribution (least absolute error).
            clip: Keep predictions inside the data's scale; False gives the raw value.

        Returns:
            Array (n,), in the data's scale.

        Raises:
            UnknownIdError: If an id is unknown; the nearest are offered.
        """
        return self._point(self._pairs(user_ids, item_ids), point, clip)

    def predict_ratings(
        self, ratings: Ratings, *, point: str = "mean", clip: bool = True
    ) -> FloatArray:
        """Predictions for each row of a ratings table (n,); unknown ids get the model's average."""
        return self._point((*self.rows_of(ratings), *self._context(ratings)), point, clip)

    def predict_distribution(self, user_ids: Any, item_ids: Any) -> FloatArray:
        """Probability of each value of the scale, (n, levels), for pairs as in `predict`."""
        return self._predict_distribution(*self._pairs(user_ids, item_ids))

    def ratings_distribution(self, ratings: Ratings) -> FloatArray:
        """As `predict_distribution`, for each row of a ratings table, as in `predict_ratings`."""
        return self._predict_distribution(*self.rows_of(ratings), *self._context(ratings))

    def predict_interval(self, user_ids: Any, item_ids: Any, *, mass: float = 0.8) -> Interval:
        """The central interval that holds at least ``mass`` of each predicted distribution.

        Args:
            user_ids, item_ids: Pairs as in `predict`.
            mass: Probability, strictly between 0 and 1, of the rating lying inside.

        Returns:
            The lowest and the highest rating inside, both included, each (n,). They are values of
            the scale, so the interval mostly holds somewhat more than ``mass``.
        """
        return central(self._fitted.scale, self.predict_distribution(user_ids, item_ids), mass)

    def recommend(
        self,
        user_id: Id | None = None,
        *,
        ratings: Any = None,
        k: int | None = None,
        exclude_seen: bool = True,
        candidates: Any = None,
        exclude: Any = None,
        where: str | pl.Expr | None = None,
        novelty: float = 0.0,
    ) -> pl.DataFrame:
        """The k items with the highest score for a known user or for a list of ratings.

        Args:
            user_id: A user of the training data; or else
            ratings: ``{item id or title: rating}``, a frame, or `Ratings` of one person.
            k: Number of items; by default ten, or all where there are fewer.
            exclude_seen: Leave out what the person has rated.
            candidates, exclude: Items (ids or titles) to choose from, or to leave out.
            where: A condition on the item table, such as ``"year >= 1990"``.
            novelty: From -1 (favour the popular) over 0 to 1 (favour the little known).

        Returns:
            Frame ``rank, item_id, title, predicted_rating, score``, best first: exactly k rows,
            or fewer with a `ShortAnswerWarning` where no more candidates are left.
        """
        data, user = self._fitted, self._person(user_id, ratings)
        allowed = selection.allowed_items(
            data,
            seen=user.item_index[:0],
            candidates=candidates,
            exclude=exclude,
            where=where,
        )
        rows, predicted, score = self.recommend_rows(
            user, k, allowed=allowed, exclude_seen=exclude_seen, novelty=novelty
        )
        best = data.scale.clip(predicted) if self.predicts_ratings else [None] * len(rows)
        return self._item_frame(rows, predicted_rating=best, score=score)

    def interested_users(
        self, item_id: Id, k: int | None = None, *, exclude_seen: bool = True
    ) -> pl.DataFrame:
        """The k users with the highest predicted rating of an item that they have not rated.

        Returns:
            Frame ``rank, user_id, predicted_rating, score``, best first.
        """
        data, item = self._fitted, self._fitted.items.find(item_id)
        users = np.arange(data.n_users, dtype=np.int32)
        predicted = self._predict(users, np.full_like(users, item))
        allowed = np.ones(len(users), dtype=bool)
        allowed[data.user_index[data.by_item[item]]] = not exclude_seen
        rows = selection.top_k(predicted, allowed, k, kind="user")
        best = data.scale.clip(predicted[rows]) if self.predicts_ratings else [None] * len(rows)
        return selection.ranked(
            data.users.ids_at(rows), predicted_rating=best, score=predicted[rows]
        )

    def fold_in(self, ratings: Any) -> Person:
        """A new person from ratings alone, in any form that `recommend` takes."""
        return self._person(None, ratings)

    def save(self, path: str | Path) -> Path:
        """Write the model to a directory; see `tastemap.models.base.artifact.save_model`."""
        from tastemap.models.base.artifact import save_model

        return save_model(self, path)

    # ---- calls on rows: for the application, batches and evaluation ----

    def rows_of(self, ratings: Ratings) -> tuple[IndexArray, IndexArray]:
        """User and item rows (n,), in this model's vocabularies, of a table that may have its own.

        An unknown user or item has the row -1.
        """
        data = self._fitted
        users = data.users.index(ratings.users.ids, missing="negative")[ratings.user_index]
        items = data.items.index(ratings.items.ids, missing="negative")[ratings.item_index]
        return users, items

    def user_at(self, user_index: int) -> Person:
        """A user of the training data."""
        data = self._fitted
        rated = data.by_user[user_index]
        return Person(self._user(user_index), data.item_index[rated], data.rating[rated])

    def fold_in_rows(self, item_index: IndexArray, rating: npt.NDArray[np.float32]) -> Person:
        """A new person from the rows of the items that they rated, and the ratings."""
        return Person(self._fold_in(item_index, rating), item_index, rating)

    def score_rows(self, user: Person) -> FloatArray:
        """The score (n_items,) of every item for one user, outside the scale too."""
        return self._score(user.description)

    def predict_rows(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Raw predictions (n,) of pairs of rows; -1 is an unknown user or item."""
        return self._predict(user_index, item_index)

    def distribution_rows(self, user: Person, item_index: IndexArray) -> FloatArray:
        """Probabilities (n, levels) of each value of the scale, of items for one user."""
        return self._distribution_of(user.description, item_index)

    def recommend_rows(
        self,
        user: Person,
        k: int | None = None,
        *,
        scores: FloatArray | None = None,
        allowed: Mask | None = None,
        exclude_seen: bool = True,
        novelty: float = 0.0,
    ) -> tuple[IndexArray, FloatArray, FloatArray]:
        """The k best items for a user: their rows, raw predictions and scores, best first.

        Args:
            user: Of `user_at`, `fold_in_rows` or `fold_in`.
            k: Number of items; by default ten, or all where there are fewer.
            scores: (n_items,), what the items are ranked by; by default those of `score_rows`.
            allowed: Mask (n_items,) of the items to choose from; None for all.
            exclude_seen: Leave out what the user has rated.
            novelty: As in `recommend`.
        """
        predicted = self.score_rows(user) if scores is None else scores
        score = predicted
        if novelty != 0:
            information = self._fitted.self_information
            score = selection.novelty_bonus(predicted, information, novelty)
            score += predicted
        free = np.ones(len(score), dtype=bool) if allowed is None else allowed.copy()
        if exclude_seen:
            free[user.item_index] = False
        rows = selection.top_k(score, free, k)
        return rows, predicted[rows], score[rows]

    # ---- between the two ----

    @property
    def _fitted(self) -> Ratings:
        """The training ratings, or a clear error before `fit`."""
        if not hasattr(self, "ratings_"):
            raise NotFittedError(
                type(self).__name__, expected="a fitted model", do="call fit first"
            )
        return self.ratings_

    def _pairs(self, user_ids: Any, item_ids: Any) -> tuple[IndexArray, ...]:
        data = self._fitted
        users = data.users.index(selection.listed(user_ids))
        items = data.items.index(selection.listed(item_ids))
        try:
            return tuple(np.broadcast_arrays(users, items))
        except ValueError:
            raise ArgumentError(
                "user_ids and item_ids",
                expected="equal lengths, or one of either",
                received=f"{len(users)} and {len(items)}",
            ) from None

    def _point(self, rows: tuple[Any, ...], point: str, clip: bool) -> FloatArray:
        scale = self._fitted.scale
        if not self.predicts_ratings:
            raise self._cannot("predict ratings, it scores items to rank them (see recommend)")
        if point == "median" and scale.levels is not None:
            return scale.quantile(self._predict_distribution(*rows), 0.5)
        if point != "mean":
            raise ArgumentError("point", expected="'mean' or 'median'", received=repr(point))
        predicted = self._predict(*rows)
        return scale.clip(predicted) if clip else predicted

    def _person(self, user_id: Id | None, ratings: Any) -> Person:
        """A known user, or a new person from their ratings."""
        data = self._fitted
        if ratings is not None and user_id is None:
            return self.fold_in_rows(*rated_pairs(data, ratings))
        if user_id is None or ratings is not None:
            raise ArgumentError("user_id, ratings", expected="one of the two")
        return self.user_at(data.users.index_of(user_id))

    def _item_frame(self, rows: IndexArray, **columns: Any) -> pl.DataFrame:
        items = self._fitted.items
        return selection.ranked(items.ids_at(rows), title=items.titles.gather(rows), **columns)
