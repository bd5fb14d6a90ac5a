"""The items of a model as questions ask for them: by id, by title, by filters, by popularity."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.chunks import chunks, sums
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Id, Vocabulary
from tastemap.explore.title_search import search_titles, title_words
from tastemap.serve.schemas import ItemCard

Rows = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
# So many ratings at the overall mean every average is damped by.
DAMPING = 5.0
# Lanes of a long list in which the least are looked for.
_LANES = 256


@dataclass(frozen=True)
class Filters:
    """Which items may be answered with; what is None or empty asks for nothing.

    Attributes:
        genre: The item has this genre (case does not matter).
        year_from, year_to: Its year lies between these, both included.
        min_ratings: It has at least so many ratings in the training data.
    """

    genre: str = ""
    year_from: int | None = None
    year_to: int | None = None
    min_ratings: int = 0


ALL = Filters()


class RowsOfIds:
    """Row numbers of the ids of a vocabulary, one or many, in microseconds.

    Whole numbers are found by bisection, in no memory beyond the ids; text in a dictionary.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._text: dict[str, int] | None = None
        if vocabulary.is_text:
            self._text = {one: row for row, one in enumerate(vocabulary.ids.to_list())}
        else:
            ids = vocabulary.ids.to_numpy()
            ordered = bool((ids[1:] > ids[:-1]).all())
            self._order = None if ordered else np.argsort(ids, kind="stable")
            self._ids = ids if self._order is None else ids[self._order]

    def row(self, one_id: str) -> int:
        """The row of an id given as text, or -1; a whole number in its plain form alone."""
        if self._text is not None:
            return self._text.get(one_id, -1)
        try:
            value = int(one_id)
        except ValueError:
            return -1
        if str(value) != one_id or not -(2**63) <= value < 2**63:
            return -1
        at = int(np.searchsorted(self._ids, value))
        if at == len(self._ids) or self._ids[at] != value:
            return -1
        return at if self._order is None else int(self._order[at])

    def rows(self, ids: Sequence[str]) -> Rows:
        """Rows (n,) of ids, -1 for an unknown one, as `row` finds them one at a time."""
        if self._text is not None:
            return np.array([self._text.get(one, -1) for one in ids], dtype=np.int32)
        try:
            values = [int(one) for one in ids]
            asked = np.array(values, dtype=np.int64)
        except (ValueError, OverflowError):  # one of them is no such number
            return np.array([self.row(one) for one in ids], dtype=np.int32)
        at = np.searchsorted(self._ids, asked).clip(max=len(self._ids) - 1)
        found = self._ids[at] == asked
        plain = [str(value) == one for value, one in zip(values, ids, strict=True)]
        found &= np.array(plain, dtype=bool)
        rows = at if self._order is None else self._order[at]
        return np.where(found, rows, -1).astype(np.int32)


class Catalogue:
    """The items, in row order, with what is known and counted of them.

    Attributes:
        items: The vocabulary.
        popularity: int64 (n,), number of training ratings.
        average: float64 (n,), mean rating, NaN without ratings.
        damped: float64 (n,), mean rating damped by five ratings at the overall mean.
        information: float64 (n,), -log2 of the share of all ratings, standardised: what the
            slider from familiar to surprising adds.
    """

    def __init__(self, ratings: Ratings) -> None:
        self.items, self._ratings = ratings.items, ratings
        self.rows_of = RowsOfIds(ratings.items)
        self.popularity = ratings.by_item.counts
        given = ratings.rating
        total = sums(ratings.item_index, len(self.items), lambda rows: given[rows])
        with np.errstate(invalid="ignore"):
            self.average = total / self.popularity
        mean = ratings.global_mean
        self.damped = (total + DAMPING * mean) / (self.popularity + DAMPING)
        information = -np.log2((self.popularity + 1) / (self.popularity.sum() + len(self.items)))
        spread = float(information.std())
        self.information = (information - information.mean()) / (spread or 1.0)
        frame = self.items.frame
        title = "title" if "title" in frame.columns else self.items.key
        self._titles = frame[title].cast(pl.String).fill_null("")
        nothing = pl.Series([None] * len(frame), dtype=pl.Int32)
        self._years = frame["year"].cast(pl.Int32) if "year" in frame.columns else nothing
        empty = pl.Series([None] * len(frame), dtype=pl.List(pl.String))
        self._genres = frame["genres"] if "genres" in frame.columns else empty
        self._masks: dict[str, Mask] = {}
        self._searching = threading.Lock()

    def __len__(self) -> int:
        return len(self.items)

    def id_at(self, row: int) -> Id:
        """The id of a row."""
        return self._known[row][0]

    def title_at(self, row: int) -> str:
        """The title of a row without its year, or its id where there is none."""
        return self._known[row][1]

    def year_at(self, row: int) -> int | None:
        """The year of a row, if known."""
        return self._known[row][2]

    def genres_at(self, row: int) -> tuple[str, ...]:
        """The genres of a row."""
        return self._known[row][3]

    def cards(
        self,
        rows: npt.ArrayLike,
        *,
        predicted: npt.ArrayLike | None = None,
        score: npt.ArrayLike | None = None,
        own: dict[int, float] | None = None,
    ) -> list[ItemCard]:
        """The items at some rows, in that order.

        Args:
            rows: Row numbers, (n,).
            predicted, score: A predicted rating and a score for each row, (n,).
            own: The person's own ratings, by row.
        """
        at = np.asarray(rows, dtype=np.int64)  # an empty list has no whole numbers of its own
        blank = [None] * len(at)
        known, given = self._known, own or {}
        guesses = blank if predicted is None else _plain(np.asarray(predicted))
        scores = blank if score is None else _plain(np.asarray(score))
        counts, averages = self.popularity[at].tolist(), _plain(self.average[at])
        found = []
        for row, n, average, guess, ranked in zip(
            at.tolist(), counts, averages, guesses, scores, strict=True
        ):
            one, title, year, genres = known[row]
            own_rating = given.get(row)
            found.append(ItemCard(one, title, year, genres, n, average, guess, ranked, own_rating))
        return found

    @cached_property
    def _known(self) -> list[tuple[Id, str, int | None, tuple[str, ...]]]:
        """Id, title, year and genres of each item; equal years and genres are kept once."""
        once: dict[Any, Any] = {}
        ids, titles = self.items.ids.to_list(), self._titles.to_list()
        years = [once.setdefault(year, year) for year in self._years.to_list()]
        genres = (tuple(found or ()) for found in self._genres.to_list())
        genres = (once.setdefault(found, found) for found in genres)
        named = (title or str(one) for one, title in zip(ids, titles, strict=True))
        return list(zip(ids, named, years, genres, strict=True))

    def facts(self, row: int) -> dict[str, Any]:
        """Whatever else the item table says of an item, by column, as text."""
        shown = {self.items.key, "title", "year", "genres"}
        record = self.items.frame.row(row, named=True)
        return {
            name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            for name, value in record.items()
            if name not in shown and value is not None
        }

    def histogram(self, row: int) -> list[tuple[float, int]]:
        """How often each rating was given to an item, from the lowest."""
        given = self._ratings.rating[self._ratings.by_item[row]]
        levels = self._ratings.scale.levels
        if levels is None:
            counts, edges = np.histogram(given, bins=10)
            return list(zip(edges[:-1].tolist(), counts.tolist(), strict=True))
        nearest = np.abs(given[:, None] - levels).argmin(axis=1)
        counts = np.bincount(nearest, minlength=len(levels))
        return list(zip(levels.tolist(), counts.tolist(), strict=True))

    @cached_property
    def entropy(self) -> npt.NDArray[np.float64]:
        """float64 (n,), entropy of the ratings of each item, in bits."""
        data, levels = self._ratings, self._ratings.scale.levels
        if levels is None:
            levels = np.linspace(data.scale.lowest, data.scale.highest, 11)
        edges, size = (levels[1:] + levels[:-1]) / 2, len(self) * len(levels)
        counts = np.zeros(size)
        for rows in chunks(len(data)):
            level = np.searchsorted(edges, data.rating[rows])
            place = data.item_index[rows].astype(np.int64) * len(levels) + level
            counts += np.bincount(place, minlength=size)
        share = counts.reshape(len(self), -1) / np.maximum(self.popularity[:, None], 1)
        return -np.sum(share * np.log2(np.where(share > 0, share, 1.0)), axis=1)

    # ---- filters ----

    @cached_property
    def year_of(self) -> npt.NDArray[np.float32]:
        """float32 (n,), the year, NaN where unknown."""
        return self._years.cast(pl.Float32).fill_null(float("nan")).to_numpy()

    @cached_property
    def genres(self) -> list[tuple[str, int]]:
        """Every genre with its number of items, the most frequent first."""
        counted = self._genres.drop_nulls().explode(empty_as_null=True).drop_nulls().value_counts()
        return sorted(counted.rows(), key=lambda row: (-row[1], row[0]))

    def genre_mask(self, genre: str) -> Mask:
        """Which items have a genre (n,)."""
        key = genre.casefold()
        if key not in self._masks:
            exact = [name for name, _ in self.genres if name.casefold() == key]
            if not exact:
                return np.zeros(len(self), dtype=bool)
            has = self._genres.list.contains(exact[0]).fill_null(value=False)
            self._masks[key] = has.to_numpy()
        return self._masks[key]

    def allowed(self, filters: Filters) -> Mask | None:
        """Which items the filters let through (n,), or None where that is all of them."""
        if filters == ALL:
            return None
        mask = self.popularity >= filters.min_ratings
        if filters.genre:
            mask &= self.genre_mask(filters.genre)
        if filters.year_from is not None:
            mask &= self.year_of >= filters.year_from
        if filters.year_to is not None:
            mask &= self.year_of <= filters.year_to
        return mask

    # ---- search ----

    @cached_property
    def by_popularity(self) -> Rows:
        """All rows, the most rated first."""
        return np.argsort(-self.popularity, kind="stable").astype(np.int32)

    def search(self, query: str) -> Rows:
        """Rows of the items that fit a query, the best first; all where it has no word.

        Titles that hold its words come first. Where it names a genre, the items of that genre that
        hold its other words follow, the most rated first where there are none; close spellings are
        looked for where it names none.
        """
        words = title_words(query)
        if not words:
            return self.by_popularity
        named = [name for name, _ in self.genres if set(title_words(name)) <= set(words)]
        rows = self._by_title(words, spelling=not named)
        if not named:
            return rows
        of_genres = {word for name in named for word in title_words(name)}
        rest = [word for word in words if word not in of_genres]
        others = self._by_title(rest, spelling=False) if rest else self.by_popularity
        fits = np.logical_and.reduce([self.genre_mask(name) for name in named])
        fits[rows] = False
        return np.concatenate([rows, others[fits[others]]])

    def _by_title(self, words: list[str], *, spelling: bool) -> Rows:
        """Rows of the items whose titles hold all words, or if there are none are spelt alike."""
        with self._searching:  # the first search makes the index
            found = search_titles(self.items, " ".join(words), len(self))
        if not spelling:
            found = found.filter(pl.col("match") != "spelling")
        return self.items.index(found["item_id"])


def top_rows(
    score: npt.NDArray[Any], k: int, allowed: Mask | None = None, without: Rows | None = None
) -> Rows:
    """Rows of the k highest scores, best first, ties by row; fewer where no more are allowed.

    Example:
        >>> top_rows(np.array([1.0, 3.0, 2.0, 3.0]), 3).tolist()
        [1, 3, 2]
        >>> top_rows(np.array([1.0, 3.0, 2.0]), 3, without=np.array([1])).tolist()
        [2, 0]
    """
    lowered = -score
    if allowed is not None:
        lowered[~allowed] = np.inf
    if without is not None:
        lowered[without] = np.inf
    rows = np.flatnonzero(lowered <= _kth_at_most(lowered, k))
    if k < len(rows):
        kth = np.partition(lowered[rows], k - 1)[k - 1]
        rows = rows[lowered[rows] <= kth]
    rows = rows[np.isfinite(lowered[rows])]
    return rows[np.argsort(lowered[rows], kind="stable")[:k]].astype(np.int32)


def _kth_at_most(lowered: npt.NDArray[Any], k: int) -> float:
    """A value that the k-th least does not exceed, and hardly more than k of them reach.

    The k-th least of the least of each lane, of which each holds every so-manieth: found many at a
    time, where a partition moves them all.
    """
    n_lanes = max(_LANES, 8 * k)
    if len(lowered) < 2 * n_lanes:
        return float("inf")
    whole = len(lowered) // n_lanes * n_lanes
    lanes = lowered[:whole].reshape(-1, n_lanes).min(axis=0)
    return float(np.partition(lanes, k - 1)[k - 1])


def _plain(values: npt.NDArray[Any]) -> list[float | None]:
    """Numbers as JSON can hold them: what is no number becomes None."""
    return [None if value != value else value for value in values.astype(float).tolist()]  # noqa: PLR0124
