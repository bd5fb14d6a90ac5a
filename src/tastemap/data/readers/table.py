"""Read one file or frame as a table of ratings, and make `Ratings` of it."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import polars.selectors as cs

from tastemap.data.ratings import Ratings, Source
from tastemap.data.readers.archive import DataFile
from tastemap.data.readers.chunked_text import Columns, Reading, read_as_text, read_parts
from tastemap.data.readers.columns import (
    KEYS,
    find_columns,
    item_columns,
    item_table,
    sound_rows,
    standard_columns,
    without_duplicates,
)
from tastemap.data.readers.dialect import INFERRED, Dialect, sample, sniff
from tastemap.data.readers.encoding import guess_encoding
from tastemap.data.readers.json_records import is_json, read_json
from tastemap.data.readers.kinds import START_BYTES, refuse_other_kind
from tastemap.data.readers.matrix import Head, Matrix, matrix_of, unpivoted
from tastemap.data.readers.matrix_text import read_matrix
from tastemap.data.readers.text import NUMBER, Check, OtherEncodingError, TextFile
from tastemap.data.readers.timestamps import EXPECTED_TIME, ISO_DATE, MAX_TIME, complete_times
from tastemap.errors import DataError, TastemapError
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
_WHOLE = re.compile(r"0|-?[1-9]\d{0,18}")
# Whole numbers of so few digits are first read as 32 bits, which halves their memory.
_WHOLE_32_BIT = re.compile(r"-?\d{1,8}")
# Larger numbers in a column without a name are times or ids.
MAX_PLAUSIBLE_RATING = 1e8
MAX_RATING = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class RatingsTable:
    """A source as read: the ratings, the tables of items and users, and the notes.

    Attributes:
        name: The name of the source in messages.
        ratings: ``user_id, item_id, rating`` and maybe ``timestamp``, one row a rating.
        items, users: The tables, keyed by ``item_id`` and ``user_id``, or None.
        notes: One sentence for each inference.
    """

    name: str
    ratings: pl.DataFrame
    items: pl.DataFrame | None = None
    users: pl.DataFrame | None = None
    notes: tuple[str, ...] = ()

    def to_ratings(
        self, name: str, *, duplicates: str = "last", missing_times: str = "drop"
    ) -> Ratings:
        """`Ratings` called ``name``, without duplicates, with all times or none."""
        frame, of_duplicates = without_duplicates(self.name, self.ratings, duplicates)
        frame, of_times = complete_times(frame, missing_times)
        source = Source(name, (*self.notes, *of_duplicates, *of_times))
        return Ratings.from_frame(
            frame, item_table=self.items, user_table=self.users, source=source
        )


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
        raise DataError(name, expected="at least one rating", received="no rows", do="check it")
    matrix = _matrix_of_frame(name, frame, chosen, reading)
    if matrix is not None:
        _require_memory(name, len(frame) * len(matrix.places))
        long, of_matrix = unpivoted(name, frame, matrix)
        return _assemble(name, long, MATRIX_ROLES, [*notes, *of_matrix])
    roles, named = find_columns(name, frame.columns, chosen)
    if reading.skips:
        frame, skipped = sound_rows(name, frame, roles)
        named += skipped
    return _assemble(name, frame, roles, [*notes, *named])


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
        return read_frame(file.name, _read_arrow(file, start, chosen, reading), chosen, reading)
    if dialect.delimiter is None and is_json(start):
        frame, read = read_json(file, dialect.encoding, chosen, reading)
        return read_frame(file.name, frame, chosen, reading, read)
    text, notes = sniff(file, dialect)
    try:
        return _read_text(text, chosen, notes, reading)
    except OtherEncodingError:
        encoding = guess_encoding(file)
        text, notes = sniff(file, dialect._replace(encoding=encoding))
        return _read_text(text, chosen, [f"encoding inferred: {encoding}", *notes], reading)


def _assemble(
    name: str, frame: pl.DataFrame, roles: Mapping[str, str], notes: list[str]
) -> RatingsTable:
    if not len(frame):
        received = "; ".join(["none", *notes])
        raise DataError(name, expected="at least one rating", received=received, do="check it")
    ratings, timed = standard_columns(name, frame, roles)
    columns = item_columns(frame.columns, roles)
    items, described = item_table(ratings["item_id"], frame, columns)
    return RatingsTable(name, ratings, items=items, notes=(*notes, *timed, *described))


def _read_arrow(
    file: DataFile, start: bytes, chosen: Mapping[str, str | None], reading: Reading
) -> pl.DataFrame:
    """The columns of the ratings and those that describe items."""
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
        head = lazy.head(N_SAMPLED_ROWS).collect()
        if _matrix_of_frame(file.name, head, chosen, reading) is None:
            roles, _ = find_columns(file.name, columns, chosen)
            needed = {*roles.values(), *item_columns(columns, roles).values()}
            lazy = lazy.select(column for column in columns if column in needed)
        _require_memory(file.name, n_ratings, _bytes_of_text(lazy.head(N_SAMPLED_ROWS).collect()))
        return lazy.collect(engine="streaming")


def _read_text(
    text: TextFile, chosen: Mapping[str, str | None], notes: list[str], reading: Reading
) -> RatingsTable:
    layout, rows = text.layout, sample(text)
    head = Head(layout.columns, rows, layout.names, layout.has_header)
    matrix = matrix_of(text.name, head, chosen, reading.layout)
    n_rated = (
        len(rows)
        if matrix is None
        else sum(
            bool(row[place].strip()) for row in rows for place in matrix.places if place < len(row)
        )
    )
    if rows and (n_bytes := text.file.size()):
        # Each field has one character more: a delimiter, or the end of the line.
        n_sampled = sum(len(field) + 1 for row in rows for field in row)
        _require_memory(text.name, int(n_bytes / n_sampled * n_rated))
    if matrix is not None:
        if layout.doubled:
            raise _doubled(text)
        frame, of_matrix = read_matrix(text, matrix, reading)
        return _assemble(text.name, frame, MATRIX_ROLES, [*notes, *of_matrix])
    roles, named = _find_columns(text, chosen)
    if not layout.has_header:
        _check_positions(text, roles, chosen, rows)
    extra = item_columns(layout.names, roles).values()
    types = {**dict.fromkeys(extra, pl.String()), **_types(text, roles, rows)}
    checks = {column: _CHECKS[role] for role, column in roles.items()}
    columns = Columns(types, checks, roles["rating"])
    frame, skipped = read_parts(text, columns, reading)
    try:
        return _assemble(text.name, frame, roles, [*notes, *named, *skipped])
    except DataError:
        if not reading.skips:
            for part in text.parts():  # raises an error that names the line, not the row
                part.locate(columns.checks)
            raise
    frame, skipped = read_as_text(text, columns, reading)
    return _assemble(text.name, frame, roles, [*notes, *named, *skipped])


def _find_columns(
    text: TextFile, chosen: Mapping[str, str | None]
) -> tuple[dict[str, str], list[str]]:
    """The column of each role, of those that the header names once, and notes."""
    layout = text.layout
    others = [c for c in chosen.values() if c in layout.columns and c not in layout.names]
    names = [*layout.names, *others]
    if len(names) > MAX_COLUMNS:
        raise DataError(
            text.name,
            expected=f"at most {MAX_COLUMNS:,} columns, or a matrix of ratings",
            received=f"{len(names):,} columns",
            do="say that it is a matrix: layout='wide'",
        )
    try:
        return find_columns(text.name, names, chosen, named=layout.has_header)
    except DataError as error:
        if layout.doubled:
            raise _doubled(text) from error
        raise


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
    name: str, frame: pl.DataFrame, chosen: Mapping[str, str | None], reading: Reading
) -> Matrix | None:
    """The matrix that a frame is, if it is to be read as one."""
    columns = [_texts(column) for column in frame.head(N_SAMPLED_ROWS)]
    head = Head(frame.columns, [*zip(*columns, strict=True)], frame.columns)
    return matrix_of(name, head, chosen, reading.layout)


def _texts(column: pl.Series) -> list[str]:
    """The values of a column as text, "" where there is none."""
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        return ["" if is_null else "…" for is_null in column.is_null()]
    return column.cast(pl.String).fill_null("").to_list()


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


def _check_positions(
    text: TextFile, roles: dict[str, str], chosen: Mapping[str, str | None], rows: list[list[str]]
) -> None:
    """Refuse columns chosen by position whose values are not of their role."""
    values = {role: _values(text, column, rows) for role, column in roles.items()}
    numbers = [abs(float(v)) for v in values["rating"] if NUMBER.fullmatch(v)]
    if chosen.get("rating") is None and numbers and min(numbers) > MAX_PLAUSIBLE_RATING:
        raise DataError(
            f"{text.name}, column {roles['rating']}",
            expected="ratings, as the third column of a file without a header",
            received=f"{values['rating'][0]}, which looks like a time or an id",
            do="name the columns: user='column_1', item=..., rating=...",
        )
    if chosen.get("timestamp") is None and not all(map(_is_time, values.get("timestamp", ()))):
        del roles["timestamp"]  # the fourth column is something else


def _values(text: TextFile, column: str, rows: list[list[str]]) -> list[str]:
    """The values of a column in the sample, without blanks."""
    place = text.layout.columns.index(column)
    return [row[place].strip() for row in rows if place < len(row) and row[place].strip()]


def _types(
    text: TextFile, roles: Mapping[str, str], rows: list[list[str]]
) -> dict[str, pl.DataType]:
    """The type of the column of each role, from the first lines."""
    types: dict[str, pl.DataType] = {}
    for role, column in roles.items():
        values = _values(text, column, rows)
        if role == "rating":
            types[column] = pl.Float32()
        elif all(_WHOLE.fullmatch(value) for value in values):
            short = role != "timestamp" and all(_WHOLE_32_BIT.fullmatch(value) for value in values)
            types[column] = pl.Int32() if short else pl.Int64()
        else:
            types[column] = pl.String()
    return types


def _is_rating(value: str) -> bool:
    return NUMBER.fullmatch(value) is not None and abs(float(value)) <= MAX_RATING


def _is_time(value: str) -> bool:
    if NUMBER.fullmatch(value):
        return abs(float(value)) < MAX_TIME
    return not value.strip() or re.match(ISO_DATE, value) is not None


_CHECKS: dict[str, Check] = {
    "user": (str.strip, "an id"),
    "item": (str.strip, "an id"),
    "rating": (_is_rating, "a finite number"),
    "timestamp": (_is_time, EXPECTED_TIME),
}
