"""``User``: the user of a call, from the training data or new."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import IndexArray
from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Id
from tastemap.errors import ArgumentError

#: No items.
NO_ITEMS: IndexArray = np.zeros(0, dtype=np.int32)


class User(NamedTuple):
    """The user of a call: a model's description of the user, and the user's ratings.

    Attributes:
        description: The result of the model's `_user` or `_fold_in`; only the model reads it.
        item_index: int32 (n,), rows of the items rated.
        rating: float32 (n,), the ratings.
        user_index: Row in the training data; -1 for a new user.
        seen: int32 (m,), rows of further items that the user has seen, without a rating.
    """

    description: Any
    item_index: IndexArray
    rating: npt.NDArray[np.float32]
    user_index: int = -1
    seen: IndexArray = NO_ITEMS

    @property
    def touched(self) -> IndexArray:
        """Rows of the items that the user has rated or seen."""
        return np.concatenate([self.item_index, self.seen]) if len(self.seen) else self.item_index


def same_kind(ratings: Feedback, data: Feedback) -> Any:
    """New rows, which must be of the kind of the training data."""
    if type(ratings) is not type(data):
        raise ArgumentError(
            "ratings",
            expected=f"{data.noun}, which the model has learnt from",
            received=ratings.noun,
        )
    return ratings


def touched_rows(
    data: Feedback, ratings: Any, seen: Any
) -> tuple[IndexArray, npt.NDArray[np.float32], IndexArray]:
    """Item rows and ratings of one user, and rows of what else was seen.

    Args:
        data: The training ratings or interactions.
        ratings: As `rated_pairs` takes them, or None. Of a frame, rows with a null rating are seen.
        seen: Items (ids or titles), or None.

    Raises:
        UnknownIdError: If an item is unknown.
        ArgumentError: If there is no rating and nothing seen, a rating is wrong, or these are
            interactions, for which what was seen is what was chosen.
    """
    rows = NO_ITEMS
    if seen is not None:
        if not isinstance(data, Ratings):
            do = "give the items as ratings=[...] or history=[...]"
            expected = "a model of ratings"
            raise ArgumentError("seen", expected=expected, received="one of interactions", do=do)
        if isinstance(seen, str | bytes) or not isinstance(seen, Iterable):
            expected = "a list of item ids or titles"
            raise ArgumentError("seen", expected=expected, received=repr(seen))
        rows = data.items.find_all([*seen]) if [*seen] else NO_ITEMS
    if isinstance(data, Ratings) and isinstance(ratings, Ratings) and ratings.seen is not None:
        more = ratings.seen.items.ids_at(np.unique(ratings.seen.item_index))
        rows = np.concatenate([rows, data.items.find_all(more)])
    if isinstance(data, Ratings) and hasattr(ratings, "__arrow_c_stream__"):
        ratings, more = _without_nulls(pl.DataFrame(ratings))
        rows = np.concatenate([rows, data.items.find_all(more)]) if len(more) else rows
    if len(rows) and (ratings is None or not len(ratings)):
        return NO_ITEMS, np.zeros(0, dtype=np.float32), np.unique(rows)
    rated, rating = rated_pairs(data, ratings)
    return rated, rating, np.setdiff1d(rows, rated)


def _without_nulls(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """The rows of a frame with a rating, and the ids or titles of the others."""
    id_column = next((name for name in ("item_id", "title") if name in frame.columns), None)
    if id_column is None or "rating" not in frame.columns:
        return frame, pl.Series([], dtype=pl.String)
    is_rated = frame["rating"].is_not_null()
    return frame.filter(is_rated), frame[id_column].filter(~is_rated)


def rated_pairs(data: Feedback, ratings: Any) -> tuple[IndexArray, npt.NDArray[np.float32]]:
    """Item rows and ratings of one user, from any of the forms that `recommend` takes.

    Args:
        data: The training ratings or interactions; they give the items and the scale.
        ratings: ``{id or title: rating}``; a frame with ``item_id`` (or ``title``) and ``rating``;
            or `Ratings`. Of interactions ``[ids or titles]``, each of the median weight, or weights
            in place of ratings. For models that look at the order, the oldest comes first; a frame
            with a ``timestamp`` is put in that order.

    Raises:
        UnknownIdError: If an item is unknown; no rating is dropped silently.
        ArgumentError: If there is no rating, or a rating is not a number within the scale.
    """
    items, name = data.items, data.value_name
    if isinstance(ratings, Feedback):
        ratings = ratings.to_frame()
    if isinstance(ratings, list | tuple) and isinstance(data, Interactions):
        ratings = dict.fromkeys(ratings, data.median_weight)
    if isinstance(ratings, dict):
        rows = items.find_all(list(ratings)) if ratings else np.zeros(0, dtype=np.int32)
        values = list(ratings.values())
    elif hasattr(ratings, "__arrow_c_stream__"):
        frame = pl.DataFrame(ratings)
        if "timestamp" in frame.columns:
            frame = frame.sort("timestamp", maintain_order=True)
        id_columns = [column for column in ("item_id", "title") if column in frame.columns]
        if not id_columns or name not in frame.columns:
            raise ArgumentError(
                data.noun, expected=f"columns item_id (or title) and {name}", received=frame.columns
            )
        rows = items.find_all(frame[id_columns[0]])
        values = frame[name].to_list()
    else:
        raise ArgumentError(
            data.noun,
            expected=f"{{item: {name}}}, a frame with item_id and {name}, or {type(data).__name__}",
            received=type(ratings).__name__,
        )
    try:
        rating = np.array(values, dtype=np.float32)
    except (TypeError, ValueError):
        rating = np.array([np.nan])
    lowest, highest, span = -np.inf, np.inf, "a finite number"
    if isinstance(data, Ratings):
        lowest, highest, span = data.scale.lowest, data.scale.highest, f"from {data.scale}"
    inside = np.isfinite(rating) & (rating >= lowest) & (rating <= highest)
    if not len(rating) or not inside.all():
        raise ArgumentError(
            data.noun, expected=f"at least one {name}, each {span}", received=values
        )
    return rows, rating


def in_order(data: Feedback, ratings: Any, history: Sequence[Id]) -> dict[Id, float]:
    """A history as ratings in its order.

    Each item has the highest rating, or the median weight; of an item that comes twice, the later
    place counts.

    Raises:
        ArgumentError: If there is no item, if what is given is no list, or if both are given.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> in_order(synthetic_ratings(), None, [7, 8, 7])
        {8: 5.0, 7: 5.0}
    """
    if ratings is not None:
        raise ArgumentError("ratings, history", expected="one of the two", received="both")
    if isinstance(history, str | bytes) or not isinstance(history, Iterable) or not len(history):
        expected = "a list of item ids or titles, oldest first, at least one"
        raise ArgumentError("history", expected=expected, received=repr(history))
    value = 1.0
    if isinstance(data, Interactions):
        value = data.median_weight
    elif isinstance(data, Ratings):
        value = data.scale.highest
    latest_first = dict.fromkeys(reversed([*history]), value)
    return dict(reversed(latest_first.items()))
