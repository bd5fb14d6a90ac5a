"""Ratings as people bring them: exports of other services, and lists that they write."""

import csv
import io
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import Any

from tastemap.data.readers.archive import ZIP, is_readable
from tastemap.data.readers.values import is_missing
from tastemap.data.scale import Scale
from tastemap.errors import DataError
from tastemap.explore.histories import HISTORY_COLUMNS, Watched, read_trakt, with_header
from tastemap.support.boundary import refusing, shortened
from tastemap.support.formulas import restored_text
from tastemap.support.numerals import number

#: So many ratings are read of one file; who has more may bring the rest in a second one.
MAX_ENTRIES = 5_000
#: A file has at most so many columns, and so many characters of a cell or of a line are read.
MAX_COLUMNS, MAX_CHARACTERS = 100, 500
#: A zip has at most so many files.
MAX_FILES = 1_000

# Names of columns, in small letters, by what they hold.
ENTRY_COLUMNS = {
    "item_id": ("item_id", "movieid", "movie_id"),
    "title": ("title", "name", "track"),
    "year": ("year", "original publication year", "year published"),
    "rating": ("rating", "your rating", "my rating"),
    "at": ("watched_at", "watched date", "date read", "date", "utc_time", "uts"),
    "creator": ("artist",),
    "shelf": ("exclusive shelf",),
}
# A column that only the exports of a service have, the service, and the scale of its ratings.
_ORIGINS: dict[str, tuple[str, Scale | None]] = {
    "letterboxd uri": ("Letterboxd", Scale(0.5, 5.0, 0.5)),
    "watched_at": ("Trakt", Scale(1.0, 10.0, 1.0)),
    "your rating": ("IMDb", Scale(1.0, 10.0, 1.0)),
    "my rating": ("Goodreads", Scale(1.0, 5.0, 1.0)),
    "artist": ("Last.fm", None),
    "item_id": ("Your own export", None),
    **dict.fromkeys(ENTRY_COLUMNS["item_id"][1:], ("MovieLens", Scale(0.5, 5.0, 0.5))),
}

# The shelf of Goodreads of what somebody wants to read.
TO_READ = "to-read"


@dataclass(frozen=True)
class Entry:
    """A rating as the person's file has it.

    Attributes:
        title, year: What is rated.
        rating: The number, NaN where there is none that can be read.
        item_id: The file's own id of it, or "".
        written: The rating as it is written, where it is no number; else "".
        is_seen: Whether the person has seen it without rating it.
        at, creator, shelf: When it was seen, as it is written; who made it; the shelf that it
            stands on; "" where the file does not say.
    """

    title: str
    year: int | None
    rating: float
    item_id: str = ""
    written: str = ""
    is_seen: bool = False
    at: str = ""
    creator: str = ""
    shelf: str = ""

    @property
    def is_wanted(self) -> bool:
        """Whether it stands on the shelf of what is still to be read, and so was not seen."""
        return self.is_seen and self.shelf == TO_READ

    @property
    def name(self) -> str:
        """What is rated, for people: the title with its year, else the id.

        Example:
            >>> Entry("Heat", 1995, 4).name, Entry("", None, 4, "tt7").name
            ('Heat (1995)', 'tt7')
        """
        return (self.title or self.item_id) + (f" ({self.year})" if self.year else "")


def read_entries(
    content: bytes, max_bytes: int, max_entries: int = MAX_ENTRIES, *, with_seen: bool = False
) -> tuple[str, Scale | None, list[Entry]]:
    r"""The ratings in any file that people bring: an export, or a list of lines ``title = 5``.

    Args:
        content: The file.
        max_bytes: Bytes that may be unpacked.
        max_entries: Ratings that it may hold.
        with_seen: Also take what was seen without a rating: rows of an export that have none, and
            histories of Letterboxd, Trakt (CSV or JSON) and Last.fm.

    Returns:
        Whose export it is, its scale (None: the model's), the entries.

    Raises:
        DataError: If no ratings can be found in it.

    Example:
        >>> source, _, entries = read_entries(b"Heat (1995) = 4\nAlien = 5\n", 1_000)
        >>> source, [(entry.name, entry.rating) for entry in entries]
        ('Your list', [('Heat (1995)', 4.0), ('Alien', 5.0)])
    """
    if with_seen and (watched := read_trakt(content)) is not None:
        return "Trakt", Scale(1.0, 10.0, 1.0), [*map(_of_trakt, watched[: max_entries + 1])]
    if content[:4] == ZIP:
        return read_export(content, max_bytes, max_entries, with_seen=with_seen)
    text = content.decode("utf-8-sig", errors="replace")
    if with_seen:
        content = (text := with_header(text)).encode()
    if has_header(text) or (with_seen and first_names(text) & HISTORY_COLUMNS):
        return read_export(content, max_bytes, max_entries, with_seen=with_seen)
    if text.count("\n") > max_entries:
        raise unreadable(f"more than {max_entries:,} lines; bring them in parts")
    entries = read_list(text, max_bytes)
    if all(math.isnan(entry.rating) for entry in entries):
        raise unreadable(shortened(text.strip().partition("\n")[0]) or "nothing")
    return "Your list", None, entries


def read_export(
    content: bytes, max_bytes: int, max_entries: int = MAX_ENTRIES, *, with_seen: bool = False
) -> tuple[str, Scale | None, list[Entry]]:
    """The ratings in a file: whose export it is, its scale (None: the model's), the entries.

    Args:
        content: A CSV file, or a zip that holds one of ratings; with what was seen, also of what
            was watched or liked without a rating.
        max_bytes: Bytes that may be unpacked.
        max_entries: Ratings that it may hold.
        with_seen: As in `read_entries`.

    Raises:
        DataError: If no ratings can be found in it.
    """
    tables = [content]
    if content[:4] == ZIP:
        tables = _unzipped(content, max_bytes, with_seen=with_seen)
    names: set[str] = set()
    entries: list[Entry] = []
    for table in tables:
        try:
            rows = csv.reader(io.StringIO(table.decode("utf-8-sig", errors="replace"), newline=""))
            places = column_places(next(rows, []))
            entries += _entries(rows, places, max_entries, with_seen)
        except csv.Error as error:
            raise unreadable(str(error)) from None
        names |= {*places}
        if len(entries) > max_entries:
            raise unreadable(f"more than {max_entries:,} ratings; bring them in parts")
    if all(math.isnan(entry.rating) and not entry.is_seen for entry in entries):
        raise unreadable("no ratings in it")
    return *_origin(names), entries


def _origin(names: set[str]) -> tuple[str, Scale | None]:
    """Whose export has columns of these names, and the scale of its ratings."""
    for column, origin in _ORIGINS.items():
        if column in names:
            return origin
    return "Your list", None


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
        title, year = title_and_year(title.strip("\"' "))
        value = number(rating)
        entries.append(Entry(title, year, math.nan if value is None else value))
    return entries


def has_header(text: str) -> bool:
    """Whether the first line names columns, one of them of ratings: an export, and no list."""
    return bool(first_names(text) & {*ENTRY_COLUMNS["rating"]})


def first_names(text: str) -> set[str]:
    """The fields of the first line, in small letters."""
    first, _, _ = text.lstrip().partition("\n")
    return {word.strip().strip('"').lower() for word in first.split(",", MAX_COLUMNS)}


def is_export(content: bytes) -> bool:
    """Whether a file is an export or a history of some service, or a table of ratings."""
    if content[:4] == ZIP or read_trakt(content) is not None:
        return True
    text = with_header(content.decode("utf-8-sig", errors="replace"))
    return has_header(text) or bool(first_names(text) & HISTORY_COLUMNS)


def column_places(header: list[str]) -> dict[str, int]:
    """The place of each column, by its name in small letters."""
    if len(header) > MAX_COLUMNS:
        raise unreadable(f"more than {MAX_COLUMNS} columns")
    return {name.strip().lower(): place for place, name in enumerate(header) if name}


def _entries(
    rows: Iterator[list[str]], names: dict[str, int], max_entries: int, with_seen: bool
) -> list[Entry]:
    """The rows with something in place of a rating, no more than shows that they are too many."""
    column = {
        kind: next((names[name] for name in spellings if name in names), None)
        for kind, spellings in ENTRY_COLUMNS.items()
    }
    if with_seen and column["title"] is None:
        column["title"] = column["creator"]
    has_entries = column["rating"] is not None or (with_seen and names.keys() & HISTORY_COLUMNS)
    if not has_entries or column["title"] is column["item_id"] is None:
        named = shortened(", ".join(names) or "nothing")
        raise unreadable(f"no column of ratings, or none of titles: {named}")
    # Goodreads writes 0 for what has no rating, and a series in brackets.
    is_goodreads = "my rating" in names
    entries = (_entry(row, column, zero=is_goodreads) for row in rows if any(row))
    entries = (entry for entry in entries if not entry.is_seen or (with_seen and entry.name))
    if is_goodreads:
        entries = (replace(entry, title=without_brackets(entry.title)) for entry in entries)
    return list(islice(entries, max_entries + 1))


def _of_trakt(watched: Watched) -> Entry:
    work, rating = watched.work, watched.rating
    title, year = ("", None) if work is None else (work.title[:MAX_CHARACTERS], work.year)
    value = math.nan if rating is None else rating
    return Entry(title, year, value, is_seen=rating is None, at=watched.at)


def _entry(row: list[str], column: dict[str, int | None], *, zero: bool) -> Entry:
    """A row of a file; where the place of the rating is empty, or 0 says so, it is only seen."""

    def cell(kind: str) -> str:
        place = column[kind]
        text = row[place] if place is not None and place < len(row) else ""
        return restored_text(text.strip()[:MAX_CHARACTERS])

    written = cell("rating")
    rating = number(written)
    is_seen = is_missing(written) or (zero and rating == 0)
    title, year = title_and_year(cell("title"))
    year_column = number(cell("year"))
    year = int(year_column) if year_column else year
    more: dict[str, Any] = {name: cell(name) for name in ("item_id", "at", "creator", "shelf")}
    if is_seen:
        return Entry(title, year, math.nan, is_seen=True, **more)
    if rating is None:
        return Entry(title, year, math.nan, written=written, **more)
    return Entry(title, year, rating, **more)


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


def without_brackets(title: str) -> str:
    """A title without what stands in brackets.

    Example:
        >>> without_brackets("Café (Le café (de nuit)) (1995)"), without_brackets("A) (b")
        ('Café)', 'A) (b')
    """
    *parts, end = title.split(")")
    outside = (part.partition("(")[0].rstrip() if "(" in part else f"{part})" for part in parts)
    return "".join(outside) + end


def title_and_year(title: str) -> tuple[str, int | None]:
    """A title without the year in brackets at its end, and the year."""
    text = title.rstrip()
    name, year, end = text[:-6], text[-5:-1], text[-6:-5] + text[-1:]
    if end == "()" and len(year) == 4 and year.isascii() and year.isdecimal():
        return name.rstrip(), int(year)
    return title, None


def _unzipped(content: bytes, max_bytes: int, *, with_seen: bool) -> list[bytes]:
    """The tables in a zip; nothing is written to disk, and no bomb is unpacked.

    They are that of the ratings and, with what was seen, those of what was watched and liked.
    """
    # Opening a zip reads the whole of its directory, in which each entry has this mark.
    if content.count(b"PK\x01\x02") > MAX_FILES:
        raise unreadable(f"more than {MAX_FILES:,} files in the zip")
    with refusing(unreadable, DataError), zipfile.ZipFile(io.BytesIO(content)) as archive:
        kinds = (_is_of_ratings, *((_is_of_watched, _is_of_likes) if with_seen else ()))
        tables = []
        for is_meant in kinds:
            files = [file for file in archive.infolist() if is_meant(file.filename.lower())]
            if files:
                tables.append(min(files, key=lambda file: file.filename.count("/")))
        if not tables:
            raise unreadable("no ratings.csv in the zip")
        if sum(table.file_size for table in tables) > max_bytes:
            raise unreadable("too much in it")
        if not all(map(is_readable, tables)):
            raise unreadable("ratings that are encrypted, or compressed in an unusual way")
        return [archive.read(table) for table in tables]  # at most what its directory names


def _is_of_ratings(name: str) -> bool:
    return name.endswith(".csv") and "rating" in name.rpartition("/")[2] and "deleted/" not in name


def _is_of_watched(name: str) -> bool:
    return name.rpartition("/")[2] == "watched.csv" and "deleted/" not in name


def _is_of_likes(name: str) -> bool:
    return f"/{name}".endswith("/likes/films.csv") and "deleted/" not in name


def unreadable(why: str) -> DataError:
    """The error of a file that cannot be read, and why."""
    return DataError("ratings", expected="a file or list that can be read", received=why)
