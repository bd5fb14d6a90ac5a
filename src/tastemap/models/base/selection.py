"""Which items to answer with: those allowed, and the best k of them."""

import warnings
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.conditions import parse_condition
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Id
from tastemap.errors import ArgumentError, TastemapWarning
from tastemap.metrics.ranking import self_information

Mask: TypeAlias = npt.NDArray[np.bool_]


class ShortAnswerWarning(TastemapWarning):
    """An answer has fewer rows than asked for, because no more candidates are left."""


def allowed_items(
    ratings: Ratings,
    *,
    seen: IndexArray,
    candidates: Iterable[Id] | None,
    exclude: Iterable[Id] | None,
    where: str | pl.Expr | None,
) -> Mask:
    """Mask (n_items,) of the items that may be recommended.

    Args:
        ratings: The training ratings; a condition also sees the column ``popularity``, the number
            of ratings of each item.
        seen: Rows of the items to leave out because the user has rated them.
        candidates: If given, only these items (ids or titles) may be recommended.
        exclude: Items (ids or titles) to leave out.
        where: A condition on the item table.
    """
    items = ratings.items
    allowed = np.ones(len(items), dtype=bool)
    if candidates is not None:
        allowed[:] = False
        allowed[[items.find(item) for item in candidates]] = True
    if where is not None:
        frame = items.frame.with_columns(pl.Series("popularity", ratings.by_item.counts))
        matches = frame.select(parse_condition(where, frame)).to_series()
        allowed &= matches.fill_null(False).to_numpy()
    allowed[seen] = False
    if exclude is not None:
        allowed[[items.find(item) for item in exclude]] = False
    return allowed


def list_length(k: int | None, allowed: Mask, *, kind: str = "item") -> int:
    """The length of a list of k of the allowed rows: without k ten, or all where there are fewer.

    Warns where fewer than k are allowed.

    Raises:
        ArgumentError: If k is not between 1 and the number of rows, or nothing is allowed.
    """
    n_allowed = int(allowed.sum())
    if k is None:
        k = max(1, min(10, n_allowed))
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= len(allowed):
        raise ArgumentError(
            "k",
            expected=f"a whole number from 1 to {len(allowed)}, the number of {kind}s",
            received=k,
        )
    if not n_allowed:
        raise ArgumentError(
            f"{kind}s to choose from",
            expected="at least one",
            received="none: everything is seen, excluded or outside the condition",
            do="use exclude_seen=False or a wider choice",
        )
    if n_allowed < k:
        warnings.warn(
            f"only {n_allowed} of the {k} {kind}s asked for: no more candidates are left",
            ShortAnswerWarning,
            stacklevel=3,
        )
    return int(k)


def top_k(score: FloatArray, allowed: Mask, k: int) -> IndexArray:
    """Rows of the k highest scores among those allowed, best first; ties go to the lower row.

    The answer is shorter where fewer are allowed.

    Example:
        >>> top_k(np.array([1.0, 3.0, 2.0]), np.array([True, True, True]), 2).tolist()
        [1, 2]
    """
    rows = np.flatnonzero(allowed)
    # A stable sort of the few that can win: ties then fall to the lower row on every machine.
    if k < len(rows):
        kth = np.partition(-score[rows], k - 1)[k - 1]
        rows = rows[-score[rows] <= kth]
    order = np.argsort(-score[rows], kind="stable")[:k]
    return rows[order].astype(np.int32)


def novelty_bonus(predicted: FloatArray, popularity: FloatArray, novelty: float) -> FloatArray:
    """What ``novelty`` adds to each predicted rating to give the score to rank by.

    The self-information of an item, -log2 of its share of the ratings (Zhou et al., "Solving the
    apparent diversity-accuracy dilemma of recommender systems", PNAS 107, 2010), standardised over
    the items and scaled to the spread of the predicted ratings: novelty 1 weighs being unknown as
    much as being liked, -1 favours the popular.
    """
    if not -1.0 <= novelty <= 1.0:
        raise ArgumentError("novelty", expected="a number from -1 to 1", received=novelty)
    information = self_information(popularity + 1, popularity.sum() + len(popularity))
    spread = float(information.std())
    if novelty == 0 or spread == 0:
        return np.zeros_like(predicted)
    return novelty * predicted.std() * (information - information.mean()) / spread


def ranked(ids: pl.Series, **columns: Any) -> pl.DataFrame:
    """A frame of ids with their rank, from 1, and further columns; lists are numbers or None."""
    rank = pl.Series("rank", np.arange(1, len(ids) + 1), dtype=pl.Int32)
    numbers = {
        name: pl.Series(values, dtype=pl.Float64 if isinstance(values, list) else None)
        for name, values in columns.items()
    }
    return pl.DataFrame([rank, ids]).with_columns(**numbers)


def listed(ids: Any) -> Any:
    """One id as a list of one."""
    return [ids] if isinstance(ids, str) or not hasattr(ids, "__len__") else ids
