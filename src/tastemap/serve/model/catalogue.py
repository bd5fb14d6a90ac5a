"""The items of a model as questions ask for them: by id, by title, by filters, by popularity."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import F32, F64, AnyArray, IndexArray, Mask
from tastemap.data.chunks import chunks, sums
from tastemap.data.feedback import Feedback
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Id, Vocabulary
from tastemap.errors import ArgumentError, UnknownIdError
from tastemap.explore.title_search import MAX_WORDS, search_titles, title_words
from tastemap.serve.model.genre_words import genres_in
from tastemap.serve.schemas import Basis, ItemCard
from tastemap.support.texts import Texts
from tastemap.support.titles import spoken

# Every average is damped by so many ratings at the overall mean.
DAMPING_RATINGS = 5.0
# The long tail holds this share of the ratings.
TAIL_SHARE = 1 / 3
# Bins of the histogram and of the entropy of ratings on a scale without steps.
N_BINS = 10
# Of the items that share a title, so many ids are named.
MAX_IDS_OFFERED = 10
# In columns: a year that is not known, and what stands between two genres.
NO_YEAR, GENRE_END = -(2**31), "\x1f"


@dataclass(frozen=True)
class Filters:
    """Which items may be answered with; what is None or empty asks for nothing.

    Attributes:
        genre: The item has this genre (case does not matter).
        year_from, year_to: Its year lies between these, both included.
        min_ratings: It has at least so many ratings in the training data; without ratings, so many
            people have liked it.
        max_ratings: It has at most so many.
    """

    genre: str = ""
    year_from: int | None = None
    year_to: int | None = None
    min_ratings: int = 0
    max_ratings: int | None = None


NO_FILTERS = Filters()


class RowsOfIds:
    """Row numbers of the ids of a vocabulary, one or many, in microseconds.

    Whole numbers are found by bisection, in no memory beyond the ids; text in a dictionary.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._row_of: dict[str, int] | None = None
        if vocabulary.is_text:
            self._row_of = {text: row for row, text in enumerate(vocabulary.ids.to_list())}
        else:
            ids = vocabulary.ids.to_numpy()
            is_sorted = bool((ids[1:] > ids[:-1]).all())
            self._order = None if is_sorted else np.argsort(ids, kind="stable")
            self._ids = ids if self._order is None else ids[self._order]

    def row(self, id_text: str) -> int:
        """The row of an id given as text, or -1; a whole number in its plain form alone."""
        return int(self.rows([id_text])[0])

    def rows(self, id_texts: Sequence[str]) -> IndexArray:
        """Rows (n,) of ids given as text, -1 for an unknown one."""
        if self._row_of is not None:
            return np.array([self._row_of.get(text, -1) for text in id_texts], dtype=np.int32)
        # What is no whole number of 64 bits in its plain form stands for no id.
        numbers = [_whole_number(text) for text in id_texts]
        values = np.array([0 if number is None else number for number in numbers], dtype=np.int64)
        places = np.searchsorted(self._ids, values).clip(max=len(self._ids) - 1)
        matches = self._ids[places] == values
        matches &= np.array([number is not None for number in numbers], dtype=bool)
        rows = places if self._order is None else self._order[places]
        return np.where(matches, rows, -1).astype(np.int32)


def _whole_number(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return number if str(number) == text and -(2**63) <= number < 2**63 else None


class ItemFacts(NamedTuple):
    """What is known of an item; the title is without its year, or the id where there is none."""

    item_id: Id
    title: str
    year: int | None
    genres: tuple[str, ...]


class Finds(NamedTuple):
    """What a search finds.

    Attributes:
        rows: Rows of items, the best first, (n,).
        are_guesses: Whether they have none of the words, but words that are spelt alike.
    """

    rows: IndexArray
    are_guesses: bool = False


class Catalogue:
    """The items, in row order, with what is known and counted of them.

    Attributes:
        items: The vocabulary.
        popularity: int64 (n,), number of training ratings; of interactions, the number of people
            who like the item.
        average: float64 (n,), mean rating, NaN without ratings.
        default_scores: float64 (n,), the score of each item for somebody of whom nothing is known:
            the mean rating damped by five ratings at the overall mean, or ``popularity``.
        rows_of: Rows of the items by id.
        has_titles, has_years: Whether items have any.
    """

    def __init__(self, data: Feedback) -> None:
        self.items, self._data = data.items, data
        self.rows_of = RowsOfIds(data.items)
        if isinstance(data, Ratings):
            self.popularity = data.by_item.counts
            total = sums(data.item_index, len(self.items), lambda rows: data.rating[rows])
            with np.errstate(invalid="ignore"):
                self.average = total / self.popularity
            damped = total + DAMPING_RATINGS * data.global_mean
            self.default_scores = damped / (self.popularity + DAMPING_RATINGS)
        else:
            self.popularity = data.likes().by_item.counts
            self.average = np.full(len(self.items), np.nan)
            self.default_scores = self.popularity.astype(np.float64)
        frame = self.items.frame
        title = "title" if "title" in frame.columns else self.items.key
        self._titles = frame[title].cast(pl.String).fill_null("")
        nothing = pl.Series([None] * len(frame), dtype=pl.Int32)
        self.has_titles = self.items.has_titles
        has_years = "year" in frame.columns
        self.has_years = has_years and frame["year"].null_count() < len(frame)
        self._years = frame["year"].cast(pl.Int32, strict=False) if has_years else nothing
        empty = pl.Series([None] * len(frame), dtype=pl.List(pl.String))
        self._genres = _lists(frame["genres"]) if "genres" in frame.columns else empty
        self._masks: dict[str, Mask] = {}

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, row: int) -> ItemFacts:
        ids, titles, years, genres, lists = self._facts
        item_id, year = ids[row], years[row]
        title = titles[row] or str(item_id)
        return ItemFacts(item_id, title, None if year == NO_YEAR else year, lists[genres[row]])

    def cards(
        self,
        rows: npt.ArrayLike,
        *,
        predicted: npt.ArrayLike | None = None,
        score: npt.ArrayLike | None = None,
        rating_of: dict[int, float] | None = None,
        basis: Sequence[Basis] | None = None,
    ) -> list[ItemCard]:
        """The items at some rows, in that order.

        Args:
            rows: Row numbers, (n,).
            predicted, score: A predicted rating and a score for each row, (n,).
            rating_of: The person's own ratings, by row.
            basis: What predictions of each row rest on, (n,).
        """
        index = np.asarray(rows, dtype=np.int64)  # an empty list has no whole numbers of its own
        missing = [None] * len(index)
        guesses = missing if predicted is None else _plain(np.asarray(predicted))
        scores = missing if score is None else _plain(np.asarray(score))
        counts, averages = self.popularity[index].tolist(), _plain(self.average[index])
        ratings, cards = rating_of or {}, []
        bases = missing if basis is None else basis
        columns = zip(index.tolist(), counts, averages, guesses, scores, bases, strict=True)
        for row, n, average, guess, ranked, base in columns:
            about = self[row]
            rating = ratings.get(row)
            cards.append(ItemCard(*about, n, average, guess, ranked, rating, basis=base))
        return cards

    @cached_property
    def _facts(self) -> tuple[Any, Texts, memoryview, memoryview, list[tuple[str, ...]]]:
        """Ids, titles, years and genres in columns, and the lists of genres that these number.

        A Python object for each item would take several times as much.
        """
        ids = self.items.ids
        plain_ids = Texts(ids) if self.items.is_text else ids.to_numpy().copy().data
        years = self._years.fill_null(NO_YEAR).to_numpy().astype(np.int32)
        numbers: dict[str, int] = {}
        joined = self._genres.list.join(GENRE_END).fill_null("")
        genres = np.array([numbers.setdefault(text, len(numbers)) for text in joined], np.int32)
        lists = [tuple(text.split(GENRE_END)) if text else () for text in numbers]
        return plain_ids, Texts(self._titles), years.data, genres.data, lists

    def facts(self, row: int) -> dict[str, Any]:
        """Whatever else the item table says of an item, by column, as text."""
        shown = {self.items.key, "title", "year", "genres"}
        record = self.items.frame.row(row, named=True)
        if record.get("release_year") == record.get("year"):
            shown.add("release_year")
        return {
            name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            for name, value in record.items()
            if name not in shown and value is not None
        }

    def histogram(self, row: int) -> list[tuple[float, int]]:
        """How often each rating was given to an item, from the lowest; nothing without ratings."""
        if not isinstance(self._data, Ratings):
            return []
        rating = self._data.rating[self._data.by_item[row]]
        levels = self._data.scale.levels
        if levels is None:
            counts, edges = np.histogram(rating, bins=N_BINS)
            return list(zip(edges[:-1].tolist(), counts.tolist(), strict=True))
        nearest = np.abs(rating[:, None] - levels).argmin(axis=1)
        counts = np.bincount(nearest, minlength=len(levels))
        return list(zip(levels.tolist(), counts.tolist(), strict=True))

    @cached_property
    def entropy(self) -> F64:
        """float64 (n,), entropy of the ratings of each item, in bits; 0 without ratings."""
        data = self._data
        if not isinstance(data, Ratings):
            return np.zeros(len(self))
        levels = data.scale.levels
        if levels is None:
            levels = np.linspace(data.scale.lowest, data.scale.highest, N_BINS + 1)
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
    def year_of(self) -> F32:
        """float32 (n,), the year, NaN where unknown."""
        return self._years.cast(pl.Float32).fill_null(float("nan")).to_numpy()

    @cached_property
    def genres(self) -> list[tuple[str, int]]:
        """Every genre with its number of items, the most frequent first."""
        counted = self._genres.drop_nulls().explode(empty_as_null=True).drop_nulls().value_counts()
        return sorted(counted.rows(), key=lambda row: (-row[1], row[0]))

    def genres_of(self, row: int) -> frozenset[str]:
        """The genres of an item."""
        return frozenset(self[row].genres)

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

    def allowed(self, filters: Filters) -> Mask:
        """Which items the filters let through (n,); the mask is the caller's to change.

        No filter lets placeholders through.
        """
        mask = ~self.items.placeholders
        if filters.min_ratings:
            mask &= self.popularity >= filters.min_ratings
        if filters.max_ratings is not None:
            mask &= self.popularity <= filters.max_ratings
        if filters.genre:
            mask &= self.genre_mask(filters.genre)
        if filters.year_from is not None:
            mask &= self.year_of >= filters.year_from
        if filters.year_to is not None:
            mask &= self.year_of <= filters.year_to
        return mask

    # ---- search ----

    def row_of_title(self, title: str) -> int:
        """The row of an item by its title, with or without the year, in any case.

        Its article may stand first or last.

        Raises:
            UnknownIdError: If no item has that title.
            ArgumentError: If several have.
        """
        rows = self._rows_of_titles.get(title.casefold().strip(), [])
        if not rows:
            raise UnknownIdError("item_id", title)
        if len(rows) > 1:
            ids = [str(self[row].item_id) for row in rows[:MAX_IDS_OFFERED]]
            raise ArgumentError(
                "title",
                expected="one that only one item has",
                received=repr(title),
                do=f"give an id: {', '.join(ids)}",
            )
        return rows[0]

    @cached_property
    def _rows_of_titles(self) -> dict[str, list[int]]:
        """Rows by title, with and without the year, article first or last, case folded."""
        rows: dict[str, list[int]] = {}
        for row, titles in enumerate(zip(self._titles, self.items.titles, strict=True)):
            forms = [form for title in titles if title for form in (title, spoken(title))]
            for title in {form.casefold() for form in forms}:
                rows.setdefault(title, []).append(row)
        return rows

    @cached_property
    def example(self) -> str:
        """The title of an item that many know, as people say it, or its id if there are none."""
        row = int(self.by_popularity[0])
        return spoken(self[row].title)

    @cached_property
    def by_popularity(self) -> IndexArray:
        """All rows, the most rated first."""
        return np.argsort(-self.popularity, kind="stable").astype(np.int32)

    @cached_property
    def popularity_of_tail(self) -> int:
        """The popularity up to which the least known items are the long tail.

        Together they have a third of all ratings (of all likes).
        """
        counts = np.sort(self.popularity)
        n = int(np.searchsorted(np.cumsum(counts), counts.sum() * TAIL_SHARE, side="right"))
        return int(counts[max(n - 1, 0)])

    def search(self, query: str) -> Finds:
        """The items that fit a query, the best first; all where it has no word.

        Titles that hold its words come first. Where it names a genre, the items of that genre that
        hold its other words follow, the most rated first where there are none; close spellings are
        looked for where it names none.
        """
        words = title_words(query)[:MAX_WORDS]
        if not words:
            return Finds(self.by_popularity)
        named, rest = genres_in(words, [name for name, _ in self.genres])
        titles = self._by_title(words, spelling=not named)
        if not named:
            return titles
        others = self._by_title(rest, spelling=False).rows if rest else self.by_popularity
        fits = np.logical_and.reduce([self.genre_mask(name) for name in named])
        fits[titles.rows] = False
        return Finds(np.concatenate([titles.rows, others[fits[others]]]))

    def _by_title(self, words: list[str], *, spelling: bool) -> Finds:
        """The items whose titles hold all words, or if there are none are spelt alike."""
        text = " ".join(words)
        matches = search_titles(self.items, text, len(self), popularity=self.popularity)
        is_spelling = bool(len(matches)) and matches["match"][0] == "spelling"
        if is_spelling and not spelling:
            return Finds(np.empty(0, dtype=np.int32))
        return Finds(self.items.index(matches["item_id"]), is_spelling)


def _lists(genres: pl.Series) -> pl.Series:
    """Genres as lists of text; a table may have them joined by ``|``."""
    if not isinstance(genres.dtype, pl.List):
        genres = genres.cast(pl.String).str.split("|")
    return genres.cast(pl.List(pl.String)).list.drop_nulls()


def _plain(values: AnyArray) -> list[float | None]:
    """Numbers as JSON can hold them: what is no number becomes None."""
    return [None if value != value else value for value in values.astype(float).tolist()]  # noqa: PLR0124
