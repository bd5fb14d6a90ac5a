"""Histories: what each user has rated, in the order of time."""

import numpy as np
import numpy.typing as npt

from tastemap.arrays import I64, FloatArray, Mask
from tastemap.data.feedback import Feedback, Groups
from tastemap.data.interactions import Interactions

# Of SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
STEP, FACTORS, SHIFTS = 0x9E3779B97F4A7C15, (0xBF58476D1CE4E5B9, 0x94D049BB133111EB), (30, 27, 31)


def histories(ratings: Feedback, seed: int = 0) -> Groups | None:
    """The rows of each user's ratings, oldest first; None if the table says nothing of the order.

    Where times are missing or equal, positions count, if the table has some. What is still equal is
    put in an order that is drawn: the order of a table may follow the items or the ratings, and a
    model that learnt it would learn the sorting of a file. What is drawn for two items of a user
    stays the same when other rows come or go. A dislike is no step of a history.

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
    order = np.lexsort((_drawn(ratings, seed), *keys, ratings.user_index))
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


def _drawn(ratings: Feedback, seed: int) -> npt.NDArray[np.uint64]:
    """A number (n,) for each row, drawn for its user and item and not for its place in a table."""
    user, item = (rows.astype(np.uint64) for rows in (ratings.user_index, ratings.item_index))
    x = (user << np.uint64(32)) + item + np.uint64((seed + 1) * STEP % 2**64)
    for shift, factor in zip(SHIFTS, FACTORS, strict=False):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return x ^ (x >> np.uint64(SHIFTS[-1]))


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
