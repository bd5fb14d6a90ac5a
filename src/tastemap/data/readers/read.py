"""Read ratings from a file of any common format, a folder, or a data frame."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from tastemap.data.memmap import is_prepared, read_prepared
from tastemap.data.ratings import Ratings
from tastemap.data.readers.archive import DataFile, boundary, first_bytes
from tastemap.data.readers.chunked_text import Progress, Reading
from tastemap.data.readers.dialect import Dialect
from tastemap.data.readers.movielens import read_movielens
from tastemap.data.readers.table import read_file, read_frame
from tastemap.errors import ArgumentError, DataError, MissingPackageError


def read_ratings(
    source: Any,
    *,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    has_header: bool | None = None,
    duplicates: str = "last",
    missing_times: str = "drop",
    on_bad_row: str = "error",
    unrated: Sequence[float] | None = None,
    progress: Progress | None = None,
) -> Ratings:
    """Ratings from a file, a folder or a data frame.

    What is not given is inferred; each inference is noted in ``source.notes`` of the result. The
    rows keep their order.

    Args:
        source: A path, or a frame. A file is CSV, TSV, ``::`` or otherwise delimited text (also
            compressed with gzip), Parquet, Arrow IPC (Feather) or RecBole's ``.inter``, recognised
            by its content. A folder or zip is one of MovieLens' releases, for which only the last
            five arguments count, or a prepared table (`prepare_ratings`). A frame is one of Polars
            or pandas, an Arrow table, or anything else that exports Arrow data or the data frame
            interchange protocol.
        user, item, rating, timestamp: The columns. By default inferred from common names
            (``userId``, ``movie``, ``stars``, ``date`` ...); without a header, the first four
            columns, which are called ``column_1`` to ``column_4``, if they look like it. What names
            do not tell, what is in the columns does; what is not clear is an error that shows the
            call. ``timestamp="none"`` reads no times.
        delimiter, encoding, has_header: The layout of text.
        duplicates: What becomes of several ratings of an item by one user: ``"last"`` (by time,
            else by position), ``"first"``, their ``"mean"``, or an ``"error"``.
        missing_times: If only some times are known, ``"drop"`` the column, or ``"fill"`` the
            others with the median time of the user.
        on_bad_row: What becomes of a row that cannot be read: an ``"error"`` that names it, or
            ``"skip"`` it; a note then has their number and the fault of the first.
        unrated: Values in the column of the ratings that say "not rated", and are left out; ``()``
            for none. By default those that cannot be ratings, with a note: -1, or 0 for most rows
            of a scale from 1 on.
        progress: Is called with the bytes read and all bytes, while a large text file is read.

    Raises:
        DataError: If the file or frame cannot be read as ratings (file, line or row, and column
            are named), or needs more memory than is free.
        ArgumentError: If an argument is none of its values.

    Example:
        >>> frame = pl.DataFrame({"reader": ["ann", "bo"], "book": [3, 3], "stars": [4.5, 2.0]})
        >>> ratings = read_ratings(frame, user="reader")
        >>> ratings.source.notes
        ('column book read as item', 'column stars read as rating')
    """
    chosen = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
    options = {"duplicates": duplicates, "missing_times": missing_times}
    marks = None if unrated is None else tuple(map(float, unrated))
    reading = Reading(on_bad_row, progress, marks)
    if not isinstance(source, str | Path):
        table = read_frame("the frame", _to_polars(source), chosen, reading)
        return table.to_ratings("ratings", **options)
    with boundary(str(source)):
        path = Path(source).expanduser()
        if is_prepared(path):
            return read_prepared(path)
        # A zip is known by its first bytes, complete or not.
        if path.is_dir() or first_bytes(path) == b"PK\x03\x04":
            return read_movielens(path, **options, reading=reading)
        dialect = Dialect(delimiter, encoding, has_header)
        table = read_file(DataFile.of(path), chosen, reading, dialect)
        return table.to_ratings(path.name, **options)


def _to_polars(source: Any) -> pl.DataFrame:
    """Any data frame as one of Polars."""
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    try:
        if hasattr(source, "__arrow_c_stream__"):
            return pl.DataFrame(source)
        if hasattr(source, "__dataframe__"):
            return _interchanged(source)
    except (PolarsError, TypeError, ValueError) as error:
        raise DataError(
            "the frame",
            expected="columns of numbers and text",
            received=str(error).splitlines()[0],
            do="convert it to a Polars or pandas frame of plain columns",
        ) from error
    raise ArgumentError(
        "source",
        expected="a path or a data frame (Polars, pandas, Arrow)",
        received=type(source).__name__,
        do="give a path, or make a frame of it: polars.DataFrame(...)",
    )


def _interchanged(source: Any) -> pl.DataFrame:
    """A frame by the older interchange protocol, which pyarrow still supports."""
    try:
        from pyarrow.interchange import from_dataframe
    except ImportError as error:
        raise MissingPackageError(
            "a frame that speaks the interchange protocol alone",
            expected="the package pyarrow",
            received="none",
            do="pip install pyarrow, or convert the frame to Polars",
        ) from error
    return pl.DataFrame(from_dataframe(source))
