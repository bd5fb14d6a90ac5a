"""Text in columns read in parts: bad lines are looked for in one part, not in the whole file."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl
from polars.exceptions import PolarsError

from tastemap.data.readers.columns import as_integers
from tastemap.data.readers.text import Check, TextFile
from tastemap.errors import ArgumentError

#: Is called with the number of bytes read, and the number of all bytes.
Progress: TypeAlias = Callable[[int, int], None]
#: The columns of a file, and notes on how they were read.
Parsed: TypeAlias = tuple[pl.DataFrame, list[str]]

MIN_INT_32, MAX_INT_32 = -(2**31), 2**31 - 1
# Parts that are scanned at the same time.
N_SCANNERS = 2
# Smaller files are read so soon that no progress is reported.
MIN_PROGRESS_BYTES = 2**26


@dataclass(frozen=True)
class Reading:
    """How a table is read.

    Attributes:
        on_bad_row: What becomes of a row that cannot be read: ``"error"``, which names it, or
            ``"skip"``, which leaves it out and counts it.
        progress: Is called while a large file is read.
        unrated: Ratings that say "not rated"; None to find them.

    Raises:
        ArgumentError: If ``on_bad_row`` is neither.
    """

    on_bad_row: str = "error"
    progress: Progress | None = None
    unrated: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if (how := self.on_bad_row) not in ("error", "skip"):
            raise ArgumentError("on_bad_row", expected="'error' or 'skip'", received=repr(how))

    @property
    def skips(self) -> bool:
        """Whether bad rows are left out."""
        return self.on_bad_row == "skip"


@dataclass(frozen=True)
class Columns:
    """Columns of a text file: how each is parsed, and how its values are checked.

    Attributes:
        types: Name and type of each column that is read; integers may turn out to need 64 bits.
        checks: For a column, the check of each value when a bad line is looked for.
        rating: The column of the ratings, which are finite numbers.
        ids: The columns of ids: text that becomes integers if each is written as one is printed.
    """

    types: Mapping[str, pl.DataType]
    checks: Mapping[str, Check]
    rating: str
    ids: tuple[str, ...] = ()

    @property
    def wide(self) -> dict[str, pl.DataType]:
        """The types with whole numbers of 64 bits."""
        return {name: pl.Int64() if t.is_integer() else t for name, t in self.types.items()}


class _OtherTypesError(Exception):
    """A column has numbers at first and text later."""


@dataclass
class _BadRows:
    """Number of bad rows, and the fault of the first."""

    n: int = 0
    first: str = ""

    @property
    def notes(self) -> list[str]:
        return [f"{self.n:,} bad rows skipped, the first: {self.first}"] if self.n else []


def read_parts(text: TextFile, columns: Columns, reading: Reading) -> Parsed:
    """The columns of the whole file, without blank lines, and a note on rows left out.

    Raises:
        DataError: For the first bad line, unless bad rows are skipped.
    """
    bad = _BadRows()
    try:
        # The threads belong to this call, not to the generator: one that is left at a bad line
        # is closed whenever the collector comes, which would then wait for threads inside a lock.
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(N_SCANNERS) as scanner:
            parts = [
                _parsed(part, frame, columns, reading, bad)
                for part, frame in _scanned_parts(text, columns, reading.progress, reader, scanner)
            ]
    except _OtherTypesError:
        return read_as_text(text, columns, reading)
    return pl.concat(parts, how="vertical_relaxed"), bad.notes


def read_as_text(text: TextFile, columns: Columns, reading: Reading) -> Parsed:
    """As `read_parts`, but every column is text and, to skip rows, every line is checked."""
    bad, parts = _BadRows(), []
    for part in text.parts():
        if reading.skips:
            parts.append(_sound(part, columns, bad))
        else:
            part.locate(columns.checks)
            parts.append(part.strings(list(columns.types)))
    return pl.concat(parts), bad.notes


def _parsed(
    part: TextFile, frame: pl.DataFrame | None, columns: Columns, reading: Reading, bad: _BadRows
) -> pl.DataFrame:
    """The frame scanned from a part, or if it has gaps, the part read line by line."""
    if (
        frame is not None
        and not any(frame[name].null_count() for name in columns.checks)
        and (frame[columns.rating].dtype == pl.String or frame[columns.rating].is_finite().all())
    ):
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


def _scan(part: TextFile, columns: Columns) -> pl.DataFrame | None:
    """The part parsed as the columns' types, narrow or wide, or None if neither fits."""
    for types in (columns.types, columns.wide):
        try:
            return _with_integers(part.scan(types), columns.ids)
        except PolarsError:
            continue
    return None


def _with_integers(frame: pl.DataFrame, ids: tuple[str, ...]) -> pl.DataFrame:
    """The frame with ids as integers, of 32 bits if these hold them, where all are written so."""
    for name in ids:
        whole = as_integers(frame[name])
        if whole is not None:
            frame = frame.with_columns(whole.cast(pl.Int32) if _is_short(whole) else whole)
    return frame


def _is_short(whole: pl.Series) -> bool:
    """Whether 32 bits, which halve the memory, hold all of these."""
    low, high = whole.min(), whole.max()
    return low is None or (int(low) >= MIN_INT_32 and int(high) <= MAX_INT_32)  # type: ignore[arg-type]


def _sound(part: TextFile, columns: Columns, bad: _BadRows) -> pl.DataFrame:
    """The lines of a part that are right, as text; the others are counted in ``bad``."""
    places = [part.layout.columns.index(name) for name in columns.types]
    rows: list[list[str | None]] = []
    for record, error in part.judged(columns.checks):
        if error is None:
            rows.append([record[place] or None for place in places])
            continue
        bad.first = bad.first or str(error).split("; correct")[0]
        bad.n += 1
    return pl.DataFrame(rows, schema=dict.fromkeys(columns.types, pl.String()), orient="row")


def _scanned_parts(
    text: TextFile,
    columns: Columns,
    progress: Progress | None,
    reader: ThreadPoolExecutor,
    scanner: ThreadPoolExecutor,
) -> Iterator[tuple[TextFile, pl.DataFrame | None]]:
    """The parts of a file in order, each scanned; the next ones are read and scanned meanwhile."""
    total, done, parts = text.file.size(), 0, text.parts()
    waiting: deque[tuple[TextFile, Future[pl.DataFrame | None]]] = deque()
    part = reader.submit(next, parts, None).result()
    while part is not None or waiting:
        if part is not None:
            following = reader.submit(next, parts, None)
            waiting.append((part, scanner.submit(_scan, part, columns)))
            part = following.result()
        if part is None or len(waiting) >= N_SCANNERS:
            first, frame = waiting.popleft()
            yield first, frame.result()
            done += first.file.size() or 0
            if progress is not None and total and total >= MIN_PROGRESS_BYTES:
                progress(done, total)
