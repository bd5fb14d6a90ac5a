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
from tastemap.errors import ArgumentError, DataError

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
        layout: ``"long"`` if a row is a rating, ``"wide"`` if the table is a matrix; None if its
            content decides.
        unrated: Ratings that say "not rated"; None to find them.
        keeps_seen: Whether a row that is not rated says that the item was seen.
        seen: What else was seen, ``user_id, item_id`` and maybe ``timestamp``; or None.

    Raises:
        ArgumentError: If ``on_bad_row`` or ``layout`` is none of these.
    """

    on_bad_row: str = "error"
    progress: Progress | None = None
    layout: str | None = None
    unrated: tuple[float, ...] | None = None
    keeps_seen: bool = True
    seen: pl.DataFrame | None = None

    def __post_init__(self) -> None:
        if (how := self.on_bad_row) not in ("error", "skip"):
            raise ArgumentError("on_bad_row", expected="'error' or 'skip'", received=repr(how))
        if (layout := self.layout) not in (None, "long", "wide"):
            raise ArgumentError("layout", expected="'long' or 'wide'", received=repr(layout))

    @property
    def skips(self) -> bool:
        """Whether bad rows are left out."""
        return self.on_bad_row == "skip"

    def report(self, done: int, total: int | None) -> None:
        """Report the bytes read of a file, if that is large."""
        if self.progress is not None and total and total >= MIN_PROGRESS_BYTES:
            self.progress(done, total)


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
class BadRows:
    """What is left out of a file.

    Attributes:
        n: Number of bad rows.
        first: The fault of the first of them.
        n_repeated: Number of lines that repeat the header.
    """

    n: int = 0
    first: str = ""
    n_repeated: int = 0

    def add(self, fault: DataError) -> None:
        """Count a bad row."""
        self.first = self.first or str(fault).split("; correct")[0]
        self.n += 1

    @property
    def notes(self) -> list[str]:
        """A sentence for each kind."""
        notes = [f"{self.n:,} bad rows skipped, the first: {self.first}"] if self.n else []
        if self.n_repeated:
            is_single = self.n_repeated == 1
            lines = "1 line that repeats" if is_single else f"{self.n_repeated:,} lines that repeat"
            notes.insert(0, f"{lines} the header skipped")
        return notes


def read_parts(text: TextFile, columns: Columns, reading: Reading) -> Parsed:
    """The columns of the whole file, without blank lines, and a note on rows left out.

    Raises:
        DataError: For the first bad line, unless bad rows are skipped.
    """
    bad = BadRows()
    try:
        # The threads belong to this call, not to the generator: one that is left at a bad line
        # is closed whenever the collector comes, which would then wait for threads inside a lock.
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(N_SCANNERS) as scanner:
            parts = [
                _parsed(part, frame, columns, reading, bad)
                for part, frame in _scanned_parts(text, columns, reading, reader, scanner)
            ]
    except _OtherTypesError:
        return read_as_text(text, columns, reading)
    return pl.concat(parts, how="vertical_relaxed"), bad.notes


def read_as_text(text: TextFile, columns: Columns, reading: Reading) -> Parsed:
    """As `read_parts`, but every column is text and, to skip rows, every line is checked."""
    bad, parts = BadRows(), []
    for part in text.parts():
        bad.n_repeated += part.n_repeated
        if reading.skips:
            parts.append(_sound(part, columns, bad))
        else:
            part.locate(columns.checks)
            parts.append(part.strings(list(columns.types)))
    return pl.concat(parts), bad.notes


def _parsed(
    part: TextFile, frame: pl.DataFrame | None, columns: Columns, reading: Reading, bad: BadRows
) -> pl.DataFrame:
    """The frame scanned from a part, or if it has gaps, the part read line by line."""
    bad.n_repeated += part.n_repeated
    if frame is not None and part.n_repeated:
        rows = frame.filter(~pl.all_horizontal(pl.all().is_null()))
        # Further blank lines may be rows whose fields are all empty.
        frame = rows if len(frame) - len(rows) <= part.n_repeated else frame
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


def _sound(part: TextFile, columns: Columns, bad: BadRows) -> pl.DataFrame:
    """The lines of a part that are right, as text; the others are counted in ``bad``."""
    places = [part.layout.columns.index(name) for name in columns.types]
    rows: list[list[str | None]] = []
    for record, error in part.judged(columns.checks):
        if error is None:
            rows.append([record[place] or None for place in places])
            continue
        bad.add(error)
    return pl.DataFrame(rows, schema=dict.fromkeys(columns.types, pl.String()), orient="row")


def _scanned_parts(
    text: TextFile,
    columns: Columns,
    reading: Reading,
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
            reading.report(done, total)
