"""The base of models with item-to-item weights: only the ratings describe a user."""

from abc import abstractmethod
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from tastemap.arrays import F32, FloatArray, IndexArray, Mask
from tastemap.data.feedback import Feedback
from tastemap.errors import ArgumentError
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.explanation import Explanation, kept_inside
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.user import User
from tastemap.support.memory import require

# A matrix of items by items in float32 takes 6.4 GB at this number.
MAX_ITEMS = 40_000


class RatedItems(NamedTuple):
    """The items that a user has rated: the description of a user.

    Attributes:
        item_index: int32 (n,), rows of the items.
        rating: float32 (n,), the ratings.
    """

    item_index: IndexArray
    rating: FloatArray


class ItemModel(Recommender):
    """Base of models whose score is a sum over the items that a user has rated.

    Unknown ids:
        An unknown user has no ratings. Each model documents the scores of such a user and of an
        unknown item.
    """

    @property
    def capabilities(self) -> Capabilities:
        """Every user, known or new, is described by their ratings."""
        return Capabilities(folds_in=True, explains=True, similar_items=True)

    # ---- hooks of an item-based model ----

    @abstractmethod
    def _scores(self, rated: Any, item_index: IndexArray) -> FloatArray:
        """Scores (m,) of items for a user, `RatedItems` or more; an unknown item has the row -1."""

    @abstractmethod
    def _parts(self, user: User, item: int) -> Explanation:
        """The parts of the raw score of an item for a user."""

    # ---- hooks of every model ----

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> Any:
        return RatedItems(item_index, rating)

    def _user(self, user_index: int) -> Any:
        data = self.fitted_data
        rows = data.by_user[user_index] if user_index >= 0 else np.zeros(0, dtype=np.int64)
        return RatedItems(data.item_index[rows], data.values[rows])

    def _score(self, user: Any) -> FloatArray:
        return self._scores(user, np.arange(self.fitted_data.n_items, dtype=np.int32))

    def _scores_at(self, user: User, rows: IndexArray) -> FloatArray:
        return self._scores(user.description, rows)

    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        scores = np.empty(len(user_index), dtype=np.float32)
        order = np.argsort(user_index, kind="stable")
        users, starts = np.unique(user_index[order], return_index=True)
        for user, rows in zip(users, np.split(order, starts[1:]), strict=True):
            scores[rows] = self._scores(self._user(int(user)), item_index[rows])
        return scores

    def _explain(self, user: User, item: int) -> Explanation:
        explanation = self._parts(user, item)
        if not self.predicts_ratings:
            return explanation
        parts = explanation.parts
        total = sum(part.contribution for part in parts) + float(explanation.effects.sum())
        return replace(explanation, parts=(*parts, *kept_inside(self.ratings_.scale, total)))

    def work(self, ratings: Any) -> float:
        """As in the base class; a table that `fit` would refuse for its size is refused here."""
        self._check_size(ratings)
        return super().work(ratings)

    def _check_size(self, ratings: Feedback) -> None:
        """Refuse a number of items whose weights do not fit into memory."""
        if ratings.n_items > MAX_ITEMS:
            raise ArgumentError(
                "ratings",
                expected=f"at most {MAX_ITEMS:,} items, for {type(self).__name__} keeps a weight "
                "for each pair",
                received=f"{ratings.n_items:,}",
                do="use ALS or MatrixFactorization",
            )
        what = f"for a weight for each pair of {ratings.n_items:,} items"
        n_bytes = 4 * ratings.n_items**2
        require(type(self).__name__, n_bytes, what, "use ALS or MatrixFactorization")


class LikeTerm(NamedTuple):
    """A part of a model's scores: a sum over the items that a user likes.

    With n liked items, of which i is k_i places back, s_j is n^power times the sum over them of
    w(k_i) W_ij.

    Attributes:
        weights: W, float32 (n_items, n_items); sparse where most of them are 0.
        place_weights: w, float32 (window,), from the latest item on; 0 beyond. None: all are 1.
        power: The power of n.
        scale: c, float32 (n_items,), of a term of which similarities are made: that of i and j is
            sqrt(|W_ij W_ji| / (c_i c_j)) with the sign of W_ij, in [-1, 1].
    """

    weights: F32 | csr_array
    place_weights: F32 | None = None
    power: float = 0.0
    scale: F32 | None = None


class LikeModel(ItemModel):
    """Base of item-based models that rank items by what a user likes.

    Attributes:
        threshold: Lowest rating, or sum of weights, that counts as a like; None takes the upper
            quarter of the scale, and of interactions all above 0.
    """

    threshold: float | None

    @property
    def capabilities(self) -> Capabilities:
        """Scores that rank items and are not ratings; likes may be interactions."""
        return replace(super().capabilities, predicts=False, interactions=True)

    @abstractmethod
    def like_terms(self) -> list[LikeTerm]:
        """The terms whose sum is the score of a new user, right after their latest item.

        With them another program answers as `fold_in` does, as the exported site in a browser.
        """

    def _likes(self, rating: FloatArray) -> Mask:
        """Which of these ratings or weights (n,) are likes, (n,)."""
        return self.fitted_data.liked(rating, self.threshold)


def at_items(values: npt.NDArray[Any], item_index: IndexArray, unknown: float) -> FloatArray:
    """Values of items by row; ``unknown`` for row -1."""
    return np.where(item_index >= 0, values[item_index], unknown)
