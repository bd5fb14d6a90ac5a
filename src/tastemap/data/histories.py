"""Histories: what each user has rated, in the order of time."""

import numpy as np

from tastemap.arrays import I64, FloatArray, Mask
from tastemap.data.feedback import Feedback, Groups
from tastemap.data.interactions import Interactions


def histories(ratings: Feedback, seed: int = 0) -> Groups | None:
    """The rows of each user's ratings, oldest first; None if the table says nothing of the order.

    Where times are missing or equal, positions count, if the table has some. What is still equal is
    put in an order that is drawn: the order of a table may follow the items or the ratings, and a
    model that learnt it would learn the sorting of a file. A dislike is no step of a history.

    Args:
        ratings: n ratings.
        seed: Of the order of equal times.

    Example:
        >>> import polars as pl
        >>> from tastemap.data.ratings import Ratings
        >>> table = {"user_id": [1, 1], "item_id": [7, 8], "rating": [4, 5], "timestamp": [90, 60]}
        >>> histories(Ratings.from_frame(pl.DataFrame(table)))[0].tolist()
        [1, 0]
    """
    keys = [key for key in (ratings.position, ratings.timestamp) if key is not None]
    if not keys:
        return None
    drawn = np.random.default_rng(seed).permutation(len(ratings))
    order = np.lexsort((drawn, *keys, ratings.user_index))
    chosen = is_chosen(ratings, ratings.values[order])
    before = np.concatenate([[0], np.cumsum(chosen)])
    return Groups(before[ratings.by_user.indptr], order[chosen])


def is_chosen(data: Feedback, values: FloatArray) -> Mask:
    """Which values (n,) of the kind of the data's say that a user went on to an item.

    All ratings do, and of interactions those with a weight above 0.
    """
    if isinstance(data, Interactions):
        return np.asarray(values) > 0
    return np.ones(len(values), dtype=bool)


def gaps(ratings: Feedback, history: Groups) -> I64:
    """Seconds between neighbours of each history, (n_ratings - users with a rating,).

    Args:
        ratings: Feedback with times.
        history: Their histories.

    Example:
        >>> import polars as pl
        >>> from tastemap.data.ratings import Ratings
        >>> table = {"user_id": [1, 1], "item_id": [7, 8], "rating": [4, 5], "timestamp": [90, 60]}
        >>> ratings = Ratings.from_frame(pl.DataFrame(table))
        >>> gaps(ratings, histories(ratings)).tolist()
        [30]
    """
    if ratings.timestamp is None:
        return np.zeros(0, dtype=np.int64)
    user, time = ratings.user_index[history.indices], ratings.timestamp[history.indices]
    return np.diff(time)[user[1:] == user[:-1]]
