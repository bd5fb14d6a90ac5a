"""Read one file or frame as a table of ratings, and make `Ratings` of it."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import polars as pl
import polars.selectors as cs

from tastemap.data.feedback import Source
from tastemap.data.nouns import noun_in
from tastemap.data.ratings import Ratings
from tastemap.data.readers.archive import DataFile
from tastemap.data.readers.chunked_text import Columns, Reading, read_as_text, read_parts
from tastemap.data.readers.columns import (
    item_table,
    sound_rows,
    standard_columns,
    without_duplicates,
)
from tastemap.data.readers.dialect import INFERRED, Dialect, sample, sniff
from tastemap.data.readers.encoding import guess_encoding
from tastemap.data.readers.json_records import is_json, read_json
from tastemap.data.readers.kinds import START_BYTES, refuse_other_kind
from tastemap.data.readers.matrix import Head, Matrix, matrix_of, may_be_matrix, unpivoted
from tastemap.data.readers.matrix_text import read_matrix
from tastemap.data.readers.numbers import PLAIN, common_form, number_form, value_check
from tastemap.data.readers.roles import KEYS, Sample, find_columns, item_columns
from tastemap.data.readers.text import Check, OtherEncodingError, TextFile
from tastemap.data.readers.timestamps import EXPECTED_TIME, complete_times, is_time
from tastemap.data.readers.unrated import joined, parted
from tastemap.errors import DataError, NoRatingsError, TastemapError
from tastemap.support.boundary import refusing
from tastemap.support.memory import require

# Peak of the memory for a rating while a table is read: the columns as read and those of `Ratings`
# (two row numbers of 32 bits, a rating of 32 and a time of 64), and as much again for ids of 64
# bits before they become row numbers.
BYTES_PER_RATING = 60
# Rows whose text says how long that of the others is.
N_SAMPLED_ROWS = 1000
# A table with a row for each rating has fewer columns.
MAX_COLUMNS = 1000
MATRIX_ROLES = {role: KEYS[role] for role in ("user", "item", "rating")}
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class RatingsTable:
    """A source as read: the ratings, the tables of items and users, and the notes.

    Attributes:
        name: The name of the source in messages.
        ratings: ``user_id, item_id, rating`` and maybe ``timestamp``, one row a rating.
        items, users: The tables, keyed by ``item_id`` and ``user_id``, or None.
        seen: What was seen without a rating: the same columns but ``rating``; None for nothing.
        notes: One sentence for each inference.
        noun: What an item is called, in the singular, or "".
    """

    name: str
    ratings: pl.DataFrame
    items: pl.DataFrame | None = None
    users: pl.DataFrame | None = None
    notes: tuple[str, ...] = ()
    noun: str = ""
    seen: pl.DataFrame | None = None

    def to_ratings(
        self, name: str, *, duplicates: str = "last", missing_times: str = "drop"
    ) -> Ratings:
        """`Ratings` called ``name``, without duplicates, with all times or none."""
        frame, of_duplicates = without_duplicates(self.name, self.ratings, duplicates)
        frame, of_times = complete_times(frame, missing_times)
        notes = (*self.notes, *of_duplicates, *of_times)
        source = Source(name, notes, noun=self.noun or noun_in(name))
        tables = {"item_table": self.items, "user_table": self.users, "seen": self.seen}
        return Ratings.from_frame(frame, source=source, **tables)


class _How(NamedTuple):
    """How a table is read, and the roles whose columns the caller has named."""

    reading: Reading
    named: frozenset[str]

    @classmethod
    def of(cls, chosen: Mapping[str, str | None], reading: Reading) -> "_How":
        return cls(reading, frozenset(role for role, column in chosen.items() if column))


def read_frame(
    name: str,
    frame: pl.DataFrame,
    chosen: Mapping[str, str | None],
    reading: Reading,
    notes: Sequence[str] = (),
) -> RatingsTable:
    """The ratings in a frame; ``chosen`` has the column of each role, or None to infer it.

    Raises:
        DataError: If a column or a value is missing, or a value is of the wrong kind.
    """
    if not len(frame):
        raise _empty(name, "no rows")
    how, sampled = _How.of(chosen, reading), sample_of(frame)
    matrix = _matrix_of_frame(name, sampled, chosen, reading)
    if matrix is not None:
        _require_memory(name, len(frame) * len(matrix.places))
        long, of_matrix = unpivoted(name, frame, matrix, marks=reading.unrated is None)
        table = _assemble(name, long, MATRIX_ROLES, [*notes, *of_matrix], how)
        return replace(table, noun=noun_in(matrix.item_name))
    roles, named = _find_columns(name, frame.columns, chosen, sampled)
    return _of_frame(name, frame, roles, [*notes, *named], how)


def _of_frame(
    name: str, frame: pl.DataFrame, roles: Mapping[str, str], notes: list[str], how: _How
) -> RatingsTable:
    if how.reading.skips:
        frame, skipped = sound_rows(name, frame, roles)
        notes += skipped
    return _assemble(name, frame, roles, notes, how)


def sample_of(frame: pl.DataFrame) -> dict[str, list[str]]:
    """Values of each column as text, of rows from all over a frame."""
    rows = frame.gather_every(max(1, len(frame) // N_SAMPLED_ROWS))
    return {column.name: _texts(column) for column in rows}


def _texts(column: pl.Series) -> list[str]:
    """The values of a column as text, "" where there is none."""
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        return ["" if is_null else "…" for is_null in column.is_null()]
    return column.cast(pl.String, strict=False).fill_null("").to_list()


def read_file(
    file: DataFile, chosen: Mapping[str, str | None], reading: Reading, dialect: Dialect = INFERRED
) -> RatingsTable:
    """The ratings in a file: Parquet, Arrow or JSON by their first bytes, else delimited text.

    Raises:
        DataError: If the file cannot be read as ratings (line or row, and column are named), or
            needs more memory than is free.
    """
    file = file.unpacked()
    start = file.start(START_BYTES)
    refuse_other_kind(file.name, start)
    if start.startswith((b"PAR1", b"ARROW1")):
        frame, of_roles = _read_arrow(file, start, chosen, reading)
        if of_roles is None:
            return read_frame(file.name, frame, chosen, reading)
        if not len(frame):
            raise _empty(file.name, "no rows")
        return _of_frame(file.name, frame, *of_roles, _How.of(chosen, reading))
    if dialect.delimiter is None and is_json(start):
        return _read_json(file, chosen, reading, dialect)
    text, notes = sniff(file, dialect)
    try:
        return _read_text(text, chosen, notes, reading)
    except OtherEncodingError:
        encoding = guess_encoding(file)
        text, notes = sniff(file, dialect._replace(encoding=encoding))
        return _read_text(text, chosen, [f"encoding inferred: {encoding}", *notes], reading)


def _assemble(
    name: str, frame: pl.DataFrame, roles: Mapping[str, str], notes: list[str], how: _How
) -> RatingsTable:
    if not len(frame):
        raise _empty(name, "; ".join(["none", *notes]))
    ratings, converted = standard_columns(name, frame, roles, named=how.named)
    columns = item_columns(frame.columns, roles)
    items, described = item_table(ratings["item_id"], frame, columns)
    column = None if "rating" in how.named else roles["rating"]
    reading = how.reading
    keeps_seen = reading.keeps_seen and roles != MATRIX_ROLES
    rows = parted(name, ratings, reading.unrated, column, keeps_seen=keeps_seen)
    seen = joined(rows, reading.seen)
    notes = [*notes, *rows.notes, *converted, *described]
    noun = noun_in(roles["item"])
    return RatingsTable(name, rows.rated, items, None, tuple(notes), noun, seen)


def _empty(name: str, received: str) -> DataError:
    return DataError(name, expected="at least one rating", received=received, do="check it")


def _read_json(
    file: DataFile, chosen: Mapping[str, str | None], reading: Reading, dialect: Dialect
) -> RatingsTable:
    records = read_json(file, dialect.encoding, chosen, reading)
    try:
        return read_frame(file.name, records.frame, chosen, reading, records.notes)
    except NoRatingsError:
        raise
    except DataError as error:
        if not records.nested or not error.what.startswith(f"{file.name}, column of the"):
            raise
        received = f"{error.received}; {records.nested}"
        raise DataError(
            error.what, expected=error.expected, received=received, do=error.do
        ) from error


def _read_arrow(
    file: DataFile, start: bytes, chosen: Mapping[str, str | None], reading: Reading
) -> tuple[pl.DataFrame, tuple[dict[str, str], list[str]] | None]:
    """The columns of the ratings and those that describe items; the roles, and notes on these.

    Of a matrix all columns, and None.
    """
    source = file.path or io.BytesIO(file.read())

    def refusal(reason: str) -> DataError:
        expected = "a complete Parquet or Arrow file"
        return DataError(file.name, expected=expected, received=reason, do="write it again")

    with refusing(refusal, TastemapError):
        scan = pl.scan_ipc if start.startswith(b"ARROW1") else pl.scan_parquet
        lazy = scan(source, glob=False)
        columns = lazy.collect_schema().names()
        n_ratings = int(lazy.select(pl.len()).collect().item())
        _require_memory(file.name, n_ratings)
        sampled = sample_of(lazy.head(N_SAMPLED_ROWS).collect())
        if _matrix_of_frame(file.name, sampled, chosen, reading) is not None:
            return lazy.collect(engine="streaming"), None
        roles, notes = _find_columns(file.name, columns, chosen, sampled)
        needed = {*roles.values(), *item_columns(columns, roles).values()}
        lazy = lazy.select(column for column in columns if column in needed)
        _require_memory(file.name, n_ratings, _bytes_of_text(lazy.head(N_SAMPLED_ROWS).collect()))
        return lazy.collect(engine="streaming"), (roles, notes)


def _read_text(
    text: TextFile, chosen: Mapping[str, str | None], notes: list[str], reading: Reading
) -> RatingsTable:
    layout, rows = text.layout, sample(text)
    head = Head(layout.columns, rows, layout.names, layout.has_header)
    matrix = matrix_of(text.name, head, chosen, reading.layout)
    n_rated = len(rows)
    if matrix is not None:
        places = matrix.places
        n_rated = sum(bool(row[n].strip()) for row in rows for n in places if n < len(row))
    if rows and (n_bytes := text.file.size()):
        # Each field has one character more: a delimiter, or the end of the line.
        n_sampled = sum(len(field) + 1 for row in rows for field in row)
        _require_memory(text.name, int(n_bytes / n_sampled * n_rated))
    how = _How.of(chosen, reading)
    if matrix is not None:
        if layout.doubled:
            raise _doubled(text)
        frame, of_matrix = read_matrix(text, matrix, reading)
        table = _assemble(text.name, frame, MATRIX_ROLES, [*notes, *of_matrix], how)
        return replace(table, noun=noun_in(matrix.item_name))
    roles, named = _columns_of_text(text, rows, chosen)
    columns = _columns(text, roles, rows, how)
    names = layout.names
    extra = dict.fromkeys(item_columns(names, roles).values(), pl.String())
    if len(names) == 4 and "timestamp" not in roles and not layout.has_header:
        # It is looked at where it is no time, too: a line without it is cut off.
        extra[names[3]] = pl.String()
        columns = replace(columns, checks={**columns.checks, names[3]: (_is_anything, "a value")})
    columns = replace(columns, types={**extra, **columns.types})
    frame, skipped = read_parts(text, columns, reading)
    try:
        return _assemble(text.name, frame, roles, [*notes, *named, *skipped], how)
    except DataError:
        if not reading.skips:
            for part in text.parts():  # raises an error that names the line, not the row
                part.locate(columns.checks)
            raise
    frame, skipped = read_as_text(text, columns, reading)
    return _assemble(text.name, frame, roles, [*notes, *named, *skipped], how)


def _columns_of_text(
    text: TextFile, rows: list[list[str]], chosen: Mapping[str, str | None]
) -> tuple[dict[str, str], list[str]]:
    """The column of each role, of those that the header names once, and notes."""
    layout = text.layout
    names = {*layout.names, *chosen.values()}
    sampled = {
        column: [row[place] if place < len(row) else "" for row in rows]
        for place, column in enumerate(layout.columns)
        if column in names
    }
    try:
        return _find_columns(text.name, [*sampled], chosen, sampled, named=layout.has_header)
    except DataError as error:
        if layout.doubled:
            raise _doubled(text) from error
        raise


def _find_columns(
    name: str,
    columns: Sequence[str],
    chosen: Mapping[str, str | None],
    sampled: Sample,
    *,
    named: bool = True,
) -> tuple[dict[str, str], list[str]]:
    """As `find_columns`; an error says, too, how a matrix is read, if the table may be one."""
    if len(columns) > MAX_COLUMNS:
        raise DataError(
            name,
            expected=f"at most {MAX_COLUMNS:,} columns, or a matrix of ratings",
            received=f"{len(columns):,} columns",
            do="say that it is a matrix: layout='wide'",
        )
    try:
        return find_columns(name, columns, chosen, named=named, sample=sampled)
    except NoRatingsError:
        raise
    except DataError as error:
        rows = [*zip(*sampled.values(), strict=True)]
        if chosen.get("rating") or not may_be_matrix(Head(columns, rows, columns, named)):
            raise
        do = f"{error.do}; or, if each further column is an item: layout='wide'"
        raise DataError(
            error.what, expected=error.expected, received=error.received, do=do
        ) from error


def _doubled(text: TextFile) -> DataError:
    """The error of a header with a name that several columns have."""
    layout = text.layout
    return DataError(
        f"{text.name}, line {layout.n_above + 1}",
        expected="each column name once",
        received=f"{', '.join(layout.doubled)} more than once",
        do="rename all but one, or say has_header=False",
    )


def _matrix_of_frame(
    name: str, sampled: Sample, chosen: Mapping[str, str | None], reading: Reading
) -> Matrix | None:
    """The matrix that a frame is, if it is to be read as one."""
    columns = [*sampled]
    head = Head(columns, [*zip(*sampled.values(), strict=True)], columns)
    return matrix_of(name, head, chosen, reading.layout)


def _bytes_of_text(sample: pl.DataFrame) -> int:
    """Bytes that text takes in a row, as it is read and once more; a packed file may hide them."""
    text = sample.select(~cs.numeric())
    return 2 * round(text.estimated_size() / max(len(sample), 1))


def _require_memory(name: str, n_ratings: int, more_bytes: int = 0) -> None:
    """Refuse a table that the free memory will not hold, before it is read."""
    require(
        name,
        (BYTES_PER_RATING + more_bytes) * n_ratings,
        f"for some {n_ratings:,} ratings",
        "close other programs, use a larger machine, or write the table as Parquet and"
        " keep it on disk: tastemap prepare",
    )


def _values(text: TextFile, column: str, rows: list[list[str]]) -> list[str]:
    """The values of a column in the sample, without blanks."""
    place = text.layout.columns.index(column)
    return [row[place].strip() for row in rows if place < len(row) and row[place].strip()]


def _columns(text: TextFile, roles: Mapping[str, str], rows: list[list[str]], how: _How) -> Columns:
    """How the columns are parsed and checked, from the first lines."""
    sampled = {role: _values(text, column, rows) for role, column in roles.items()}
    form = number_form(sampled["rating"])
    types: dict[str, pl.DataType] = dict.fromkeys(roles.values(), pl.String())
    if form == PLAIN:
        types[roles["rating"]] = pl.Float32()
    if "timestamp" in roles and all(_WHOLE.fullmatch(value) for value in sampled["timestamp"]):
        types[roles["timestamp"]] = pl.Int64()
    # Where bad rows are skipped, the first lines say what is bad; else the whole column does.
    is_rating = value_check(common_form(sampled["rating"]) if how.reading.skips else None)
    checks: dict[str, Check] = {
        "user": (str.strip, "an id"),
        "item": (str.strip, "an id"),
        "rating": (is_rating, "a finite number"),
        "timestamp": (
            is_time if "timestamp" in how.named else _is_anything,
            EXPECTED_TIME,
        ),
    }
    ids = (roles["user"], roles["item"])
    by_column = {column: checks[role] for role, column in roles.items()}
    return Columns(types, by_column, roles["rating"], ids)


def _is_anything(_: str) -> bool:
    """The check of a value that does not matter, in a column that each line must have."""
    return True
