"""Popularity: the same list for every user, the baseline of rankings."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.models.base.arrays import take
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.item_based import at_items
from tastemap.models.base.recommender import Recommender


class Popularity(Recommender):
    """Items in the order of the number of users who have rated them.

    References:
        Cremonesi, Koren, Turrin, "Performance of recommender algorithms on top-n recommendation
        tasks", RecSys 2010, section 3.1 (TopPop).

    Prediction:
        s_i = n_i / n_users: n_i users have rated item i, of n_users with a rating. It is a score
        to rank by, not a rating, so `predict` is refused. An unknown item has the score 0. Of
        interactions those with a weight above 0 count, each user once.

    Attributes:
        share: s_i, float32 (n_items,), in [0, 1].

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = Popularity().fit(synthetic_ratings())
        >>> model.recommend(1, k=1, exclude_seen=False)["item_id"].item()
        1
    """

    share: npt.NDArray[np.float32]

    def _fit(
        self, ratings: Feedback, validation: Feedback | None, seed: int, progress: bool
    ) -> None:
        rows = ratings.likes() if isinstance(ratings, Interactions) else ratings
        n_users = np.count_nonzero(ratings.by_user.counts)
        self.share = (rows.by_item.counts / n_users).astype(np.float32)

    @property
    def capabilities(self) -> Capabilities:
        """A new user gets the same list."""
        return Capabilities(predicts=False, folds_in=True, interactions=True)

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> None:
        return None

    def _user(self, user_index: int) -> None:
        return None

    def _score(self, user: Any) -> FloatArray:
        return self.share

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        return np.tile(self.share, (len(user_index), 1)), None

    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        return at_items(self.share, item_index, unknown=0.0)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"share": self.share}

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self.share = take(arrays, "share", self.ratings_.n_items)
