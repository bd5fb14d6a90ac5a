"""``Reranking``: lists that are varied, calibrated to somebody's taste, or within caps."""

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np

from tastemap.arrays import F32, F64, I32, I64, FloatArray, IndexArray, Mask
from tastemap.data.feedback import Feedback
from tastemap.errors import ArgumentError
from tastemap.metrics.similarity import unit_rows
from tastemap.models.base.categories import Categories, categories, category_values
from tastemap.models.base.selection import ShortAnswerWarning, top_k
from tastemap.models.base.user import User
from tastemap.models.base.validation import share, whole_number
from tastemap.support.counts import counted
from tastemap.support.numerals import number

#: The weight of a calibration where only its column is named.
DEFAULT_CALIBRATION = 0.5
#: A list of k is picked from so many of the best items: ten for each place, or this number if that
#: is more, but no more than `MAX_TABLE_ITEMS`. Where caps leave it short of k, from eight times as
#: many, and so on.
PLACES_OF_SHORTLIST, MIN_SHORTLIST, GROWTH = 10, 100, 8
#: The part of the taste in a list's smoothed shares (Steck's alpha), so that none of them is 0.
SMOOTHING = 0.01
#: Likes of an average user that are added to those of each user.
PSEUDO_LIKES = 2.0
# Items whose similarities are compared to tell how far similarities spread.
N_OF_SPREAD = 100
#: Items of the longest shortlist of a varied list, and of the largest table of similarities.
MAX_TABLE_ITEMS = 4096


@dataclass(frozen=True)
class Reranking:
    """What a list shall be like beside being good; checked when it is made.

    Attributes:
        diversity: From 0 to 1: how much the similarity with the items before weighs against the
            score, each in standard deviations.
        calibrated: Weight, from 0 to 1, by column of the item table: how much a list's shares of
            its categories should be those of what the user likes.
        at_most: The most items of a list with the same value, by column; items without a value are
            free.
    """

    diversity: float = 0.0
    calibrated: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls, data: Feedback, diversity: float = 0.0, calibrated: Any = None, at_most: Any = None
    ) -> Self | None:
        """The wishes of a call, or None if there are none.

        Args:
            data: The training data, whose item table has the columns.
            diversity: As in `Recommender.recommend`.
            calibrated: A column, several, or ``{column: weight}``.
            at_most: ``{column: number}``.

        Raises:
            ArgumentError: If a number is out of its range, or a column is not there.
        """
        if diversity == 0 and calibrated is None and at_most is None:
            return None
        share("diversity", diversity)
        if isinstance(calibrated, str):
            calibrated = [calibrated]
        if not isinstance(calibrated, Mapping) and isinstance(calibrated, Iterable):
            calibrated = dict.fromkeys(calibrated, DEFAULT_CALIBRATION)
        for name, value in (("calibrated", calibrated), ("at_most", at_most)):
            if value is not None and not isinstance(value, Mapping):
                example = "'genres': 0.5" if name == "calibrated" else "'director': 2"
                expected = f"columns with numbers, such as {{{example}}}"
                raise ArgumentError(name, expected=expected, received=repr(value))
        weights = {**(calibrated or {})}
        for column, weight in weights.items():
            share(f"calibrated of {column}", weight)
            category_values(data, column, "calibrated")
        most = {**(at_most or {})}
        for column, n in most.items():
            # No cap beyond the number of items is needed, and none is too large for an array.
            most[column] = min(whole_number(f"at_most of {column}", n), data.n_items)
            category_values(data, column, "at_most")
        weights = {column: float(weight) for column, weight in weights.items() if weight}
        if not (diversity or weights or most):
            return None
        return cls(float(diversity), weights, most)

    @property
    def caps(self) -> str:
        """The caps in words."""
        return ", ".join(f"{column}={n}" for column, n in self.at_most.items())

    def n_scored(self, k: int, n_items: int) -> int:
        """How many of the best items need scores for a list of k: with caps, all."""
        return n_items if self.at_most else min(shortlist_length(k), n_items)

    def warn_of_caps(self, n: int, k: int, columns: Iterable[str]) -> None:
        """Warn that caps leave n of k items, and name those that the list has filled."""
        caps = ", ".join(f"{column}={self.at_most[column]}" for column in columns)
        warnings.warn(
            f"only {n} of the {counted(k, 'item')} asked for: no further candidate fits at_most"
            f" {caps}",
            ShortAnswerWarning,
            stacklevel=3,
        )


def words_as_columns(words: Iterable[str] | None, name: str) -> dict[str, float] | None:
    """Columns with numbers from words ``column=number``; a calibration may be a column alone.

    Args:
        words: The words; None, or no word, for None.
        name: ``"calibrated"`` or ``"at_most"``.

    Raises:
        ArgumentError: If a word has no number where one is needed, or one that is none.

    Example:
        >>> words_as_columns(["genres", "decade=0.2"], "calibrated")
        {'genres': 0.5, 'decade': 0.2}
    """
    columns: dict[str, float] = {}
    for word in words or ():
        column, equals, text = word.rpartition("=")
        if not equals and name == "calibrated":
            columns[word] = DEFAULT_CALIBRATION
            continue
        value = number(text)
        column = column.strip()
        if not column or value is None:
            expected = "COLUMN or COLUMN=WEIGHT" if name == "calibrated" else "COLUMN=NUMBER"
            raise ArgumentError(name, expected=expected, received=repr(word))
        columns[column] = value
    return columns or None


def shortlist_length(k: int) -> int:
    """Number of items from which a list of k is picked.

    Example:
        >>> [shortlist_length(k) for k in (3, 20, 1_000, 5_000)]
        [100, 200, 4096, 5000]
    """
    return max(min(max(PLACES_OF_SHORTLIST * k, MIN_SHORTLIST), MAX_TABLE_ITEMS), k)


class Reranker:
    """Picks lists from scores; keeps what it has worked out of the data of one model."""

    def __init__(self, data: Feedback) -> None:
        self.data = data
        self._categories: dict[str, Categories] = {}
        self._spread: float | None = None

    def best(
        self, model: Any, reranking: Reranking, user: User, score: FloatArray, allowed: Mask, k: int
    ) -> IndexArray:
        """Rows of at most k items for one user, in the order in which they are picked.

        Args:
            model: The `RowModel`, which compares items.
            reranking: What the list shall be like.
            user: Whose likes a list is calibrated to.
            score: (n_items,), by which items are good.
            allowed: Mask (n_items,) of the items to choose from.
            k: Length of the list; it is shorter where no further item is allowed, or fits.

        Raises:
            UnsupportedError: If the list shall be varied, and the model cannot compare items.
        """
        liked = self.liked(user)
        picking = Picking(self, model, reranking, k)
        size, n_allowed = shortlist_length(k), int(np.count_nonzero(allowed))
        while True:
            rows = top_k(score, allowed, size)
            (places,) = picking.picks(rows[None], score[rows][None], (liked,))
            picked = rows[places[places >= 0]]
            if len(picked) == min(k, n_allowed) or len(rows) == min(n_allowed, picking.most):
                return picked
            size = min(GROWTH * size, picking.most)

    def liked(self, user: User) -> IndexArray:
        """Rows of the items that a user likes, ascending, each once."""
        rows, place = np.unique(user.item_index, return_inverse=True)
        sums = np.bincount(place, user.rating, minlength=len(rows)).astype(np.float32)
        return rows[self.data.liked(sums)].astype(np.int32)

    def liked_by(self, user_index: int) -> IndexArray:
        """As `liked`, of a user of the training data."""
        indptr, rows = self._likes
        return rows[indptr[user_index] : indptr[user_index + 1]]

    @cached_property
    def _likes(self) -> tuple[I64, I32]:
        """What each user of the training data likes, in compressed rows."""
        likes = self.data.likes()
        order = np.lexsort((likes.item_index, likes.user_index))
        counts = np.bincount(likes.user_index, minlength=self.data.n_users)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return indptr, likes.item_index[order].astype(np.int32)

    @cached_property
    def like_counts(self) -> I64:
        """How many users like each item, (n_items,); 1 for each if nobody likes anything."""
        counts = np.bincount(self._likes[1], minlength=self.data.n_items)
        return counts if counts.any() else np.ones(self.data.n_items, dtype=np.int64)

    def categories(self, column: str) -> Categories:
        """As the function, once a column."""
        if column not in self._categories:
            self._categories[column] = categories(self.data, column)
        return self._categories[column]

    def filled_caps(self, reranking: Reranking, rows: IndexArray) -> list[str]:
        """The columns of the caps that a list reaches with one of their values."""
        columns = []
        for column, most in reranking.at_most.items():
            indptr, ids, n = self.categories(column)
            listed = [ids[indptr[row] : indptr[row + 1]] for row in rows]
            if listed and (np.bincount(np.concatenate(listed), minlength=n) >= most).any():
                columns.append(column)
        return columns

    # ---- similarities ----

    def spread(self, model: Any) -> float:
        """The standard deviation of the similarities between the most rated items."""
        if self._spread is None:
            rows = np.argsort(-self.data.by_item.counts, kind="stable")[:N_OF_SPREAD]
            places, values, is_table = self.likeness(model, rows.astype(np.int32))
            table = values[places][:, places] if is_table else values @ values.T
            pairs = table[np.triu_indices(len(rows), 1)]
            self._spread = float(pairs.std(dtype=np.float64)) if len(pairs) else 0.0
        return self._spread

    def likeness(self, model: Any, rows: IndexArray) -> tuple[IndexArray, F32, bool]:
        """How similar some items are, as `kernels.reranking.Likeness`.

        Args:
            model: The `RowModel`.
            rows: Rows of items, of any shape; -1 for none.

        Returns:
            The place of each item, of the shape of ``rows``; factors of length one, or a table; and
            whether it is a table.

        Raises:
            UnsupportedError: If the model cannot compare items.
        """
        items = np.unique(rows[rows >= 0])
        places = np.searchsorted(items, rows).astype(np.int32)
        factors = model.compared_factors
        if factors is not None:
            return places, unit_rows(factors[items]).astype(np.float32), False
        if self.data.n_items > MAX_TABLE_ITEMS:
            table = [model.similarity_rows(int(item))[items] for item in items]
            return places, np.array(table, dtype=np.float32), True
        values, is_filled = self._table
        for item in items[~is_filled[items]]:
            values[item] = model.similarity_rows(int(item))
            is_filled[item] = True
        return rows, values, True

    @cached_property
    def _table(self) -> tuple[F32, Mask]:
        """Similarities (n_items, n_items), and which of its rows are filled already."""
        n = self.data.n_items
        return np.empty((n, n), dtype=np.float32), np.zeros(n, dtype=np.bool_)


class Picking:
    """The kernel with its tables, for lists of one length.

    Attributes:
        most: Items of the longest shortlist: all, or as many as are compared in one table.
    """

    def __init__(self, reranker: Reranker, model: Any, reranking: Reranking, k: int) -> None:
        self.reranker, self.model, self.k = reranker, model, k
        self.most = max(MAX_TABLE_ITEMS, k) if reranking.diversity else reranker.data.n_items
        self._caps = _caps(reranker, reranking.at_most)
        self._taste = _taste(reranker, reranking.calibrated, k)
        spread = reranker.spread(model) if reranking.diversity else 0.0
        self._weights = (
            (1 - reranking.diversity) * math.prod(1 - w for w in reranking.calibrated.values()),
            reranking.diversity / spread if spread > 0 else 0.0,
            SMOOTHING,
            PSEUDO_LIKES,
        )

    def picks(
        self, rows: IndexArray, scores: FloatArray, liked: Sequence[IndexArray]
    ) -> IndexArray:
        """The places (n, k) in shortlists that become lists; -1 after the end of one.

        Args:
            rows, scores: (n, m), shortlists of items, best first; -1 after the end of one.
            liked: The items that the user of each list likes.
        """
        from tastemap.kernels.reranking import Likeness, Shortlists, Taste, rerank

        places, values, is_table = rows, np.zeros((0, 0), dtype=np.float32), False
        if self._weights[1]:
            if len(rows) > 1 and rows.size > MAX_TABLE_ITEMS < self.reranker.data.n_items:
                half = len(rows) // 2
                parts = (slice(half), slice(half, None))
                return np.concatenate([self.picks(rows[s], scores[s], liked[s]) for s in parts])
            places, values, is_table = self.reranker.likeness(self.model, rows)
        indptr = np.cumsum([0, *map(len, liked)])
        flat = np.concatenate(liked).astype(np.int32)
        taste = Taste(**self._taste, liked_indptr=indptr, liked=flat)
        picks = np.empty((len(rows), self.k), dtype=np.int32)
        shortlists = Shortlists(rows, scores.astype(np.float64), places)
        rerank(shortlists, Likeness(values, is_table), taste, self._caps, self._weights, picks)
        return picks


def _caps(reranker: Reranker, at_most: Mapping[str, int]) -> Any:
    """The `kernels.reranking.Caps` of some columns."""
    from tastemap.kernels.reranking import Caps

    columns = [reranker.categories(column) for column in at_most]
    indptr, ids, _ = _joined(columns, reranker.data.n_items)
    most = np.repeat(np.array([*at_most.values()], np.int64), [c.n for c in columns])
    return Caps(indptr, ids, most)


def _taste(reranker: Reranker, calibrated: Mapping[str, float], k: int) -> dict[str, Any]:
    """What `kernels.reranking.Taste` has of some columns, beside what is liked."""
    columns = [reranker.categories(column).with_rest() for column in calibrated]
    indptr, ids, shares = _joined(columns, reranker.data.n_items)
    sizes = [column.n for column in columns]
    counts = reranker.like_counts if columns else np.ones(reranker.data.n_items, dtype=np.int64)
    totals = np.bincount(ids, shares * np.repeat(counts, np.diff(indptr)), minlength=sum(sizes))
    return {
        "indptr": indptr,
        "ids": ids,
        "shares": shares,
        "strength": k * np.repeat(np.array([*calibrated.values()], dtype=np.float64), sizes),
        "average": PSEUDO_LIKES * totals / counts.sum(),
    }


def _joined(columns: Sequence[Categories], n_items: int) -> tuple[I64, I32, F64]:
    """Several columns as one: indptr, ids of all, and the share of each within its column."""
    item, ids, shares, start = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)], 0
    for column in columns:
        counts = np.diff(column.indptr)
        item.append(np.repeat(np.arange(n_items), counts))
        ids.append(column.ids.astype(np.int64) + start)
        shares.append(1 / np.repeat(counts, counts))
        start += column.n
    of = np.concatenate(item)
    order = np.argsort(of, kind="stable")
    indptr = np.cumsum([0, *np.bincount(of, minlength=n_items)], dtype=np.int64)
    return indptr, np.concatenate(ids)[order].astype(np.int32), np.concatenate(shares)[order]
