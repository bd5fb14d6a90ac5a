"""Which items an entry of a person's file may be: by ids that are known to agree, and by title."""

from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from tastemap.arrays import AnyArray
from tastemap.data.vocabulary import Vocabulary
from tastemap.explore.imports.entries import Entry
from tastemap.explore.imports.titles import Kind, is_typing_slip, spellings
from tastemap.explore.title_search import search_titles, title_words

#: For titles of so many words in all that nothing fits, similar ones are looked for.
MAX_WORDS_GUESSED = 1_000
MAX_CANDIDATES = 4
# A title is offered whose spelling is at least so similar, in [0, 1].
MIN_SIMILARITY = 0.8
# Years of one film differ by so much: a festival, a country, a catalogue.
MAX_YEARS_APART = 1
# So far apart may they be where an item is certain, by what its spelling tells; 0.5 is a year that
# is not said.
MAX_YEARS_APART_OF_KIND = {Kind.TITLE: MAX_YEARS_APART, Kind.ALIAS: 0.5, Kind.PART: 0}
# Numbers of MovieLens and what they are, by which its numbering is told from others.
NUMBERS_OF_MOVIELENS = {
    1: "Toy Story",
    50: "Usual Suspects, The",
    110: "Braveheart",
    296: "Pulp Fiction",
    318: "Shawshank Redemption, The",
    356: "Forrest Gump",
    480: "Jurassic Park",
    527: "Schindler's List",
    593: "Silence of the Lambs, The",
    858: "Godfather, The",
    2571: "Matrix, The",
}
MIN_NUMBERS_AGREEING = 3


class Candidates(NamedTuple):
    """The items that an entry may be.

    Attributes:
        rows: Their rows, the likeliest first; none where nothing is like it.
        is_sure: Whether it is certainly the first of them.
        is_likely: Whether it is likely the first of them, so that this may be proposed.
        is_whole: Whether the first has the whole title, or an id, of the entry, and no other year.
    """

    rows: list[int]
    is_sure: bool = False
    is_likely: bool = False
    is_whole: bool = False


NOTHING = Candidates([])


def _certain(row: int) -> Candidates:
    """One item and no other."""
    return Candidates([row], is_sure=True, is_likely=True, is_whole=True)


class _Fit(NamedTuple):
    """How well an item fits an entry; the less the better.

    Attributes:
        kind: What the spelling that they share is of the less certain of the two.
        years_apart: The difference of their years, 0.5 where one is not said.
        row: The row of the item.
    """

    kind: Kind
    years_apart: float
    row: int

    @property
    def is_near(self) -> bool:
        """Whether the years do not tell them apart."""
        return self.years_apart <= MAX_YEARS_APART


class Matcher:
    """The items of a vocabulary by the spellings of their titles and by their ids elsewhere.

    Attributes:
        items: The items.
        has_numbers_of_movielens: Whether their ids are the numbers of MovieLens: they have its
            links, or several of its films with their numbers.

    Example:
        >>> table = pl.DataFrame({"item_id": [7], "title": ["Twelve Monkeys"], "year": [1995]})
        >>> matcher = Matcher(Vocabulary(table["item_id"], "item", table))
        >>> matcher.candidates([Entry("12 Monkeys", 1995, 5.0)])
        [Candidates(rows=[0], is_sure=True, is_likely=True, is_whole=True)]
        >>> matcher.candidates([Entry("12 Monkeys", 2015, 5.0)])
        [Candidates(rows=[0], is_sure=False, is_likely=False, is_whole=False)]
    """

    def __init__(self, items: Vocabulary) -> None:
        self.items = items
        frame, ids = items.frame, items.ids.cast(pl.String)
        titles = frame["title"].cast(pl.String) if "title" in frame.columns else ids
        years = frame["year"].cast(pl.Int32, strict=False) if "year" in frame.columns else None
        self._years: list[int | None] = [None] * len(items) if years is None else years.to_list()
        self._rows: dict[str, list[tuple[int, Kind]]] = {}
        for row, (title, id_text) in enumerate(zip(titles, ids, strict=True)):
            for key, kind in spellings(title or id_text).items():
                self._rows.setdefault(key, []).append((row, kind))
        self._links = {
            column: _rows_by_id(frame[column])
            for column in ("imdb_id", "tmdb_id")
            if column in frame.columns
        }
        self.has_numbers_of_movielens = bool(self._links) or self._agrees_with_movielens()

    def candidates(
        self, entries: Sequence[Entry], popularity: AnyArray | None = None
    ) -> list[Candidates]:
        """The items that each entry may be; at most four where it is not certain.

        An id counts where the table of the items has it, or where the title says the same: ids of
        other catalogues are numbers, too. A title of another year is another film, but for a year.

        Args:
            entries: The entries.
            popularity: How many know each item, (n_items,); of items that nothing tells apart the
                best known comes first.
        """
        by_id = rows_of_ids(self.items, [entry.item_id for entry in entries])
        answers, n_guessed = [], 0
        for entry, id_row in zip(entries, by_id, strict=True):
            answer = self._candidates(entry, id_row, popularity)
            if not answer.rows and entry.title and n_guessed < MAX_WORDS_GUESSED:
                n_guessed += len(title_words(entry.title))
                answer = self._guess(entry)
            answers.append(answer)
        return answers

    def _candidates(self, entry: Entry, id_row: int, popularity: AnyArray | None) -> Candidates:
        linked = self._linked(entry)
        if linked >= 0:
            return _certain(linked)
        if not entry.title:
            trusts = not entry.is_numbered or self.has_numbers_of_movielens
            return _certain(id_row) if id_row >= 0 and trusts else NOTHING
        fits = self._fits(entry)
        near = [fit for fit in fits if fit.is_near]
        if any(fit.row == id_row and fit.kind < Kind.HINT for fit in near):
            return _certain(id_row)
        group = _best(near)
        rows = [fit.row for fit in group]
        if popularity is not None:
            rows.sort(key=lambda row: -int(popularity[row]))
        is_whole = bool(group) and group[0].kind <= Kind.ALIAS
        if len(rows) == 1 and _is_certain(group[0]):
            return Candidates(rows, True, True, is_whole)
        others = [fit.row for fit in fits if fit.row not in rows]
        is_likely = bool(rows) and all(self._is_same(row, rows[0]) for row in rows)
        return Candidates([*rows, *others][:MAX_CANDIDATES], is_likely=is_likely, is_whole=is_whole)

    def _is_same(self, row: int, other: int) -> bool:
        """Whether two items have the same title and year: a catalogue may have a film twice."""
        titles = self.items.titles
        return row == other or bool(titles[row] == titles[other])

    def _linked(self, entry: Entry) -> int:
        """The row of the item that has an id of the entry's by its table of links, or -1."""
        for column, id_text in (("imdb_id", entry.imdb_id), ("tmdb_id", entry.tmdb_id)):
            is_series = column == "tmdb_id" and entry.kind.lower() in ("tv", "show", "tv show")
            if id_text and not is_series and column in self._links:
                row = self._links[column].get(_plain_id(id_text), -1)
                if row >= 0:
                    return row
        return -1

    def _fits(self, entry: Entry) -> list[_Fit]:
        """The items that share a spelling with an entry, the best first."""
        best: dict[int, _Fit] = {}
        for key, kind in spellings(entry.title, entry.original).items():
            for row, kind_of_item in self._rows.get(key, ()):
                if min(kind, kind_of_item) > Kind.ALIAS:
                    continue  # two parts of two titles
                fit = _Fit(max(kind, kind_of_item), self._years_apart(entry, row), row)
                best[row] = min(fit, best.get(row, fit))
        return sorted(best.values(), key=lambda fit: (not fit.is_near, fit))

    def _years_apart(self, entry: Entry, row: int) -> float:
        year = self._years[row]
        return 0.5 if year is None or entry.year is None else abs(year - entry.year)

    def _guess(self, entry: Entry) -> Candidates:
        """Items with the words of a title, or words spelt much like them."""
        if not title_words(entry.title):
            return NOTHING
        matches = search_titles(self.items, entry.title, MAX_CANDIDATES)
        is_near = (pl.col("match") != "spelling") | (pl.col("score") >= MIN_SIMILARITY)
        rows = self.items.index(matches.filter(is_near)["item_id"]).tolist()
        titles = self.items.frame["title"] if "title" in self.items.frame.columns else None
        is_slip = (
            titles is not None
            and [
                row
                for row in rows
                if self._years_apart(entry, row) == 0
                and is_typing_slip(entry.title, titles[row] or "")
            ]
            == rows[:1]
        )
        return Candidates(rows, is_likely=bool(rows) and is_slip)

    def _agrees_with_movielens(self) -> bool:
        if self.items.is_text:
            return False
        rows = self.items.index(list(NUMBERS_OF_MOVIELENS), missing="negative").tolist()
        agree = [
            row in [r for key in spellings(title) for r, _ in self._rows.get(key, ())]
            for row, title in zip(rows, NUMBERS_OF_MOVIELENS.values(), strict=True)
            if row >= 0
        ]
        return len(agree) >= MIN_NUMBERS_AGREEING and all(agree)


def matcher_of(items: Vocabulary) -> Matcher:
    """The matcher of a vocabulary, which is made once."""
    matcher = _matchers.get(items)
    if matcher is None:
        matcher = _matchers[items] = Matcher(items)
    return matcher


# The matcher of each vocabulary that has been asked for, for as long as the vocabulary lives.
_matchers: WeakKeyDictionary[Vocabulary, Matcher] = WeakKeyDictionary()


def rows_of_ids(items: Vocabulary, id_texts: Sequence[str]) -> list[int]:
    """The row of the item with each id, -1 if there is none: 007 is not 7."""
    if not len(items):
        return [-1] * len(id_texts)
    texts = pl.Series(id_texts, dtype=pl.String)
    rows = items.index(texts, missing="negative")
    is_same = (items.ids_at(np.maximum(rows, 0)).cast(pl.String) == texts).to_numpy()
    return np.where(is_same & (texts != "").to_numpy(), rows, -1).tolist()


def _is_certain(fit: _Fit) -> bool:
    """Whether an item is the film of an entry, if no other fits as well."""
    return fit.years_apart <= MAX_YEARS_APART_OF_KIND.get(fit.kind, -1)


def _best(fits: list[_Fit]) -> list[_Fit]:
    """The fits of the best kind that there is; it is certain if it is one, and no hint.

    The title or another name of it, of the same year, comes before a year next to it, and this
    before parts of the title, which need the same year or none, and hints, which need the same.
    """
    whole = [fit for fit in fits if fit.kind <= Kind.ALIAS]
    same_year = [fit for fit in fits if not fit.years_apart]
    parts = [fit for fit in fits if fit.kind is Kind.PART and fit.years_apart < 1]
    hints = [fit for fit in same_year if fit.kind is Kind.HINT]
    groups = ([fit for fit in same_year if fit.kind <= Kind.ALIAS], whole, parts, hints)
    group = next(filter(None, groups), [])
    titles = [fit for fit in group if fit.kind is Kind.TITLE]
    return titles if len(titles) == 1 else group


def _rows_by_id(column: pl.Series) -> dict[str, int]:
    ids = enumerate(column.cast(pl.String).to_list())
    return {_plain_id(id_text): row for row, id_text in ids if id_text}


def _plain_id(id_text: str) -> str:
    """An id of IMDb or TMDb without what some leave out.

    Example:
        >>> _plain_id("tt0113277"), _plain_id("113277.0")
        ('113277', '113277')
    """
    return id_text.strip().lower().removeprefix("tt").removesuffix(".0").lstrip("0")
