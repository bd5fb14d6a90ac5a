"""The damped bias model, mu + b_u + b_i: the baseline of every comparison."""

import numpy as np

from tastemap.data.chunks import damped_mean, sums
from tastemap.data.ratings import Ratings
from tastemap.models.base.factors import FactorModel, Factors, Prior
from tastemap.models.base.validation import not_negative


class BiasModel(FactorModel):
    """The mean rating, plus a bias of the user and a bias of the item.

    References:
        Koren, "Factor in the neighbors: scalable and accurate collaborative filtering", ACM TKDD
        4(1), 2010, section 2.1 (the decoupled estimate). Funk, "Netflix update: try this at home",
        2006 (damping as a number of additional average ratings).

    Prediction:
        r_ui = mu + b_u + b_i

    Objective:
        Closed form, items first:
        b_i = sum over u of (r_ui - mu) / (n_i + item_damping),
        b_u = sum over i of (r_ui - mu - b_i) / (n_u + user_damping).

    Args:
        item_damping: Number of average ratings added to those of each item; 0 or more.
        user_damping: The same for a user.

    Attributes:
        global_mean, user_bias, item_bias: mu, b_u (n_users,), b_i (n_items,).

    Example:
        >>> import polars as pl
        >>> table = {"user_id": [1, 1, 2], "item_id": [7, 8, 7], "rating": [4, 2, 5]}
        >>> ratings = Ratings.from_frame(pl.DataFrame(table))
        >>> model = BiasModel(item_damping=0, user_damping=0).fit(ratings)
        >>> model.predict(2, 8).round(3).tolist()
        [2.5]
    """

    def __init__(self, item_damping: float = 5.0, user_damping: float = 5.0) -> None:
        self.item_damping = not_negative("item_damping", item_damping)
        self.user_damping = not_negative("user_damping", user_damping)

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        u, i, r, mu = ratings.user_index, ratings.item_index, ratings.rating, ratings.global_mean
        item_sums = sums(i, ratings.n_items, lambda rows: r[rows] - mu)
        b_i = damped_mean(item_sums, ratings.by_item.counts, self.item_damping)
        user_sums = sums(u, ratings.n_users, lambda rows: r[rows] - mu - b_i[i[rows]])
        b_u = damped_mean(user_sums, ratings.by_user.counts, self.user_damping)
        prior = Prior(mean=np.zeros(1), precision=np.array([[self.user_damping]]))
        self.factors = Factors.of(ratings, mu, b_u[:, None], b_i[:, None], prior)
