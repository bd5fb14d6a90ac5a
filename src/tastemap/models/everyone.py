"""Recommendations for all users, or many: block by block, with the lists of `recommend`."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import IndexArray
from tastemap.errors import ArgumentError
from tastemap.models.base import Recommender
from tastemap.models.selection import Mask, ShortAnswerWarning, allowed_items

# Scores held at once, in bytes, and the least number of users that a matrix product is worth.
_BLOCK = 8 * 2**20
_LEAST_USERS = 256


class Lists(NamedTuple):
    """The best items of several users, best first.

    Attributes:
        items: int32 (n, k), rows of the items; -1 after the end of a list.
        scores: float (n, k), their scores; NaN after the end of a list.
    """

    items: IndexArray
    scores: npt.NDArray[Any]


def recommend_all(
    model: Recommender,
    k: int | None = None,
    *,
    users: Any = None,
    exclude_seen: bool = True,
    candidates: Any = None,
    exclude: Any = None,
    where: str | pl.Expr | None = None,
) -> pl.DataFrame:
    """The k items with the highest score for every user of the training data, or for many.

    Each user's list is that of ``model.recommend(user_id, k=k)``, whatever else is asked for with
    it and on any number of threads. Memory is bounded: users are answered in blocks whose scores
    take some megabytes.

    Args:
        model: A fitted model.
        k: Number of items for each user; by default ten, or all where there are fewer.
        users: Ids of the users, in the order of the answer; None for all.
        exclude_seen: Leave out what each user has rated.
        candidates, exclude: Items (ids or titles) to choose from, or to leave out.
        where: A condition on the item table, such as ``"year >= 1990"``.

    Returns:
        Frame ``user_id, rank, item_id, title, predicted_rating, score``, user by user, best first:
        k rows a user, or fewer with one `ShortAnswerWarning` where no more candidates are left.

    Raises:
        ArgumentError: If k is not between 1 and the number of items.
        UnknownIdError: If a user is unknown; the nearest are offered.

    Example:
        >>> from tastemap.data.synthetic import synthetic_ratings
        >>> from tastemap.models import make_model
        >>> frame = recommend_all(make_model("mf").fit(synthetic_ratings()), k=3)
        >>> frame.shape, frame["rank"].head(4).to_list()
        ((360, 6), [1, 2, 3, 1])
    """
    data = model._fitted
    user_index = (
        np.arange(data.n_users, dtype=np.int32) if users is None else data.users.index(users)
    )
    allowed = allowed_items(
        data, seen=user_index[:0], candidates=candidates, exclude=exclude, where=where
    )
    k = min(10, data.n_items) if k is None else k
    seen = (data,) if exclude_seen else ()
    lists = best_items(model, user_index, k, seen=seen, allowed=allowed)
    filled = lists.items >= 0
    n_short = int(np.count_nonzero(~filled[:, -1]))
    if n_short:
        warnings.warn(
            f"{n_short:,} of {len(filled):,} users have fewer than {k} items: "
            "no more candidates are left",
            ShortAnswerWarning,
            stacklevel=2,
        )
    place = np.flatnonzero(filled)
    rows, score = lists.items.ravel()[place], lists.scores.ravel()[place]
    predicted = (
        pl.Series(data.scale.clip(score)) if model.predicts_ratings else pl.lit(None, pl.Float64)
    )
    return pl.DataFrame(
        [
            data.users.ids_at(user_index[place // k]),
            pl.Series("rank", place % k + 1, dtype=pl.Int32),
            data.items.ids_at(rows),
            data.items.titles.gather(rows),
        ]
    ).with_columns(predicted_rating=predicted, score=pl.Series(score))


def best_items(
    model: Recommender,
    user_index: IndexArray,
    k: int,
    *,
    seen: Sequence[Ratings],
    allowed: Mask | None = None,
) -> Lists:
    """`recommend_all` on arrays of rows.

    Args:
        model: A fitted model.
        user_index: int32 (n,), rows of users, none negative.
        k: Length of the lists.
        seen: Tables of ratings, with the model's vocabularies: what a user has rated in one of them
            is left out.
        allowed: Mask (n_items,) of the items to choose from; None for all.

    Raises:
        ArgumentError: If k is not between 1 and the number of items.
    """
    data = model._fitted
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= data.n_items:
        raise ArgumentError(
            "k",
            expected=f"a whole number from 1 to {data.n_items}, the number of items",
            received=k,
        )
    forbidden = np.flatnonzero(~allowed) if allowed is not None else np.zeros(0, dtype=np.int64)
    groups = [(table.by_user.offsets, table.item_index[table.by_user.rows]) for table in seen]
    users = np.asarray(user_index, dtype=np.int32)
    size = max(_LEAST_USERS, _BLOCK // (4 * data.n_items))
    lists = [Lists(np.empty((0, k), dtype=np.int32), np.empty((0, k), dtype=np.float32))]
    lists += [
        _best_of_block(model, users[start : start + size], k, groups, forbidden)
        for start in range(0, len(users), size)
    ]
    return Lists(*(np.concatenate(parts) for parts in zip(*lists, strict=True)))


def _best_of_block(
    model: Recommender,
    users: IndexArray,
    k: int,
    seen: list[tuple[npt.NDArray[np.int64], IndexArray]],
    forbidden: npt.NDArray[np.int64],
) -> Lists:
    """The lists of some users: a shortlist by scores that may be off a little, then the exact."""
    from tastemap.kernels.best import best_of, leave_out, shortlist

    scores, error = model._score_many(users)
    for offsets, items in seen:
        leave_out(scores, users, offsets, items)
    if len(forbidden):
        scores[:, forbidden] = -np.inf
    rows, ends = np.empty(scores.size, dtype=np.int32), np.empty(len(users), dtype=np.int64)
    bound = np.zeros(len(users)) if error is None else error.astype(np.float64)
    shortlist(scores, bound, k, rows, ends)
    rows, owner = rows[: ends[-1]], np.repeat(np.arange(len(users)), np.diff(ends, prepend=0))
    exact = scores[owner, rows] if error is None else model._predict(users[owner], rows)
    lists = Lists(np.empty((len(users), k), np.int32), np.empty((len(users), k), exact.dtype))
    best_of(exact, rows, ends, k, lists.items, lists.scores)
    return lists
