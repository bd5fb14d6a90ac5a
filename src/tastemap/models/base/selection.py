"""The choice of items: the allowed items, and the best k of them."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from tastemap.arrays import F64, I64, FloatArray, IndexArray, Mask
from tastemap.data.conditions import parse_condition
from tastemap.data.feedback import Feedback
from tastemap.data.vocabulary import Id
from tastemap.errors import ArgumentError, TastemapWarning
from tastemap.metrics.ranking import self_information

#: Up to this number, forbidden scores stay among the others and are removed only at the end.
MAX_BARRED_AMONG = 500
#: Lanes in which `top_k` looks for the highest of many scores.
MIN_LANES = 256


class ShortAnswerWarning(TastemapWarning):
    """An answer has fewer rows than requested, because no more candidates are left."""


def allowed_items(
    ratings: Feedback,
    *,
    seen: IndexArray,
    candidates: Iterable[Id] | None,
    exclude: Iterable[Id] | None,
    where: str | pl.Expr | None,
    new: bool = False,
) -> Mask:
    """Mask (n_items,) of the items that may be recommended.

    Args:
        ratings: The training ratings; a condition also sees the column ``popularity``, the number
            of ratings of each item.
        seen: Rows of the items to leave out because the user has rated them.
        candidates: If given, only these items (ids or titles) may be recommended. If not, all may
            but `Vocabulary.placeholders`.
        exclude: Items (ids or titles) to leave out.
        where: A condition on the item table.
        new: Allow items without training ratings, too.
    """
    items, counts = ratings.items, ratings.by_item.counts
    allowed = ~items.placeholders
    if candidates is not None:
        allowed[:] = False
        allowed[[items.find(item) for item in candidates]] = True
    if where is not None:
        frame = items.frame.with_columns(pl.Series("popularity", counts))
        matches = frame.select(parse_condition(where, frame)).to_series()
        allowed &= matches.fill_null(False).to_numpy()
    allowed[seen] = False
    if not new:
        allowed &= counts > 0
    if exclude is not None:
        allowed[[items.find(item) for item in exclude]] = False
    return allowed


def list_length(k: int | None, allowed: Mask, *, kind: str = "item") -> int:
    """The checked length k of a list; by default ten, or all allowed rows if there are fewer.

    Warns if fewer than k rows are allowed, or none.

    Raises:
        ArgumentError: If k is not between 1 and the number of rows.
    """
    n_allowed = int(np.count_nonzero(allowed))
    if k is None:
        k = max(1, min(10, n_allowed))
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= len(allowed):
        raise ArgumentError(
            "k",
            expected=f"a whole number from 1 to {len(allowed)}, the number of {kind}s",
            received=k,
        )
    if n_allowed < k:
        message = f"only {n_allowed} of the {k} {kind}s asked for: no more candidates are left"
        if not n_allowed:
            message = f"no {kind} is left: all are seen, excluded or outside the condition"
        warnings.warn(message, ShortAnswerWarning, stacklevel=3)
    return int(k)


def top_k(score: FloatArray, allowed: Mask, k: int) -> IndexArray:
    """Rows of the k highest scores among those allowed, best first; ties go to the lower row.

    The answer is shorter if fewer are allowed.

    Example:
        >>> top_k(np.array([1.0, 3.0, 2.0]), np.array([True, True, True]), 2).tolist()
        [1, 2]
    """
    n_allowed = int(np.count_nonzero(allowed))
    lowered, n_barred = -score, len(score) - n_allowed
    if n_barred > MAX_BARRED_AMONG:
        lowered[np.flatnonzero(~allowed)] = np.inf
        n_barred = 0
    if k < n_allowed:  # of the best k + n_barred, at least k are allowed
        allowed = allowed & (lowered <= _bound(lowered, k + n_barred))
    rows = np.flatnonzero(allowed)
    # A stable sort of the few rows that remain: ties go to the lower row on every machine.
    if k < len(rows):
        kth = np.partition(lowered[rows], k - 1)[k - 1]
        rows = rows[lowered[rows] <= kth]
    return rows[np.argsort(lowered[rows], kind="stable")[:k]].astype(np.int32)


def _bound(lowered: FloatArray, k: int) -> float:
    """A bound that at least k of the lowered scores do not exceed, and few more than k.

    Lane j holds every n_lanes-th value, from the j-th on. The bound is the k-th least of the
    lanes' minima, which is faster to find than the k-th least of all values.
    """
    n_lanes = max(MIN_LANES, 8 * k)
    if len(lowered) < 2 * n_lanes:
        return float("inf")
    whole = len(lowered) // n_lanes * n_lanes
    minima = lowered[:whole].reshape(-1, n_lanes).min(axis=0)
    bound = float(np.partition(minima, k - 1)[k - 1])
    return bound if bound == bound else float("inf")  # noqa: PLR0124 - NaN bounds nothing


def item_information(counts: I64) -> tuple[F64, float]:
    """Self-information of items from their numbers of ratings: centred, and its deviation.

    It is -log2 of an item's share of all ratings, in bits, with one rating added to each item (Zhou
    et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", PNAS 2010).
    """
    popularity = counts.astype(np.float64)
    bits = self_information(popularity + 1, popularity.sum() + len(popularity))
    return bits - bits.mean(), float(bits.std())


def novelty_bonus(
    predicted: FloatArray, information: tuple[F64, float], novelty: float
) -> FloatArray:
    """The numbers that ``novelty`` adds to the predicted ratings, to give the scores to rank by.

    They are the `item_information`, scaled to the spread of the predicted ratings: novelty 1 gives
    both the same weight, -1 favours popular items.
    """
    if not -1.0 <= novelty <= 1.0:
        raise ArgumentError("novelty", expected="a number from -1 to 1", received=novelty)
    centred, spread = information
    if novelty == 0 or spread == 0:
        return np.zeros_like(predicted)
    return novelty * predicted.std() * centred / spread


def ranked(ids: pl.Series, **columns: Any) -> pl.DataFrame:
    """A frame of ids with their rank, from 1, and further columns; a list has numbers or None."""
    rank = pl.Series("rank", np.arange(1, len(ids) + 1), dtype=pl.Int32)
    numbers = {
        name: pl.Series(values, dtype=pl.Float64 if isinstance(values, list) else None)
        for name, values in columns.items()
    }
    return pl.DataFrame([rank, ids]).with_columns(**numbers)


def listed(ids: Any) -> Any:
    """A single id as a list; several ids as they are."""
    return [ids] if isinstance(ids, str) or not hasattr(ids, "__len__") else ids
