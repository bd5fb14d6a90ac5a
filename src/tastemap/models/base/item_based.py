"""What models of item-to-item weights share: a person is their ratings, and nothing else."""

from abc import abstractmethod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Id
from tastemap.errors import ArgumentError
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.selection import top_k
from tastemap.support.memory import require

# Matrices of items by items of 4 bytes: 6.4 GB each at this number.
_MOST_ITEMS = 40_000


class Rated(NamedTuple):
    """What a person has rated.

    Attributes:
        item_index: int32 (n,), rows of the items.
        rating: float32 (n,), the ratings.
    """

    item_index: IndexArray
    rating: FloatArray


class ItemModel(Recommender):
    """Scores that add up over the items that a person has rated.

    Unknown ids:
        An unknown user has rated nothing; what that gives, and an unknown item's score, the model
        says.
    """

    # ---- hooks ----

    @abstractmethod
    def _scores(self, rated: Rated, item_index: IndexArray) -> FloatArray:
        """Scores (m,) of items, -1 for an unknown one, for a person."""

    @abstractmethod
    def _parts(self, rated: Rated, item: int) -> tuple[dict[str, float], FloatArray]:
        """The parts of the score of an item: some by name, and one (n,) for each rated item."""

    @abstractmethod
    def _similarities(self, item: int) -> FloatArray:
        """Similarity (n_items,) of an item with every item, in [-1, 1]."""

    # ---- what the base class asks for ----

    @property
    def folds_in(self) -> bool:
        """A new person is described by their ratings, as every user is."""
        return True

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> Rated:
        return Rated(item_index, rating)

    def _user(self, user_index: int) -> Rated:
        data = self._fitted
        rows = data.by_user[user_index] if user_index >= 0 else np.zeros(0, dtype=np.int64)
        return Rated(data.item_index[rows], data.rating[rows])

    def _score(self, user: Rated) -> FloatArray:
        return self._scores(user, np.arange(self._fitted.n_items, dtype=np.int32))

    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        scores = np.empty(len(user_index), dtype=np.float32)
        order = np.argsort(user_index, kind="stable")
        users, starts = np.unique(user_index[order], return_index=True)
        for user, rows in zip(users, np.split(order, starts[1:]), strict=True):
            scores[rows] = self._scores(self._user(int(user)), item_index[rows])
        return scores

    # ---- explanation and similarity ----

    def explain(
        self, user_id: Id | None = None, *, item_id: Id, ratings: Any = None
    ) -> pl.DataFrame:
        """The parts of a score or predicted rating; they sum to it.

        Args:
            user_id: A user of the training data; or else
            ratings: The ratings of one person, as in `recommend`.
            item_id: The item (id or title) whose score is explained.

        Returns:
            Frame ``part, item_id, title, rating, contribution``: what does not depend on the
            rated items, then each rated item, the largest contribution first.
        """
        items = self._fitted.items
        person = self._person(user_id, ratings)
        named, of_rated = self._parts(person.description, items.find(item_id))
        if self.predicts_ratings:
            total = sum(named.values()) + float(of_rated.sum())
            correction = float(self._fitted.scale.clip(np.array(total))) - total
            named |= {"kept inside the scale": correction} if abs(correction) > 1e-6 else {}
        rated = pl.DataFrame(
            {
                "part": pl.repeat("your rating", len(person.rating), eager=True),
                "item_id": items.ids_at(person.item_index),
                "title": items.titles.gather(person.item_index),
                "rating": person.rating,
                "contribution": of_rated.astype(np.float64),
            }
        ).sort(pl.col("contribution").abs(), descending=True, maintain_order=True)
        first = pl.DataFrame(
            {"part": list(named), "contribution": [float(value) for value in named.values()]},
            schema={"part": pl.String, "contribution": pl.Float64},
        )
        return pl.concat([first, rated], how="diagonal_relaxed").select(rated.columns)

    def similar_items(self, item_id: Id, k: int = 10) -> pl.DataFrame:
        """The k items most similar to an item (id or title), which is left out.

        Returns:
            Frame ``rank, item_id, title, similarity`` (in [-1, 1]), most similar first.
        """
        row = self._fitted.items.find(item_id)
        similarity = self._similarities(row)
        rows = top_k(similarity, np.arange(len(similarity)) != row, k)
        return self._item_frame(rows, similarity=similarity[rows])

    def _check_size(self, ratings: Ratings) -> None:
        """Refuse what cannot fit into memory, before trying."""
        if ratings.n_items > _MOST_ITEMS:
            raise ArgumentError(
                "ratings",
                expected=f"at most {_MOST_ITEMS:,} items, for {type(self).__name__} keeps a weight "
                "for each pair",
                received=f"{ratings.n_items:,}",
                do="use ALS or MatrixFactorization",
            )
        what = f"for a weight for each pair of {ratings.n_items:,} items"
        n_bytes = 4 * ratings.n_items**2
        require(type(self).__name__, n_bytes, what, "use ALS or MatrixFactorization")


def at_items(values: npt.NDArray[Any], item_index: IndexArray, unknown: float) -> FloatArray:
    """Values of items by row, and a value for the unknown, -1."""
    return np.where(item_index >= 0, values[item_index], unknown)
