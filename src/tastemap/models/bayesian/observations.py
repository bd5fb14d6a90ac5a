"""The training ratings as the Gibbs sampler takes them: grouped, as levels or standardised."""

from dataclasses import dataclass

import numpy as np

from tastemap.arrays import F32, IndexArray, Mask
from tastemap.data.chunks import chunks
from tastemap.data.feedback import Groups
from tastemap.data.ratings import Ratings
from tastemap.models.bayesian.features import Features, popularity
from tastemap.models.bayesian.temporal import TimeNodes

# Ratings with more levels are treated as numbers.
MAX_LEVELS = 20


@dataclass(frozen=True)
class Observations:
    """The training ratings in the sampler's order, grouped by user.

    Attributes:
        user, item: int32 (N,), rows of each rating.
        level: int32 (N,), from 0, of ordinal ratings; empty for numbers.
        value: float32 (N,), standardised ratings, for numbers.
        by_user, by_item: Positions of the ratings of each user and item.
        popularity: float32 (I,), x_j, the logarithm of 1 + the times that each item was rated or
            seen, standardised over the items that were; of others x_j is that of the average time.
        touched: (I,), the items that were rated or seen.
        n_levels: C, or 0 for numbers.
        features: The features of users and of items.
        nodes: The users' times, or None for a model without temporal effects.
    """

    user: IndexArray
    item: IndexArray
    level: IndexArray
    value: F32
    by_user: Groups
    by_item: Groups
    popularity: F32
    touched: Mask
    n_levels: int
    features: tuple[Features, Features]
    nodes: TimeNodes | None = None

    @classmethod
    def of(
        cls, ratings: Ratings, features: tuple[Features, Features], timed: bool = False
    ) -> "Observations":
        """The training ratings; with ``timed`` their times too, if they have any."""
        rows = ratings.by_user.indices
        user, item = ratings.user_index[rows], ratings.item_index[rows]
        rating = ratings.rating[rows]
        levels = ratings.scale.levels
        n_levels = 0 if levels is None or not 2 <= len(levels) <= MAX_LEVELS else len(levels)
        level = np.zeros(0, dtype=np.int32)
        if levels is not None and n_levels:
            level = np.empty(len(rating), dtype=np.int32)
            for part in chunks(len(rating)):
                level[part] = np.abs(rating[part, None] - levels).argmin(axis=1)
        value = ((rating - ratings.global_mean) / ratings.deviation).astype(np.float32)
        by_user = Groups(ratings.by_user.indptr, np.arange(len(rows)))
        by_item = Groups.of(item, ratings.n_items)
        nodes = None
        if timed and ratings.timestamp is not None:
            nodes = TimeNodes.of(user, ratings.timestamp[rows], ratings.n_users)
        touches = ratings.touched.by_item.counts
        groups = (by_user, by_item, popularity(touches), touches > 0)
        return cls(user, item, level, value, *groups, n_levels, features, nodes)
