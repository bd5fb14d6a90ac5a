"""Ratings that people bring: exports of other services, and lists that they write.

What is read is matched with the items of a table of ratings, those that a model learnt from. The
application shows it to the person before it is kept; the command line says what it leaves out.
"""

import csv
import io
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.data.readers.archive import is_readable
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import DataError
from tastemap.explore.title_search import ARTICLES, search_titles, title_words
from tastemap.support.boundary import refusing, shortened
from tastemap.support.formulas import restored_text
from tastemap.support.numerals import number

#: So many ratings are read of one file; who has more may bring the rest in a second one.
MAX_ENTRIES = 5_000
#: A file has at most so many columns, and so many characters of a cell or of a line are read.
MAX_COLUMNS, MAX_CHARACTERS = 100, 500
#: A zip has at most so many files.
MAX_FILES = 1_000
#: For titles of so many words in all that nothing fits exactly, similar ones are looked for.
MAX_WORDS_GUESSED = 1_000
MAX_CANDIDATES = 4
# A title is offered whose spelling is at least so similar, in [0, 1].
MIN_SIMILARITY = 0.8

# Names of columns, in small letters, by what they hold.
_COLUMNS = {
    "item_id": ("item_id", "movieid", "movie_id"),
    "title": ("title", "name"),
    "year": ("year", "original publication year", "year published"),
    "rating": ("rating", "your rating", "my rating"),
}

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A rating as the person's file has it; the id is the file's own."""

    title: str
    year: int | None
    rating: float
    item_id: str = ""


@dataclass(frozen=True)
class Match:
    """An entry, its rating on the scale of the items, and the rows of the items that it may be."""

    entry: Entry
    rating: float
    rows: list[int]


@dataclass(frozen=True)
class Review:
    """What a file holds.

    Attributes:
        source: Whose export it is.
        converted: The scale that ratings were brought from, or "" where they stay as they are.
        sure: Entries with exactly one item of that title and year.
        unsure: Entries that may be one of several items, the likeliest first.
        unknown: Entries without any.
    """

    source: str
    converted: str
    sure: list[Match]
    unsure: list[Match]
    unknown: list[Match]


def read_export(
    content: bytes, max_bytes: int, max_entries: int = MAX_ENTRIES
) -> tuple[str, Scale | None, list[Entry]]:
    """The ratings in a file: whose export it is, its scale (None: the model's), the entries.

    Args:
        content: A CSV file, or a zip that holds one of ratings.
        max_bytes: Bytes that may be unpacked.
        max_entries: Ratings that it may hold.

    Raises:
        DataError: If no ratings can be found in it.
    """
    if content[:4] == b"PK\x03\x04":
        content = _unzipped(content, max_bytes)
    text = content.decode("utf-8-sig", errors="replace")
    try:
        rows = csv.reader(io.StringIO(text, newline=""))
        names = _places(next(rows, []))
        entries = _entries(rows, names, max_entries)
    except csv.Error as error:
        raise _unreadable(str(error)) from None
    if len(entries) > max_entries:
        raise _unreadable(f"more than {max_entries:,} ratings; bring them in parts")
    if not entries:
        raise _unreadable("no ratings in it")
    if "letterboxd uri" in names:
        return "Letterboxd", Scale(0.5, 5.0, 0.5), entries
    if "your rating" in names:
        return "IMDb", Scale(1.0, 10.0, 1.0), entries
    if "my rating" in names:
        return "Goodreads", Scale(1.0, 5.0, 1.0), entries
    if "item_id" in names:
        return "Your own export", None, entries
    if not names.keys().isdisjoint(_COLUMNS["item_id"]):
        return "MovieLens", Scale(0.5, 5.0, 0.5), entries
    return "Your list", None, entries


def read_list(text: str, max_bytes: int) -> list[Entry]:
    """The ratings that a person has written or pasted: lines ``title = 5``, or a CSV export.

    Raises:
        DataError: If it looks like an export and cannot be read.
    """
    if has_header(text):
        return read_export(text.lstrip().encode(errors="replace"), max_bytes)[2]
    entries = []
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines[:MAX_ENTRIES]:
        title, rating = _row(line) if len(line) <= MAX_CHARACTERS else (line[:MAX_CHARACTERS], "")
        title, year = _dated(title.strip("\"' "))
        value = number(rating)
        entries.append(Entry(title, year, math.nan if value is None else value))
    return entries


def has_header(text: str) -> bool:
    """Whether the first line names columns, one of them of ratings: an export, and no list."""
    first, _, _ = text.lstrip().partition("\n")
    words = {word.strip().strip('"').lower() for word in first.split(",", MAX_COLUMNS)}
    return bool(words & {*_COLUMNS["rating"]})


def review(data: Ratings, source: str, scale: Scale | None, entries: list[Entry]) -> Review:
    """Match the entries of a file with the items of a table of ratings."""
    index, target = _index_of(data.items), data.scale
    origin = scale or target
    is_other = (origin.lowest, origin.highest) != (target.lowest, target.highest)
    converted = f"{origin.lowest:g}–{origin.highest:g}" if is_other else ""
    result = Review(source, converted, [], [], [])
    n_guessed = 0
    for entry, id_row in zip(entries, _rows_of_ids(data.items, entries), strict=True):
        rows, is_sure = _rows(index, entry, id_row)
        if not rows and entry.title and n_guessed < MAX_WORDS_GUESSED:
            n_guessed += len(title_words(entry.title))
            rows = _alike(data.items, entry.title)
        match = Match(entry, on_scale(entry.rating, origin, target), rows)
        matches = result.sure if is_sure else result.unsure if rows else result.unknown
        matches.append(match)
    return result


def chosen(data: Ratings, entries: list[Entry]) -> tuple[dict[str, float], list[str]]:
    """The ratings of a written list, by item id, and the lines that name no item for sure."""
    index, counts = _index_of(data.items), data.by_item.counts
    ratings: dict[str, float] = {}
    unread = []
    for entry, id_row in zip(entries, _rows_of_ids(data.items, entries), strict=True):
        rows, _ = _rows(index, entry, id_row)
        # The best known of several films of a title is meant.
        best = max(rows, key=lambda row: int(counts[row]), default=-1)
        if best < 0 or math.isnan(entry.rating):
            unread.append(entry.title)
        else:
            rating = on_scale(entry.rating, data.scale, data.scale)
            ratings[str(data.items.ids[best])] = rating
    return ratings, unread


def within(entries: list[Entry], scale: Scale) -> tuple[list[Entry], list[Entry]]:
    """The entries whose ratings lie on a scale or are missing, and the others, which are none.

    Example:
        >>> heat, alien = Entry("Heat", None, 5), Entry("Alien", None, 400)
        >>> within([heat, alien], Scale(1, 5, 1)) == ([heat], [alien])
        True
    """
    outside = [e for e in entries if not scale.lowest <= e.rating <= scale.highest]
    outside = [entry for entry in outside if not math.isnan(entry.rating)]
    beyond = {id(entry) for entry in outside}
    return [entry for entry in entries if id(entry) not in beyond], outside


def on_scale(rating: float, source: Scale, target: Scale) -> float:
    """A rating of one scale on another: in the same place between the ends, at the nearest step.

    Example:
        >>> on_scale(4.5, Scale(0.5, 5, 0.5), Scale(1, 5, 1))
        5.0
        >>> on_scale(1, Scale(1, 10, 1), Scale(1, 5, 1))
        1.0
    """
    width = (source.highest - source.lowest) or 1.0
    share = min(max((rating - source.lowest) / width, 0.0), 1.0)
    value = target.lowest + share * (target.highest - target.lowest)
    if target.step:
        value = target.lowest + round((value - target.lowest) / target.step + 1e-9) * target.step
    return float(min(max(value, target.lowest), target.highest))


# ---- matching ----


class _Index(NamedTuple):
    """The rows of items by the words of their titles, and the year of each row."""

    rows_of: dict[Key, list[int]]
    years: list[int | None]


def _rows(index: _Index, entry: Entry, id_row: int) -> tuple[list[int], bool]:
    """The items that an entry may be, and whether it is certainly the first of them.

    ``id_row`` is the row of the item that has the id which the file gives, -1 if there is none.
    """
    if not entry.title:
        return ([id_row], True) if id_row >= 0 else ([], False)
    same = index.rows_of.get(_key(entry.title), [])
    years = {row: index.years[row] for row in same}
    fits = [
        row
        for row, year in years.items()
        if entry.year is None or year is None or abs(year - entry.year) <= 1
    ]
    exact = [row for row in fits if entry.year is not None and years[row] == entry.year]
    if id_row in fits:
        return [id_row], True
    if len(exact) == 1 or len(fits) == 1:
        return (exact if len(exact) == 1 else fits), True
    return (fits or same)[:MAX_CANDIDATES], False


def _alike(items: Vocabulary, title: str) -> list[int]:
    """Rows of items with the words of a title, or words spelt much like them."""
    if not title_words(title):
        return []
    matches = search_titles(items, title, MAX_CANDIDATES)
    is_near = (pl.col("match") != "spelling") | (pl.col("score") >= MIN_SIMILARITY)
    return items.index(matches.filter(is_near)["item_id"]).tolist()


def _rows_of_ids(items: Vocabulary, entries: list[Entry]) -> list[int]:
    """The row of the item with the id of each entry, -1 if there is none: 007 is not 7."""
    texts = pl.Series([entry.item_id for entry in entries], dtype=pl.String)
    rows = items.index(texts, missing="negative")
    is_same = (items.ids_at(np.maximum(rows, 0)).cast(pl.String) == texts).to_numpy()
    return np.where(is_same & (texts != "").to_numpy(), rows, -1).tolist()


def _index_of(items: Vocabulary) -> _Index:
    """Rows by the words of their titles, with and without what stands in brackets."""
    index = _indices.get(items)
    if index is None:
        columns = items.frame.columns
        ids = items.ids.cast(pl.String)
        titles = items.frame["title"].cast(pl.String) if "title" in columns else ids
        years = items.frame["year"].cast(pl.Int32, strict=False) if "year" in columns else None
        index = _Index({}, [None] * len(items) if years is None else years.to_list())
        for row, (title, id_text) in enumerate(zip(titles, ids, strict=True)):
            name = title or id_text
            for key in {_key(name), _key(_without_brackets(name))}:
                if key:
                    index.rows_of.setdefault(key, []).append(row)
        _indices[items] = index
    return index


# The index of each vocabulary that has been asked for, for as long as the vocabulary lives.
_indices: WeakKeyDictionary[Vocabulary, _Index] = WeakKeyDictionary()


def _key(title: str) -> Key:
    words = title_words(title)
    return tuple(word for word in words if word not in ARTICLES) or tuple(words)


# ---- reading ----


def _places(header: list[str]) -> dict[str, int]:
    """The place of each column, by its name in small letters."""
    if len(header) > MAX_COLUMNS:
        raise _unreadable(f"more than {MAX_COLUMNS} columns")
    return {name.strip().lower(): place for place, name in enumerate(header) if name}


def _entries(rows: Iterator[list[str]], names: dict[str, int], max_entries: int) -> list[Entry]:
    """The rows that hold a rating, and no more than shows that they are too many."""
    column = {
        kind: next((names[name] for name in spellings if name in names), None)
        for kind, spellings in _COLUMNS.items()
    }
    if column["rating"] is None or column["title"] is column["item_id"] is None:
        named = shortened(", ".join(names) or "nothing")
        raise _unreadable(f"no column of ratings, or none of titles: {named}")
    entries = (entry for row in rows if (entry := _entry(row, column)) is not None)
    if "my rating" in names:  # Goodreads writes 0 for what has no rating, and a series in brackets
        rated = (entry for entry in entries if entry.rating)
        entries = (replace(entry, title=_without_brackets(entry.title)) for entry in rated)
    return list(islice(entries, max_entries + 1))


def _entry(row: list[str], column: dict[str, int | None]) -> Entry | None:
    """A row of a file, or None where it holds no rating."""

    def cell(kind: str) -> str:
        place = column[kind]
        text = row[place] if place is not None and place < len(row) else ""
        return restored_text(text.strip()[:MAX_CHARACTERS])

    rating = number(cell("rating"))
    if rating is None:
        return None
    title, year = _dated(cell("title"))
    year_column = number(cell("year"))
    return Entry(title, int(year_column) if year_column else year, rating, cell("item_id"))


def _row(line: str) -> tuple[str, str]:
    """The title and the rating of a line ``title = 5``; without a rating, the line and "".

    Example:
        >>> _row("Alien, 4.5"), _row("M = 3"), _row("Alien 3")
        (('Alien', '4.5'), ('M', '3'), ('Alien 3', ''))
    """
    n_digits = sum(1 for _ in takewhile(lambda c: c in "0123456789.", reversed(line)))
    before, rating = line[: len(line) - n_digits], line[len(line) - n_digits :]
    title = before.rstrip()
    if not rating or not (title.endswith(("=", ";", ",")) or "\t" in before[len(title) :]):
        return line, ""
    return (title[:-1].rstrip() if title.endswith(("=", ";", ",")) else title), rating


def _without_brackets(title: str) -> str:
    """A title without what stands in brackets.

    Example:
        >>> _without_brackets("Café (Le café (de nuit)) (1995)"), _without_brackets("A) (b")
        ('Café)', 'A) (b')
    """
    *parts, end = title.split(")")
    outside = (part.partition("(")[0].rstrip() if "(" in part else f"{part})" for part in parts)
    return "".join(outside) + end


def _dated(title: str) -> tuple[str, int | None]:
    """A title without the year in brackets at its end, and the year."""
    text = title.rstrip()
    name, year, end = text[:-6], text[-5:-1], text[-6:-5] + text[-1:]
    if end == "()" and len(year) == 4 and year.isascii() and year.isdecimal():
        return name.rstrip(), int(year)
    return title, None


def _unzipped(content: bytes, max_bytes: int) -> bytes:
    """The table of ratings in a zip; nothing is written to disk, and no bomb is unpacked."""
    # Opening a zip reads the whole of its directory, in which each entry has this mark.
    if content.count(b"PK\x01\x02") > MAX_FILES:
        raise _unreadable(f"more than {MAX_FILES:,} files in the zip")
    with refusing(_unreadable, DataError), zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = _rating_files(archive)
        table = min(files, key=lambda file: file.filename.count("/"), default=None)
        if table is None:
            raise _unreadable("no ratings.csv in the zip")
        if table.file_size > max_bytes:
            raise _unreadable("too much in it")
        if not is_readable(table):
            raise _unreadable("ratings that are encrypted, or compressed in an unusual way")
        return archive.read(table)  # at most the size that its directory names


def _rating_files(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    for file in archive.infolist():
        name = file.filename.lower()
        if name.endswith(".csv") and "rating" in name.rpartition("/")[2] and "deleted/" not in name:
            yield file


def _unreadable(why: str) -> DataError:
    return DataError("ratings", expected="a file or list that can be read", received=why)
