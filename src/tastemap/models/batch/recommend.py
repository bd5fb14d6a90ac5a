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
from tastemap.models.base.orders import supported
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.reranking import Picking, Reranking, shortlist_length
from tastemap.models.base.selection import ShortAnswerWarning, allowed_items
from tastemap.models.base.user import NO_ITEMS
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
        scores: float (n, k), what they are ordered by; NaN after the end of a list.
        predicted: float (n, k), their raw predictions; NaN likewise.
    """

    items: IndexArray
    scores: npt.NDArray[Any]
    predicted: npt.NDArray[Any]


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
    seed: int = 0,
    new: bool = False,
    diversity: float = 0.0,
    calibrated: str | Sequence[str] | Mapping[str, float] | None = None,
    at_most: Mapping[str, int] | None = None,
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
        novelty, by: As in `Recommender.recommend`. Only lists by ``"expected"``, without a
            novelty, are made many at once.
        seed: Of the draws of curious lists.
        new: Also items without training ratings, beside the others.
        diversity, calibrated, at_most: What lists shall be like, as `Recommender.recommend` has it.

    Returns:
        Frame ``user_id, rank, item_id, title, predicted_rating, score``, user by user, best first:
        k rows a user, or fewer with one `ShortAnswerWarning` if no more candidates are left. With
        ``new`` a column ``basis``, as `Recommender.recommend` has it.

    Raises:
        ArgumentError: If k is not between 1 and the number of items, or the order is none.
        UnsupportedError: If the model has no such order.
        UnknownIdError: If a user is unknown; the nearest are offered.
        UnsupportedError: If the model does not have the order.

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
    reranking = Reranking.of(data, diversity, calibrated, at_most)
    order: dict[str, Any] = {"novelty": novelty, "by": by, "seed": seed}
    everyone = Everyone(model, k, seen, allowed, has_basis=new, reranking=reranking, **order)
    lists = everyone.lists(user_index)
    n_short = int(np.count_nonzero(lists.items[:, -1] < 0))
    if n_short:
        warn_of_short(n_short, len(user_index), k, reranking)
    return everyone.frame(user_index, lists)


def warn_of_short(n_short: int, n_users: int, k: int, reranking: Reranking | None = None) -> None:
    """Warn that the lists of some users are shorter than k."""
    fitting = f" that fit at_most {reranking.caps}" if reranking and reranking.at_most else ""
    warnings.warn(
        f"{n_short:,} of {counted(n_users, 'user')} {'has' if n_short == 1 else 'have'} fewer than"
        f" {counted(k, 'item')}: no more candidates{fitting} are left",
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
    reranking: Reranking | None = None,
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
        reranking: What lists shall be like beside being good.

    Raises:
        ArgumentError: If k is not between 1 and the number of items.
    """
    everyone = Everyone(model, k, seen, allowed, n_threads=n_threads, reranking=reranking)
    return everyone.lists(user_index)


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
        novelty: float = 0.0,
        by: str = "expected",
        seed: int = 0,
        has_basis: bool = False,
        reranking: Reranking | None = None,
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
        self.novelty, self.by, self.seed = novelty, supported(model, by), seed
        self.allowed = np.ones(data.n_items, dtype=bool) if allowed is None else allowed
        self.n_threads, self.has_basis = n_threads or _usable_cores(), has_basis
        self.forbidden = np.flatnonzero(~self.allowed)
        self.reranking, self.n_best = reranking, self.k
        if reranking is not None:
            self.n_best = min(shortlist_length(self.k), data.n_items)
            self.picking = Picking(model.reranker, model, reranking, self.k)
        self.groups = [
            (table.by_user.indptr, table.item_index[table.by_user.indices]) for table in seen
        ]
        self.size = max(MIN_BLOCK_USERS, BLOCK_BYTES // (4 * data.n_items))
        if memory is not None:
            self.size = max(1, min(self.size, memory // (SCORE_BYTES * data.n_items)))

    def lists(self, user_index: IndexArray) -> Lists:
        """The lists of some users, in their order."""
        users = np.asarray(user_index, dtype=np.int32)
        if self.novelty or self.by != "expected" or self.model.shortlists:
            return self._one_by_one(users)
        lists = [self._empty(0)]
        memory = np.empty((min(self.size, len(users)), self.data.n_items), dtype=np.float32)
        with ThreadPoolExecutor(self.n_threads) as pool:
            for start in range(0, len(users), self.size):
                block = users[start : start + self.size]
                scores, error = self.model.score_users(block, memory[: len(block)])
                n = min(self.n_threads, len(block))
                errors = [None] * n if error is None else np.array_split(error, n)
                parts = (np.array_split(scores, n), errors, np.array_split(block, n))
                lists += (map if n == 1 else pool.map)(self._best, *parts)
        return Lists(*(np.concatenate(column) for column in zip(*lists, strict=True)))

    def frame(self, user_index: IndexArray, lists: Lists) -> pl.DataFrame:
        """The frame of `recommend_all` of some users' lists."""
        data = self.data
        place = np.flatnonzero(lists.items >= 0)
        rows, score = lists.items.ravel()[place], lists.scores.ravel()[place]
        predicted = pl.lit(None, pl.Float64)
        if self.model.predicts_ratings:
            ratings = self.model.fitted_ratings.scale.clip(lists.predicted.ravel()[place])
            predicted = pl.lit(pl.Series(ratings))
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

    def _empty(self, n: int, dtype: npt.DTypeLike = np.float32) -> Lists:
        shape = (n, self.k)
        scores, predicted = np.full((2, *shape), np.nan, dtype=dtype)
        return Lists(np.full(shape, -1, dtype=np.int32), scores, predicted)

    def _one_by_one(self, users: IndexArray) -> Lists:
        """Lists that are not those of the highest of all scores, one after the other."""
        lists = self._empty(len(users), np.float64)

        def fill(place: int) -> None:
            rows, predicted, score = self._list(int(users[place]))
            for filled, values in zip(lists, (rows, score, predicted), strict=True):
                filled[place, : len(rows)] = values

        for place in range(min(1, len(users))):
            fill(place)  # what all lists need is worked out once
        with ThreadPoolExecutor(self.n_threads) as pool:
            list(pool.map(fill, range(1, len(users))))
        return lists

    def _best(self, scores: FloatArray, error: FloatArray | None, users: IndexArray) -> Lists:
        """A shortlist by approximate scores, then the best by exact scores."""
        from tastemap.kernels.top_k import best_of, leave_out, shortlisted

        for indptr, items in self.groups:
            leave_out(scores, users, indptr, items)
        if len(self.forbidden):
            scores[:, self.forbidden] = -np.inf
        rows, owner, ends = shortlisted(scores, error, self.n_best)
        exact = (
            scores[owner, rows] if error is None else self.model.predict_rows(users[owner], rows)
        )
        shape = (len(users), self.n_best)
        items, best = np.empty(shape, np.int32), np.empty(shape, exact.dtype)
        best_of(exact, rows, ends, self.n_best, items, best)
        lists = Lists(items, best, best)
        return lists if self.reranking is None else self._picked(lists, users)

    def _picked(self, shortlists: Lists, users: IndexArray) -> Lists:
        """Lists from shortlists; where caps leave one too short, from longer shortlists."""
        items, scores, _ = shortlists
        liked = [NO_ITEMS] * len(users)
        if self.reranking is not None and self.reranking.calibrated:
            liked = [self.model.reranker.liked_by(user) for user in users]
        places = self.picking.picks(items, scores, liked)
        picked: IndexArray = np.take_along_axis(items, places, axis=1)
        best = np.take_along_axis(scores, places, axis=1)
        picked[places < 0], best[places < 0] = -1, np.nan
        for n in np.flatnonzero((picked[:, -1] < 0) & (items[:, -1] >= 0)):
            picked[n], best[n] = -1, np.nan
            rows, _, score = self._list(int(users[n]))
            picked[n, : len(rows)], best[n, : len(rows)] = rows, score
        return Lists(picked, best, best)

    def _list(self, user: int) -> tuple[IndexArray, FloatArray, FloatArray]:
        """The list of one user, as `recommend_rows` has it."""
        allowed = self.allowed.copy()
        for indptr, items in self.groups:
            allowed[items[indptr[user] : indptr[user + 1]]] = False
        return self.model.recommend_rows(
            *(self.model.user_at(user), self.k),
            allowed=allowed,
            exclude_seen=False,
            novelty=self.novelty,
            by=self.by,
            seed=self.seed,
            new=True,
            reranking=self.reranking,
        )


def _usable_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
