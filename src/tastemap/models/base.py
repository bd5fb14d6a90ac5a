"""What every model shares: ids to rows, validation, the scale, seen items, top-k, frames, saving.

A model implements the underscore hooks on arrays of row numbers; raw ids never reach them.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.ratings import FloatArray, Ratings
from tastemap.data.vocabulary import Id, IndexArray
from tastemap.errors import ArgumentError, NotFittedError, UnsupportedError
from tastemap.models.selection import allowed_items, novelty_bonus, ranked, rated_pairs, top_k


class Person(NamedTuple):
    """Whoever an answer is for, known or new: a model's description, and what they have rated.

    Attributes:
        description: What the model's `_user` or `_fold_in` gave; only the model looks into it.
        item_index: int32 (n,), rows of the items rated.
        rating: float32 (n,), the ratings.
    """

    description: Any
    item_index: IndexArray
    rating: npt.NDArray[np.float32]


class Recommender(ABC):
    """Base of all models.

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

    # ---- hooks: what a model implements, on arrays of row numbers ----

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

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What the model has learnt, by name, for the artifact."""
        raise self._cannot("be saved")

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take back what `_arrays` gave."""
        raise self._cannot("be loaded")

    def _as_saved(self) -> "Recommender":
        """The model that stands for this one in an artifact."""
        return self

    def _recipe(self) -> dict[str, Any] | None:
        parameters = {name: getattr(self, name) for name in self.parameters}
        return {"class": type(self).__name__, "parameters": parameters}

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
        self._fit(ratings, validation, seed, progress)
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
        return self._point(*self._pairs(user_ids, item_ids), point, clip)

    def predict_ratings(
        self, ratings: Ratings, *, point: str = "mean", clip: bool = True
    ) -> FloatArray:
        """Predictions for each row of a ratings table (n,); unknown ids get the model's average."""
        return self._point(*self._rows(ratings), point, clip)

    def predict_distribution(self, user_ids: Any, item_ids: Any) -> FloatArray:
        """Probability of each value of the scale, (n, levels), for pairs as in `predict`."""
        return self._predict_distribution(*self._pairs(user_ids, item_ids))

    def ratings_distribution(self, ratings: Ratings) -> FloatArray:
        """As `predict_distribution`, for each row of a ratings table, as in `predict_ratings`."""
        return self._predict_distribution(*self._rows(ratings))

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
        data = self._fitted
        person = self._person(user_id, ratings)
        predicted = self._score(person.description)
        score = predicted + novelty_bonus(predicted, data.by_item.counts.astype(float), novelty)
        allowed = allowed_items(
            data,
            seen=person.item_index if exclude_seen else person.item_index[:0],
            candidates=candidates,
            exclude=exclude,
            where=where,
        )
        rows = top_k(score, allowed, k)
        best = data.scale.clip(predicted[rows]) if self.predicts_ratings else [None] * len(rows)
        return self._item_frame(rows, predicted_rating=best, score=score[rows])

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
        rows = top_k(predicted, allowed, k, kind="user")
        best = data.scale.clip(predicted[rows]) if self.predicts_ratings else [None] * len(rows)
        return ranked(data.users.ids_at(rows), predicted_rating=best, score=predicted[rows])

    def fold_in(self, ratings: Any) -> Person:
        """A new person from ratings alone, in any form that `recommend` takes."""
        return self._person(None, ratings)

    def save(self, path: str | Path) -> Path:
        """Write the model to a directory; see `tastemap.models.store.save_model`."""
        from tastemap.models.store import save_model

        return save_model(self, path)

    # ---- between the two ----

    @property
    def _fitted(self) -> Ratings:
        """The training ratings, or a clear error before `fit`."""
        if not hasattr(self, "ratings_"):
            raise NotFittedError(
                type(self).__name__, expected="a fitted model", do="call fit first"
            )
        return self.ratings_

    def _pairs(self, user_ids: Any, item_ids: Any) -> tuple[IndexArray, IndexArray]:
        data = self._fitted
        users = data.users.index(_listed(user_ids))
        items = data.items.index(_listed(item_ids))
        try:
            users, items = np.broadcast_arrays(users, items)
        except ValueError:
            raise ArgumentError(
                "user_ids and item_ids",
                expected="equal lengths, or one of either",
                received=f"{len(users)} and {len(items)}",
            ) from None
        return users, items

    def _rows(self, ratings: Ratings) -> tuple[IndexArray, IndexArray]:
        """The rows, in this model's vocabularies, of a table that may have its own; -1 unknown."""
        data = self._fitted
        users = data.users.index(ratings.users.ids, missing="negative")[ratings.user_index]
        items = data.items.index(ratings.items.ids, missing="negative")[ratings.item_index]
        return users, items

    def _point(self, users: IndexArray, items: IndexArray, point: str, clip: bool) -> FloatArray:
        scale = self._fitted.scale
        if not self.predicts_ratings:
            raise self._cannot("predict ratings, it scores items to rank them (see recommend)")
        if point == "median" and scale.levels is not None:
            cumulative = np.cumsum(self._predict_distribution(users, items), axis=1)
            # A little under one half, so that a sum of floats that misses it by rounding counts.
            return scale.levels[np.argmax(cumulative >= 0.5 - 1e-6, axis=1)]
        if point != "mean":
            raise ArgumentError("point", expected="'mean' or 'median'", received=repr(point))
        predicted = self._predict(users, items)
        return scale.clip(predicted) if clip else predicted

    def _person(self, user_id: Id | None, ratings: Any) -> Person:
        """A known user, or a new person from their ratings."""
        data = self._fitted
        if ratings is not None and user_id is None:
            rows, rating = rated_pairs(data, ratings)
            return Person(self._fold_in(rows, rating), rows, rating)
        if user_id is None or ratings is not None:
            raise ArgumentError("user_id, ratings", expected="one of the two")
        user = data.users.index_of(user_id)
        rated = data.by_user[user]
        return Person(self._user(user), data.item_index[rated], data.rating[rated])

    def _item_frame(self, rows: IndexArray, **columns: Any) -> pl.DataFrame:
        items = self._fitted.items
        return ranked(items.ids_at(rows), title=items.titles.gather(rows), **columns)

    def _cannot(self, what: str) -> UnsupportedError:
        return UnsupportedError(f"{type(self).__name__} cannot {what}", do="use another model")


def _listed(ids: Any) -> Any:
    """One id as a list of one."""
    return [ids] if isinstance(ids, str) or not hasattr(ids, "__len__") else ids
