"""Recommendations for many users, block by block; the lists equal those of `recommend`."""

import os
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import FloatArray, IndexArray, Mask
from tastemap.data.feedback import Feedback
from tastemap.errors import ArgumentError
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.selection import ShortAnswerWarning, allowed_items
from tastemap.support.counts import counted

# The bytes of the scores of a block of users; a block has at least this number of users.
BLOCK_BYTES = 8 * 2**20
MIN_BLOCK_USERS = 256
# Largest size of a score in a block, in bytes: a float64, its copy and a row number.
SCORE_BYTES = 8 + 8 + 4


class Lists(NamedTuple):
    """The best items of several users, best first.

    Attributes:
        items: int32 (n, k), rows of the items; -1 after the end of a list.
        scores: float (n, k), their scores; NaN after the end of a list.
        predicted: float (n, k), raw predictions where the scores are something else; or None.
    """

    items: IndexArray
    scores: npt.NDArray[Any]
    predicted: npt.NDArray[Any] | None = None


def recommend_all(
    model: Recommender,
    k: int | None = None,
    *,
    users: Any = None,
    exclude_seen: bool = True,
    candidates: Any = None,
    exclude: Any = None,
    where: str | pl.Expr | None = None,
    novelty: float = 0.0,
    by: str = "expected",
    new: bool = False,
) -> pl.DataFrame:
    """The k items with the highest score for every user of the training data, or for some.

    Each user's list equals that of ``model.recommend(user_id, k=k)``, for any set of users and any
    number of threads. Memory is bounded: users are processed in blocks whose scores take some
    megabytes. With a novelty, or in another order, each user is asked for alone: it takes longer.

    Args:
        model: A fitted model.
        k: Number of items for each user; by default ten, or all if there are fewer.
        users: Ids of the users, in the order of the answer; None for all.
        exclude_seen: Leave out what each user has rated or seen.
        candidates, exclude: Items (ids or titles) to choose from, or to leave out.
        where: A condition on the item table, such as ``"year >= 1990"``.
        novelty, by: As in `Recommender.recommend`.
        new: Also items without training ratings, beside the others.

    Returns:
        Frame ``user_id, rank, item_id, title, predicted_rating, score``, user by user, best first:
        k rows a user, or fewer with one `ShortAnswerWarning` if no more candidates are left. With
        ``new`` a column ``basis``, as `Recommender.recommend` has it.

    Raises:
        ArgumentError: If k is not between 1 and the number of items, or the order is none.
        UnsupportedError: If the model has no such order.
        UnknownIdError: If a user is unknown; the nearest are offered.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> from tastemap.models.registry import make_model
        >>> frame = recommend_all(make_model("mf").fit(synthetic_ratings()), k=3)
        >>> frame.shape, frame["rank"].head(4).to_list()
        ((360, 6), [1, 2, 3, 1])
    """
    data = model.fitted_data
    user_index = (
        np.arange(data.n_users, dtype=np.int32) if users is None else data.users.index(users)
    )
    allowed = allowed_items(
        data, seen=user_index[:0], candidates=candidates, exclude=exclude, where=where, new=new
    )
    k = min(10, data.n_items) if k is None else k
    seen = (data.touched,) if exclude_seen else ()
    everyone = Everyone(model, k, seen, allowed, has_basis=new, choice=unusual(novelty, by))
    lists = everyone.lists(user_index)
    n_short = int(np.count_nonzero(lists.items[:, -1] < 0))
    if n_short:
        warn_of_short(n_short, len(user_index), k)
    return everyone.frame(user_index, lists)


def unusual(novelty: float, by: str) -> dict[str, Any]:
    """The options of `recommend_rows` for which each user is asked for alone.

    Example:
        >>> unusual(0.0, "expected"), unusual(0.5, "expected")
        ({}, {'novelty': 0.5})
    """
    return ({"novelty": novelty} if novelty else {}) | ({"by": by} if by != "expected" else {})


def warn_of_short(n_short: int, n_users: int, k: int) -> None:
    """Warn that the lists of some users are shorter than k."""
    warnings.warn(
        f"{n_short:,} of {counted(n_users, 'user')} {'has' if n_short == 1 else 'have'} fewer than"
        f" {counted(k, 'item')}: no more candidates are left",
        ShortAnswerWarning,
        stacklevel=3,
    )


def best_items(
    model: Recommender,
    user_index: IndexArray,
    k: int,
    *,
    seen: Sequence[Feedback],
    allowed: Mask | None = None,
    n_threads: int | None = None,
) -> Lists:
    """`recommend_all` on arrays of rows.

    Args:
        model: A fitted model.
        user_index: int32 (n,), rows of users, none negative.
        k: Length of the lists.
        seen: Tables of ratings, with the model's vocabularies; items that a user has rated in any
            of them are left out.
        allowed: Mask (n_items,) of the items to choose from; None for all.
        n_threads: Threads that select the best scores; None for one on each processor core.

    Raises:
        ArgumentError: If k is not between 1 and the number of items.
    """
    return Everyone(model, k, seen, allowed, n_threads=n_threads).lists(user_index)


class Everyone:
    """The lists of many users of a model, made block by block."""

    def __init__(
        self,
        model: Recommender,
        k: int,
        seen: Sequence[Feedback],
        allowed: Mask | None = None,
        memory: int | None = None,
        n_threads: int | None = None,
        *,
        has_basis: bool = False,
        choice: Mapping[str, Any] | None = None,
    ) -> None:
        """Arguments as in `best_items`; ``memory``, in bytes, may make blocks smaller.

        With ``has_basis`` frames say what each score rests on. With further options of
        `recommend_rows`, ``choice``, each user is asked for alone; what the model cannot do is said
        before anything is done.
        """
        data = model.fitted_data
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= data.n_items:
            raise ArgumentError(
                "k",
                expected=f"a whole number from 1 to {data.n_items}, the number of items",
                received=k,
            )
        self.model, self.data, self.k = model, data, int(k)
        self.n_threads, self.has_basis = n_threads or _usable_cores(), has_basis
        self.allowed, self.choice = allowed, dict(choice or {})
        self.forbidden = np.flatnonzero(~allowed) if allowed is not None else np.zeros(0, np.int64)
        self.groups = [
            (table.by_user.indptr, table.item_index[table.by_user.indices]) for table in seen
        ]
        self.size = max(MIN_BLOCK_USERS, BLOCK_BYTES // (4 * data.n_items))
        if memory is not None:
            self.size = max(1, min(self.size, memory // (SCORE_BYTES * data.n_items)))
        if self.choice:
            self._each(np.zeros(1, dtype=np.int32))

    def lists(self, user_index: IndexArray) -> Lists:
        """The lists of some users, in their order."""
        users = np.asarray(user_index, dtype=np.int32)
        if self.choice:
            return self._each(users)
        shape = (0, self.k)
        lists = [Lists(np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.float32))]
        memory = np.empty((min(self.size, len(users)), self.data.n_items), dtype=np.float32)
        with ThreadPoolExecutor(self.n_threads) as pool:
            for start in range(0, len(users), self.size):
                block = users[start : start + self.size]
                scores, error = self.model.score_users(block, memory[: len(block)])
                n = min(self.n_threads, len(block))
                errors = [None] * n if error is None else np.array_split(error, n)
                parts = (np.array_split(scores, n), errors, np.array_split(block, n))
                lists += (map if n == 1 else pool.map)(self._best, *parts)
        columns = zip(*(part[:2] for part in lists), strict=True)
        return Lists(*(np.concatenate(column) for column in columns))

    def _each(self, users: IndexArray) -> Lists:
        """The lists of users, each asked for alone."""
        options = {"allowed": self.allowed, "exclude_seen": bool(self.groups), **self.choice}
        answers = [
            self.model.recommend_rows(
                self.model.user_at(user), self.k, new=self.has_basis, **options
            )
            for user in users.tolist()
        ]
        types = [values.dtype for values in answers[0]] if answers else [np.float32] * 3
        columns = [np.full((len(users), self.k), -1, np.int32)]
        columns += [np.full((len(users), self.k), np.nan, dtype) for dtype in types[1:]]
        for row, answer in enumerate(answers):
            for column, values in zip(columns, answer, strict=True):
                column[row, : len(values)] = values
        items, predicted, scores = columns
        return Lists(items, scores, predicted)

    def frame(self, user_index: IndexArray, lists: Lists) -> pl.DataFrame:
        """The frame of `recommend_all` of some users' lists."""
        data = self.data
        place = np.flatnonzero(lists.items >= 0)
        rows, score = lists.items.ravel()[place], lists.scores.ravel()[place]
        predicted = pl.lit(None, pl.Float64)
        if self.model.predicts_ratings:
            values = score if lists.predicted is None else lists.predicted.ravel()[place]
            predicted = pl.lit(pl.Series(self.model.fitted_ratings.scale.clip(values)))
        frame = pl.DataFrame(
            [
                data.users.ids_at(user_index[place // self.k]),
                pl.Series("rank", place % self.k + 1, dtype=pl.Int32),
                data.items.ids_at(rows),
                data.items.titles.gather(rows),
            ]
        ).with_columns(predicted_rating=predicted, score=pl.Series(score))
        if not self.has_basis:
            return frame
        return frame.with_columns(basis=pl.Series(self.model.basis_of(rows), dtype=pl.String))

    def _best(self, scores: FloatArray, error: FloatArray | None, users: IndexArray) -> Lists:
        """A shortlist by approximate scores, then the best by exact scores."""
        from tastemap.kernels.top_k import best_of, leave_out, shortlisted

        for indptr, items in self.groups:
            leave_out(scores, users, indptr, items)
        if len(self.forbidden):
            scores[:, self.forbidden] = -np.inf
        rows, owner, ends = shortlisted(scores, error, self.k)
        exact = (
            scores[owner, rows] if error is None else self.model.predict_rows(users[owner], rows)
        )
        shape = (len(users), self.k)
        lists = Lists(np.empty(shape, np.int32), np.empty(shape, exact.dtype))
        best_of(exact, rows, ends, self.k, lists.items, lists.scores)
        return lists


def _usable_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
