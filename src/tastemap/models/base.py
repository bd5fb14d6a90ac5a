"""What every model shares: ids to rows, validation, the scale, seen items, top-k, frames, saving.

What differs from model to model stands in `tastemap.models.hooks`.
"""

from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.ratings import FloatArray, Ratings
from tastemap.data.vocabulary import Id, IndexArray
from tastemap.errors import ArgumentError, NotFittedError
from tastemap.models import selection
from tastemap.models.hooks import Hooks
from tastemap.models.intervals import Interval, central


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


class Recommender(Hooks):
    """Base of all models: what its callers see, the same of every model.

    A model implements the hooks, `tastemap.models.hooks.Hooks`, which also names its attributes.
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
        return self._point((*self._rows(ratings), *self._context(ratings)), point, clip)

    def predict_distribution(self, user_ids: Any, item_ids: Any) -> FloatArray:
        """Probability of each value of the scale, (n, levels), for pairs as in `predict`."""
        return self._predict_distribution(*self._pairs(user_ids, item_ids))

    def ratings_distribution(self, ratings: Ratings) -> FloatArray:
        """As `predict_distribution`, for each row of a ratings table, as in `predict_ratings`."""
        return self._predict_distribution(*self._rows(ratings), *self._context(ratings))

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
        data = self._fitted
        person = self._person(user_id, ratings)
        predicted = self._score(person.description)
        score = predicted + selection.novelty_bonus(
            predicted, data.by_item.counts.astype(float), novelty
        )
        allowed = selection.allowed_items(
            data,
            seen=person.item_index if exclude_seen else person.item_index[:0],
            candidates=candidates,
            exclude=exclude,
            where=where,
        )
        rows = selection.top_k(score, allowed, k)
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
        rows = selection.top_k(predicted, allowed, k, kind="user")
        best = data.scale.clip(predicted[rows]) if self.predicts_ratings else [None] * len(rows)
        return selection.ranked(
            data.users.ids_at(rows), predicted_rating=best, score=predicted[rows]
        )

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

    def _rows(self, ratings: Ratings) -> tuple[IndexArray, IndexArray]:
        """The rows, in this model's vocabularies, of a table that may have its own; -1 unknown."""
        data = self._fitted
        users = data.users.index(ratings.users.ids, missing="negative")[ratings.user_index]
        items = data.items.index(ratings.items.ids, missing="negative")[ratings.item_index]
        return users, items

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
            rows, rating = selection.rated_pairs(data, ratings)
            return Person(self._fold_in(rows, rating), rows, rating)
        if user_id is None or ratings is not None:
            raise ArgumentError("user_id, ratings", expected="one of the two")
        user = data.users.index_of(user_id)
        rated = data.by_user[user]
        return Person(self._user(user), data.item_index[rated], data.rating[rated])

    def _item_frame(self, rows: IndexArray, **columns: Any) -> pl.DataFrame:
        items = self._fitted.items
        return selection.ranked(items.ids_at(rows), title=items.titles.gather(rows), **columns)
