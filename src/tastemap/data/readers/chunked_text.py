"""Text in columns read part by part: what is bad is found in its part, and memory stays bounded."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl
from polars.exceptions import PolarsError

from tastemap.data.readers.text import Check, TextFile
from tastemap.errors import ArgumentError

# Told how many bytes of how many are read.
Progress: TypeAlias = Callable[[int, int], None]

ON_BAD_ROW = ("error", "skip")
# Parts that are scanned at a time: at the end of one, the cores already have the next.
_AT_ONCE = 2
# Files smaller than this are read before anybody asks how far it is.
_LONG = 2**26


@dataclass(frozen=True)
class Reading:
    """How a table is read.

    Attributes:
        on_bad_row: What becomes of a row that cannot be read: ``"error"``, which names it, or
            ``"skip"``, which leaves it out and counts it.
        progress: Is told the bytes read and the bytes in all, if those are many.

    Raises:
        ArgumentError: If ``on_bad_row`` is neither.
    """

    on_bad_row: str = "error"
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if self.on_bad_row not in ON_BAD_ROW:
            raise ArgumentError(
                "on_bad_row", expected="'error' or 'skip'", received=repr(self.on_bad_row)
            )

    @property
    def skips(self) -> bool:
        """Whether bad rows are left out."""
        return self.on_bad_row == "skip"

    def note(self, n_bad: int, first: str) -> list[str]:
        """What to say of rows that were left out."""
        return [f"{n_bad:,} bad rows skipped, the first: {first}"] if n_bad else []


@dataclass(frozen=True)
class Columns:
    """Columns of a text file: how each is parsed, and what each of its values has to be.

    Attributes:
        types: Name and type of each column that is read; the types may be too narrow.
        checks: For a column, what to ask of each value when a bad line is looked for.
        rating: The column of the ratings, which are finite numbers.
    """

    types: Mapping[str, pl.DataType]
    checks: Mapping[str, Check]
    rating: str

    @property
    def wide(self) -> dict[str, pl.DataType]:
        """The types with whole numbers of 64 bits."""
        return {
            name: pl.Int64() if kind.is_integer() else kind for name, kind in self.types.items()
        }


class _OtherTypesError(Exception):
    """A column whose values are numbers at first, and text later."""


def read_parts(
    text: TextFile, columns: Columns, reading: Reading
) -> tuple[pl.DataFrame, list[str]]:
    """The columns of the whole file, without blank lines, and a note on rows left out.

    Raises:
        DataError: For the first bad line, unless bad rows are skipped.
    """
    bad = _Bad()
    try:
        parts = [
            _parsed(part, frame, columns, reading, bad)
            for part, frame in _ahead(text, columns, reading.progress)
        ]
    except _OtherTypesError:
        return read_as_text(text, columns, reading)
    return pl.concat(parts, how="vertical_relaxed"), reading.note(bad.n, bad.first)


def read_as_text(
    text: TextFile, columns: Columns, reading: Reading
) -> tuple[pl.DataFrame, list[str]]:
    """As `read_parts`, every line checked one by one, every column as text."""
    bad, parts = _Bad(), []
    for part in text.parts():
        if reading.skips:
            parts.append(_sound(part, columns, bad))
        else:
            part.locate(columns.checks)
            parts.append(part.strings(list(columns.types)))
    return pl.concat(parts), reading.note(bad.n, bad.first)


def locate(text: TextFile, checks: Mapping[str, Check]) -> None:
    """Raise the `DataError` of the first bad line; return if every line is right."""
    for part in text.parts():
        part.locate(checks)


@dataclass
class _Bad:
    """How many rows were bad, and what was wrong with the first."""

    n: int = 0
    first: str = ""


def _parsed(
    part: TextFile, frame: pl.DataFrame | None, columns: Columns, reading: Reading, bad: _Bad
) -> pl.DataFrame:
    """What was scanned of a part, or where that will not do, its lines one by one."""
    if frame is not None and not _has_gaps(frame, columns):
        return frame
    if reading.skips:
        try:
            return _sound(part, columns, bad).cast(columns.wide)  # type: ignore[arg-type]
        except PolarsError as error:
            raise _OtherTypesError from error
    part.locate(columns.checks)
    if frame is None:
        raise _OtherTypesError
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))  # blank lines


def _scanned(part: TextFile, kinds: Sequence[Mapping[str, pl.DataType]]) -> pl.DataFrame | None:
    """The part parsed as the first types that fit, or None."""
    for types in kinds:
        try:
            return part.scan(types)
        except PolarsError:
            continue
    return None


def _has_gaps(frame: pl.DataFrame, columns: Columns) -> bool:
    """Whether a value is missing, or a rating is no finite number."""
    missing = any(frame[name].null_count() for name in columns.checks)
    return missing or not frame[columns.rating].is_finite().all()


def _sound(part: TextFile, columns: Columns, bad: _Bad) -> pl.DataFrame:
    """The lines of a part that are right, as text; the others are counted."""
    places = [part.layout.columns.index(name) for name in columns.types]
    rows: list[list[str | None]] = []
    for record, error in part.judged(columns.checks):
        if error is None:
            rows.append([record[place] or None for place in places])
            continue
        bad.first = bad.first or str(error).split("; correct")[0]
        bad.n += 1
    return pl.DataFrame(rows, schema=dict.fromkeys(columns.types, pl.String()), orient="row")


def _ahead(
    text: TextFile, columns: Columns, progress: Progress | None
) -> Iterator[tuple[TextFile, pl.DataFrame | None]]:
    """The parts of a file in order, each scanned; the next are read and scanned meanwhile."""
    total, done = text.file.size(), 0
    parts, kinds = text.parts(), (columns.types, columns.wide)
    waiting: deque[tuple[TextFile, Future[pl.DataFrame | None]]] = deque()
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(_AT_ONCE) as scanner:
        coming = reader.submit(next, parts, None)
        part = coming.result()
        while part is not None or waiting:
            if part is not None:
                coming = reader.submit(next, parts, None)
                waiting.append((part, scanner.submit(_scanned, part, kinds)))
                part = coming.result()
            if part is None or len(waiting) >= _AT_ONCE:
                first, scanned = waiting.popleft()
                yield first, scanned.result()
                done += first.file.size() or 0
                if progress is not None and total and total >= _LONG:
                    progress(done, total)
