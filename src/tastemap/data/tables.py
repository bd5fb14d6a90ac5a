"""From one file or frame to the columns of a table of ratings, and from those to `Ratings`."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
from polars.exceptions import PolarsError

from tastemap.data.columns import (
    A_TIME,
    ISO_DATE,
    complete_times,
    find_columns,
    item_columns,
    item_table,
    standard_columns,
    without_duplicates,
)
from tastemap.data.delimited import NUMBER, Check, TextFile
from tastemap.data.files import DataFile
from tastemap.data.ratings import Ratings, Source
from tastemap.data.sniffing import sample, sniff
from tastemap.errors import DataError

_WHOLE = re.compile(r"0|-?[1-9]\d{0,18}")
# No scale of ratings reaches this far; the times of a column taken for ratings do.
_NO_RATING = 1e8


@dataclass(frozen=True)
class RatingsTable:
    """What has been read: ratings, what is known about items and users, and how it was read.

    Attributes:
        name: What messages call the source.
        ratings: ``user_id, item_id, rating`` and maybe ``timestamp``, one row a rating.
        items, users: Keyed by ``item_id`` and ``user_id``, or None.
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
        frame, doubled = without_duplicates(self.name, self.ratings, duplicates)
        frame, timed = complete_times(frame, missing_times)
        source = Source(name, (*self.notes, *doubled, *timed))
        return Ratings.from_frame(
            frame, item_table=self.items, user_table=self.users, source=source
        )


def read_frame(name: str, frame: pl.DataFrame, chosen: Mapping[str, str | None]) -> RatingsTable:
    """The ratings in a frame; ``chosen`` names the column of a role (user, item ...) or is None.

    Raises:
        DataError: If a column is missing, or a value is, or cannot be what it should be.
    """
    if not len(frame):
        raise DataError(name, expected="at least one rating", received="no rows", do="check it")
    roles, notes = find_columns(name, frame.columns, chosen)
    return _assemble(name, frame, roles, notes)


def read_file(
    file: DataFile,
    chosen: Mapping[str, str | None],
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    has_header: bool | None = None,
) -> RatingsTable:
    """The ratings in a file: Parquet or Arrow by their first bytes, else delimited text.

    Raises:
        DataError: If the file cannot be read as ratings; line or row, and column are named.
    """
    start = next(file.chunks(), b"")[:6]
    if start[:4] == b"PAR1" or start == b"ARROW1":
        return read_frame(file.name, _read_arrow(file, start), chosen)
    if file.path is None:  # unpack it once
        content = file.read()
        file = DataFile(file.name, lambda: content)
    text, notes = sniff(file, delimiter=delimiter, encoding=encoding, has_header=has_header)
    return _read_text(text, chosen, notes)


def _assemble(
    name: str, frame: pl.DataFrame, roles: Mapping[str, str], notes: list[str]
) -> RatingsTable:
    ratings, timed = standard_columns(name, frame, roles)
    columns = item_columns(frame.columns, roles)
    items, described = item_table(ratings["item_id"], frame, columns)
    return RatingsTable(name, ratings, items=items, notes=(*notes, *timed, *described))


def _read_arrow(file: DataFile, start: bytes) -> pl.DataFrame:
    source = file.path or io.BytesIO(file.read())
    try:
        if start == b"ARROW1":
            return pl.read_ipc(source)
        return pl.read_parquet(source)
    except (PolarsError, OSError) as error:
        raise DataError(
            file.name,
            expected="a complete Parquet or Arrow file",
            received=str(error).splitlines()[0],
            do="write it again",
        ) from error


def _read_text(text: TextFile, chosen: Mapping[str, str | None], notes: list[str]) -> RatingsTable:
    columns, rows = text.layout.columns, sample(text)
    roles, named = find_columns(text.name, columns, chosen, named=text.layout.has_header)
    if not text.layout.has_header:
        _check_positions(text, roles, chosen, rows)
    extra = item_columns(columns, roles).values()
    types = {**dict.fromkeys(extra, pl.String()), **_types(text, roles, rows)}
    checks = _checks(roles)
    try:
        frame = text.scan(types)
    except PolarsError:
        # A bad line, which locate names; or ids that are numbers at first and text later.
        text.locate(checks)
        frame = text.strings(list(types))
    if any(frame[column].null_count() for column in roles.values()):
        text.locate(checks)
        frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))  # blank lines
    try:
        return _assemble(text.name, frame, roles, [*notes, *named])
    except DataError:
        text.locate(checks)  # names the line, where the row is all that is known here
        raise


def _check_positions(
    text: TextFile,
    roles: dict[str, str],
    chosen: Mapping[str, str | None],
    rows: list[list[str]],
) -> None:
    """Refuse columns that were taken by position and cannot be what they were taken for."""
    is_time = _checks(roles).get(roles.get("timestamp", ""))
    values = {role: _values(text, column, rows) for role, column in roles.items()}
    numbers = [abs(float(v)) for v in values["rating"] if NUMBER.fullmatch(v)]
    if chosen.get("rating") is None and numbers and min(numbers) > _NO_RATING:
        raise DataError(
            f"{text.name}, column {roles['rating']}",
            expected="ratings, as the third column of a file without a header",
            received=f"{values['rating'][0]}, which looks like a time or an id",
            do="name the columns: user='column_1', item=..., rating=...",
        )
    if chosen.get("timestamp") is None and is_time and any(map(is_time, values["timestamp"])):
        del roles["timestamp"]  # a fourth column of something else


def _values(text: TextFile, column: str, rows: list[list[str]]) -> list[str]:
    """The values of a column in the sample, without blanks."""
    place = text.layout.columns.index(column)
    return [row[place].strip() for row in rows if place < len(row) and row[place].strip()]


def _types(
    text: TextFile, roles: Mapping[str, str], rows: list[list[str]]
) -> dict[str, pl.DataType]:
    """The type to parse each role's column as: integer if the sample is, else text or a number."""
    types: dict[str, pl.DataType] = {}
    for role, column in roles.items():
        if role == "rating":
            types[column] = pl.Float64()
        elif all(_WHOLE.fullmatch(value) for value in _values(text, column, rows)):
            types[column] = pl.Int64()
        else:
            types[column] = pl.String()
    return types


def _checks(roles: Mapping[str, str]) -> dict[str, Check]:
    """What to ask of each value when a bad line is looked for."""
    iso_date = re.compile(ISO_DATE)

    def is_there(value: str) -> str | None:
        return None if value.strip() else "an id"

    def is_number(value: str) -> str | None:
        return None if NUMBER.fullmatch(value) else "a finite number"

    def is_time(value: str) -> str | None:
        right = not value.strip() or NUMBER.fullmatch(value) or iso_date.match(value)
        return None if right else A_TIME

    by_role = {"user": is_there, "item": is_there, "rating": is_number, "timestamp": is_time}
    return {column: by_role[role] for role, column in roles.items()}
