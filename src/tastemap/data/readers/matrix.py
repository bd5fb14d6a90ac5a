"""A matrix of ratings: a row a user, a column an item, and a cell what the one gave the other."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from tastemap.arrays import F64, AnyArray, Mask
from tastemap.data.readers.columns import as_ids
from tastemap.data.readers.roles import NAMES, first_named
from tastemap.data.readers.text import NUMBER
from tastemap.data.readers.values import bad_value
from tastemap.errors import ArgumentError, DataError

#: The first rows of a table, as text.
Rows = Sequence[Sequence[str]]

# What stands in a cell that holds no rating, without case.
EMPTY_CELLS = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "–", "—", "?", "."})
# Numbers for "not rated" that are far from all ratings.
MARKS = (99.0, 999.0, 9999.0, -99.0, -999.0, -9999.0)
# Other numbers are at most this part of such a mark.
MAX_PART_OF_MARK = 0.25
# A zero means "not rated" where so many of the cells hold it.
MIN_SHARE_OF_ZEROS = 0.2
# A table of fewer columns of numbers, all of whose cells are full, may hold anything.
MIN_FULL_COLUMNS = 5
# Whole numbers and halves in cells are ratings up to this one, decimals up to that.
MAX_WHOLE_RATING, MAX_DECIMAL_RATING = 10.0, 100.0
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_USER_WORDS = {"", "id", "index", "user", "users", "userid", "username", "reviewer", "customer"}
MAX_LISTED_CHARACTERS = 200
# Names of a first column whose rows are items.
_ITEM_NAMES = ("item", "movie", "film", "title", "product", "book", "song", "track", "artist")
_ITEM_ENDINGS = ("", "s", "id", "name", "title")
_ITEM_WORDS = {f"{word}{ending}" for word in _ITEM_NAMES for ending in _ITEM_ENDINGS}


class Head(NamedTuple):
    """The beginning of a table.

    Attributes:
        columns: The names of its columns.
        rows: Its first rows, as text.
        names: The columns that may be meant.
        named: Whether the names come from the table.
    """

    columns: Sequence[str]
    rows: Rows
    names: Sequence[str]
    named: bool = True


class Matrix(NamedTuple):
    """How a matrix is laid out.

    Attributes:
        key: The place of the column that names the rows; None if they are numbered.
        rows: What a row is, ``"user"`` or ``"item"``.
        places: The places of the columns of ratings.
        ids: The id of each of these columns.
        others: The names of columns that hold something else.
    """

    key: int | None
    rows: str
    places: tuple[int, ...]
    ids: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def columns(self) -> str:
        """What a column is."""
        return "item" if self.rows == "user" else "user"


class Cells(dict[str, float]):
    """The number in a cell, NaN where it holds no rating; each text is parsed once.

    Attributes:
        has_commas: Whether a number had a decimal comma.
    """

    has_commas = False

    def __missing__(self, cell: str) -> float:
        """Parse a text that is new; KeyError if it is no number."""
        text = cell.strip()
        if text.casefold() in EMPTY_CELLS:
            number = float("nan")
        elif NUMBER.fullmatch(text):
            number = float(text)
        elif _DECIMAL_COMMA.fullmatch(text):
            number, self.has_commas = float(text.replace(",", ".")), True
        else:
            raise KeyError(cell)
        if np.isinf(number):
            raise KeyError(cell)
        if len(self) < 2**20:
            self[cell] = number
        return number


def names_items(first: Sequence[str], body: Rows) -> bool:
    """Whether a first line with numbers in it is the header of a matrix: they are ids of items.

    The first field, a word, then stands above numbers, or names what a row is, or the rows are
    those of a matrix.
    """
    names = first[1:]
    are_ids = all(name.isascii() and name.isdigit() for name in names)
    if len(names) < 2 or not are_ids or len({*names}) < len(names) or NUMBER.fullmatch(first[0]):
        return False
    is_key = _is_key(first[0]) or all(map(NUMBER.fullmatch, _column(body, 0)))
    return is_key or (_are_ids(body, 0) and _are_ratings(body, range(1, len(first))))


def matrix_of(
    name: str, head: Head, chosen: Mapping[str, str | None], layout: str | None
) -> Matrix | None:
    """The matrix that a table is, if it is to be read as one.

    That is so where it is said, or where it is clear from the first rows: each has an id of its
    own, or its number of ratings comes first, and all other cells are empty or hold numbers of one
    scale.

    Args:
        name: What to call the table in messages.
        head: Its columns and first rows.
        chosen: For a role, the column that the caller has named.
        layout: ``"wide"`` or ``"long"`` where that is said.

    Raises:
        DataError: If it is said to be a matrix, and no column holds numbers.
        ArgumentError: If it is said to be a matrix, and a column of ratings is named.
    """
    columns = [role for role in ("rating", "timestamp") if chosen.get(role) in head.columns]
    if chosen.get("user") and chosen.get("item"):
        columns.append("item")
    if layout == "long" or (layout is None and (columns or len(head.columns) < 3)):
        return None
    if columns:
        expected = "no such column where layout='wide': each column is an item"
        raise ArgumentError(columns[0], expected=expected, received=repr(chosen[columns[0]]))
    if layout is None and len(head.columns) <= MIN_FULL_COLUMNS and _has_roles(head):
        return None
    matrix = _by(head, chosen)
    if layout == "wide":
        if matrix.places:
            return matrix
        raise DataError(
            name,
            expected="a column of ratings for each item, as layout='wide' says",
            received="no column of numbers",
            do="check the file, or leave layout= out",
        )
    # Where rows have no id, their number of ratings comes first.
    is_clear = 0 not in matrix.places if matrix.key is None else _are_ids(head.rows, matrix.key)
    n_others = len(matrix.others) - (matrix.key is None)  # there the numbers of ratings are
    is_clear = is_clear and n_others <= 0 and len(head.rows) > 1
    is_clear = is_clear and _are_ratings(head.rows, matrix.places)
    return matrix if is_clear and not _has_roles(head) else None


def _by(head: Head, chosen: Mapping[str, str | None]) -> Matrix:
    """How a table is laid out if it is a matrix: which column names the rows, and what they are.

    That is the column named by the caller, else the first; it is no id if its values come again.
    """
    columns, rows = head.columns, head.rows
    numbers, names = Cells(), frozenset(head.names)
    places = [n for n in range(len(columns)) if _are_numbers(_column(rows, n), numbers)]
    role = next((role for role in ("user", "item") if chosen.get(role) in columns), None)
    key: int | None = 0
    if role is not None:
        key = columns.index(str(chosen[role]))
    elif head.named and columns[0] not in names and 1 not in places:
        key = 1  # the first, which has no name, numbers the rows
    elif 0 in places and not _are_ids(rows, 0) and (not head.named or not _is_key(columns[0])):
        key = None
        places = places[1:] if _counts_ratings(rows) else places
    places = [p for p in places if p != key and columns[p] in names]
    if role is None and key is not None and head.named:
        role = "item" if _plain(columns[key]) in _ITEM_WORDS else "user"
    first = places[0] if places else 0
    ids = tuple(columns[place] if head.named else str(place - first + 1) for place in places)
    meant = {*places, key}
    others = tuple(c for n, c in enumerate(columns) if n not in meant and c in names)
    return Matrix(key, role or "user", tuple(places), ids, others)


def _plain(name: str) -> str:
    return _NO_LETTERS.sub("", name).casefold()


def _is_key(name: str) -> bool:
    """Whether the name of a first column says that it names the rows."""
    return _plain(name) in _USER_WORDS | _ITEM_WORDS


def may_be_matrix(head: Head) -> bool:
    """Whether all columns but the first hold numbers, and there are more than two of them."""
    matrix = _by(head, {})
    return len(matrix.places) > 2 and len(matrix.places) >= len(head.names) - 1


def _has_roles(head: Head) -> bool:
    """Whether names say that a row is a rating, rather than that an item has the name "R"."""
    if not head.named:
        return len(head.columns) < 4
    names = [first_named(NAMES[role], head.names) for role in ("user", "item", "rating")]
    if None in names or len({*names}) < len(names):
        return False
    return len(head.columns) <= MIN_FULL_COLUMNS or len(str(names[-1])) > 1


def without_marks(values: AnyArray) -> tuple[Mask, str]:
    """Where numbers are ratings rather than marks for "not rated"; and the mark, or "".

    Args:
        values: Numbers of any shape, NaN where there is none.
    """
    is_number = ~np.isnan(values)
    for mark in (*MARKS, 0.0):
        others = is_number & (values != mark)
        n_marks = int(is_number.sum() - others.sum())
        if not n_marks or not others.any():
            continue
        rest = values[others]
        if mark and np.abs(rest).max() <= MAX_PART_OF_MARK * abs(mark):
            return others, f"{mark:g}"
        is_frequent = n_marks >= MIN_SHARE_OF_ZEROS * is_number.sum()
        if not mark and is_frequent and rest.min() > 0 and rest.min() < rest.max():
            return others, "0"
    return is_number, ""


def _column(rows: Rows, place: int) -> list[str]:
    return [row[place].strip() for row in rows if place < len(row)]


def _are_ids(rows: Rows, place: int) -> bool:
    """Whether a column has another value in each row."""
    values = _column(rows, place)
    return all(values) and len(set(values)) == len(rows)


def _are_numbers(cells: Sequence[str], numbers: Cells) -> bool:
    """Whether a column holds numbers and empty cells, up to bad ones in between."""
    n_full = n_bad = 0
    for cell in cells:
        n_full += bool(cell)
        try:
            numbers[cell]
        except KeyError:
            n_bad += 1
    return 2 * n_bad < max(1, n_full)


def _are_ratings(rows: Rows, places: Sequence[int]) -> bool:
    """Whether columns hold numbers of one scale, and not an item, its rating and something else.

    Those stand in every row of a table of ratings: few columns need empty cells in the first two.
    """
    width = max(places, default=0) + 1
    cells = _numbers(row[place] for row in rows if len(row) >= width for place in places)
    if cells is None or len(places) < 2:
        return False
    table = cells.reshape(-1, len(places))
    is_rating, _ = without_marks(table)
    ratings = np.abs(table[is_rating])
    if not ratings.size or (is_rating[:, :2].all() and len(places) < MIN_FULL_COLUMNS):
        return False
    are_halves = (2 * ratings == np.round(2 * ratings)).all()
    return bool(ratings.max() <= (MAX_WHOLE_RATING if are_halves else MAX_DECIMAL_RATING))


def _numbers(cells: Iterable[str]) -> F64 | None:
    """Cells as numbers, or None if one holds something else."""
    numbers = Cells()
    try:
        return np.array([numbers[cell] for cell in cells])
    except KeyError:
        return None


def _counts_ratings(rows: Rows) -> bool:
    """Whether the first column has the number of ratings in each row, in most of them exactly."""
    width = len(rows[0])
    values = _numbers(cell for row in rows if len(row) == width for cell in row)
    if values is None or width < 4:
        return False
    table = values.reshape(-1, width)
    counts, cells = table[:, 0], table[:, 1:]
    is_rating, _ = without_marks(cells)
    exact = counts == is_rating.sum(axis=1)
    if exact.all():
        return True
    are_counts = (counts == np.round(counts)) & (counts >= 0) & (counts < width)
    return bool(
        are_counts.all() and exact.mean() >= 0.5 and not np.isin(counts, cells[is_rating]).any()
    )


def unpivoted(
    name: str, frame: pl.DataFrame, matrix: Matrix, *, marks: bool
) -> tuple[pl.DataFrame, list[str]]:
    """The ratings of a frame that is a matrix; as `long_frame`.

    Raises:
        DataError: If a cell holds no number, or a row has no id.
    """
    cells = Cells()
    values = np.empty((len(frame), len(matrix.places)), np.float32)
    for n, place in enumerate(matrix.places):
        column = frame.to_series(place)
        if column.dtype.is_numeric():
            values[:, n] = column.cast(pl.Float32).fill_null(np.nan).to_numpy()
            continue
        try:
            values[:, n] = [cells[cell] for cell in column.cast(pl.String).fill_null("")]
        except KeyError as error:
            wrong = column.cast(pl.String) == error.args[0]
            raise bad_value(name, column, wrong, "a number, or nothing") from error
    keys = pl.Series(np.arange(1, len(frame) + 1))
    if matrix.key is not None:
        keys = frame.to_series(matrix.key)
        if keys.null_count():
            raise bad_value(name, keys, keys.is_null(), f"a {matrix.rows}")
    row, column_index = np.nonzero(~np.isnan(values))
    cell = values[row, column_index]
    return long_frame(matrix, keys, row, column_index, cell, marks=marks)


def long_frame(
    matrix: Matrix,
    keys: Sequence[str] | pl.Series,
    row: AnyArray,
    column: AnyArray,
    rating: AnyArray,
    *,
    marks: bool,
) -> tuple[pl.DataFrame, list[str]]:
    """The ratings of a matrix as a row each, and a note on what was left out.

    Args:
        matrix: How it is laid out.
        keys: The id of each row.
        row, column, rating: Row and column (n,) of each cell that holds a number, and the number.
        marks: Whether to leave out numbers that say "not rated".
    """
    is_rating, mark = without_marks(rating) if marks else (np.ones(len(rating), bool), "")
    # Ids become whole numbers before there are as many of them as ratings.
    rows, ids = (as_ids(pl.Series(names))[0] for names in (keys, list(matrix.ids)))
    frame = pl.DataFrame(
        {
            f"{matrix.rows}_id": rows.gather(row[is_rating]),
            f"{matrix.columns}_id": ids.gather(column[is_rating]),
            "rating": rating[is_rating].astype(np.float32),
        }
    )
    empty = "empty cells are not rated"
    if mark:
        way = "unrated=(), in the shell --unrated none, keeps it"
        empty = f"empty cells and {mark} are not rated ({way})"
    shape = f"{len(rows):,} {matrix.rows}s × {len(ids):,} {matrix.columns}s"
    notes = [f"a matrix of {shape}; {empty}"]
    if matrix.others and matrix.key is not None:
        others = ", ".join(matrix.others)[:MAX_LISTED_CHARACTERS]
        notes.append(f"columns left out that hold no numbers: {others}")
    return frame.select("user_id", "item_id", "rating"), notes
