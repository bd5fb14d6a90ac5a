"""Ratings that a person brings along: exports of MovieLens, Letterboxd, IMDb, or our own.

Nothing is rated here: each row is matched with an item and shown to the person, who chooses.
"""

import csv
import io
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

import numpy as np

from tastemap.data.ratings import Scale
from tastemap.explore.search import ARTICLES, title_words
from tastemap.serve.answers import ItemCard, OwnRatings
from tastemap.serve.catalogue import Catalogue
from tastemap.serve.model import LoadedModel
from tastemap.serve.problems import Problem

MOST_ROWS, MOST_BYTES = 20_000, 50_000_000
# So many rows without an exact match are searched for by spelling.
MOST_SEARCHES = 300
OWN_COLUMNS = ("item_id", "title", "year", "rating", "rated_at")
_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")
_ASIDE = re.compile(r"\(([^)]*)\)")


@dataclass(frozen=True)
class Format:
    """An export that is known by its columns.

    Attributes:
        name: What it is called.
        title, year, rating, moment, one_id: Its columns; empty where it has none.
        lowest, highest: The ends of its scale; None for the scale of the data.
    """

    name: str
    title: str
    year: str
    rating: str
    moment: str
    one_id: str
    lowest: float | None
    highest: float | None


FORMATS = (
    Format("Letterboxd", "name", "year", "rating", "date", "", 0.5, 5),
    Format("IMDb", "title", "year", "your rating", "date rated", "", 1, 10),
    Format("MovieLens", "title", "", "rating", "", "movie_id", 0.5, 5),
    Format("MovieLens", "", "", "rating", "timestamp", "movieid", 0.5, 5),
    Format("tastemap", "title", "year", "rating", "rated_at", "item_id", None, None),
    Format("a table", "title", "year", "rating", "", "", None, None),
)
# Columns that tell the formats apart; the first that has all of them is taken.
_NEEDED = (
    ("name", "year", "letterboxd uri", "rating"),
    ("const", "your rating", "title", "year"),
    ("movie_id", "title", "rating"),
    ("userid", "movieid", "rating"),
    ("item_id", "title", "rating"),
    ("title", "rating"),
)


@dataclass(frozen=True, slots=True)
class Match:
    """A row of an export, and the item that it is taken for.

    Attributes:
        title, year: What the export says.
        given: Its rating there. rating: The same on the scale of the data.
        item: The item, or null where none fits.
        how: ``exact`` (title and year), ``title`` (the year differs or is unknown), ``spelling``,
            ``id``, or ``none``.
        sure: Whether it may be taken without asking.
    """

    title: str
    year: int | None
    given: float
    rating: float
    item: ItemCard | None
    how: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Review:
    """All rows of an export with their matches, for the person to look over.

    Attributes:
        source: What the export is.
        matches: Its rows in their order.
        unread: Rows that are no ratings, with what is wrong.
    """

    source: str
    matches: list[Match]
    unread: list[str]


def review_export(model: LoadedModel, content: bytes) -> Review:
    """Match the rows of an export with the items of a model.

    Args:
        model: The model that is served.
        content: The bytes of a CSV file, or of a zip that holds a ``ratings.csv``.

    Raises:
        Problem: If it is no export that is known, or too large.
    """
    table = _table(_csv_bytes(content))
    columns = [name.strip().casefold() for name in next(table, [])]
    kind = next(
        (f for f, need in zip(FORMATS, _NEEDED, strict=True) if set(need) <= {*columns}), None
    )
    if kind is None:
        raise _unknown(f"its columns are {', '.join(columns)[:200] or 'missing'}")
    matcher, matches, unread = Matcher(model.catalogue), [], []
    for number, row in enumerate(table, start=2):
        if number > MOST_ROWS + 1:
            raise Problem(413, "too_large", f"an export has at most {MOST_ROWS:,} ratings")
        cells = dict(zip(columns, row, strict=False))
        if not any(cells.values()):
            continue
        given = _number(cells.get(kind.rating, ""))
        if given is None:
            unread.append(f"line {number}: {cells.get(kind.rating, '')[:50]!r} is no rating")
            continue
        rating = on_scale(given, kind, model.scale)
        title, year = _title_and_year(cells.get(kind.title, ""), cells.get(kind.year, ""))
        at, how = matcher.find(title, year, cells.get(kind.one_id, "").strip())
        item = None if at < 0 else model.catalogue.cards([at])[0]
        sure = how == "exact" or (how == "id" and kind.name == "tastemap")
        matches.append(Match(title, year, given, rating, item, how, sure))
    return Review(kind.name, matches, unread)


def on_scale(given: float, kind: Format, scale: Scale) -> float:
    """A rating of an export on the scale of the data: stars stay stars, ten points become five.

    Example:
        >>> stars = Scale(1, 5, 1)
        >>> on_scale(3.5, FORMATS[0], stars), on_scale(7, FORMATS[1], stars)
        (4.0, 4.0)
    """
    value = given
    if kind.lowest is not None and kind.highest is not None:
        value = given * scale.highest / kind.highest
        if scale.lowest < 0:
            share = (given - kind.lowest) / (kind.highest - kind.lowest)
            value = scale.lowest + share * (scale.highest - scale.lowest)
    if scale.levels is not None:  # half-way goes up, as people round
        above = np.searchsorted((scale.levels[1:] + scale.levels[:-1]) / 2, value, side="right")
        return float(scale.levels[above])
    return float(np.clip(value, scale.lowest, scale.highest))


class Matcher:
    """Finds items by title and year: equal words first, then words spelt alike."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._by_words = _by_words(catalogue)
        self._searches = 0

    def find(self, title: str, year: int | None, one_id: str) -> tuple[int, str]:
        """The row of an item, or -1, and how it was found; see `Match.how`."""
        rows = self._by_words.get(_key(title), []) if title else []
        if rows:
            row = min(rows, key=lambda at: (self._apart(at, year), -self.catalogue.popularity[at]))
            return row, "exact" if self._apart(row, year) <= 1 else "title"
        if one_id:
            row = self.catalogue.rows_of.row(one_id)
            same = not title or (row >= 0 and _key(self.catalogue.title_at(row)) == _key(title))
            if row >= 0 and same:
                return row, "id"
        if not _key(title) or self._searches >= MOST_SEARCHES:
            return -1, "none"
        self._searches += 1
        for near in self.catalogue.search(title, 5).tolist():
            if self._apart(near, year) <= 1:
                return near, "spelling"
        return -1, "none"

    def _apart(self, row: int, year: int | None) -> float:
        """Years between an item and what the export says; many where one is not known."""
        known = self.catalogue.year_at(row)
        return abs(known - year) if known is not None and year is not None else 99


def own_export(ratings: OwnRatings) -> str:
    """A person's ratings as CSV, which can be imported again."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(OWN_COLUMNS)
    for one in ratings.ratings:
        when = "" if one.moment is None else datetime.fromtimestamp(one.moment, UTC).isoformat()
        writer.writerow([one.item_id, one.title, one.year, f"{one.rating:g}", when])
    return file.getvalue()


# The rows of the items of each catalogue by the words of their titles.
_indexes: WeakKeyDictionary[Catalogue, dict[tuple[str, ...], list[int]]] = WeakKeyDictionary()


def _by_words(catalogue: Catalogue) -> dict[tuple[str, ...], list[int]]:
    found = _indexes.get(catalogue)
    if found is None:
        found = {}
        for row in range(len(catalogue)):
            title = catalogue.title_at(row)
            # "Seven (Se7en)" is known by either name.
            names = {title, _ASIDE.sub("", title), *_ASIDE.findall(title)}
            for key in {_key(name) for name in names} - {()}:
                found.setdefault(key, []).append(row)
        _indexes[catalogue] = found
    return found


def _key(title: str) -> tuple[str, ...]:
    words = title_words(title)
    return tuple(word for word in words if word not in ARTICLES) or tuple(words)


def _title_and_year(title: str, year: str) -> tuple[str, int | None]:
    """Title and year of a row; a year in brackets behind the title counts."""
    behind = _YEAR.search(title)
    digits = year.strip() or (behind[1] if behind else "")
    plain = _YEAR.sub("", title).strip()
    return plain, int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else None


def _number(text: str) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _csv_bytes(content: bytes) -> bytes:
    """The bytes of the table: of ``ratings.csv`` where the export is a zip."""
    if not content.startswith(b"PK"):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = sorted(
                (name for name in archive.namelist() if name.lower().endswith(".csv")),
                key=lambda name: (not name.lower().endswith("ratings.csv"), name.count("/"), name),
            )
            if not names:
                raise _unknown("it holds no CSV file")
            with archive.open(names[0]) as file:
                found = file.read(MOST_BYTES + 1)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise _unknown("the zip cannot be read") from error
    if len(found) > MOST_BYTES:
        raise Problem(413, "too_large", f"an export has at most {MOST_BYTES:,} bytes")
    return found


def _table(content: bytes) -> Iterator[list[str]]:
    """The rows of a CSV file in UTF-8, or in Latin-1 where it is none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    try:
        yield from csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as error:
        raise _unknown(str(error)) from error


def _unknown(why: str) -> Problem:
    return Problem(
        422,
        "unknown_export",
        f"this is no export of MovieLens, Letterboxd, IMDb or tastemap: {why}",
    )
