"""Read ratings from a file of any common format, a folder, or a data frame."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from tastemap.data.interactions import Interactions
from tastemap.data.memmap import is_prepared
from tastemap.data.nouns import with_noun
from tastemap.data.ratings import Ratings
from tastemap.data.readers.archive import ZIP, DataFile, boundary, first_bytes, open_files
from tastemap.data.readers.chunked_text import Progress, Reading
from tastemap.data.readers.dialect import Dialect
from tastemap.data.readers.frames import NAME, as_polars
from tastemap.data.readers.interactions import read_seen
from tastemap.data.readers.members import member, table_in
from tastemap.data.readers.movielens import holds_release, read_movielens
from tastemap.data.readers.prepared import prepared_ratings
from tastemap.data.readers.side_tables import with_tables
from tastemap.data.readers.table import read_file, read_frame
from tastemap.support.addresses import refuse_address


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
    layout: str | None = None,
    duplicates: str = "last",
    missing_times: str = "drop",
    on_bad_row: str = "error",
    unrated: Sequence[float] | None = None,
    items: Any = None,
    users: Any = None,
    noun: str | None = None,
    seen: Any = None,
    progress: Progress | None = None,
) -> Ratings:
    """Ratings from a file, a folder or a data frame.

    What is not given is inferred; each inference is noted in ``source.notes`` of the result. The
    rows keep their order.

    Args:
        source: A path, or a frame. A file is CSV, TSV, ``::`` or otherwise delimited text, JSON
            (an object a line, or an array of objects), Parquet, Arrow IPC (Feather) or RecBole's
            ``.inter``, recognised by its content, and may be compressed with gzip. A folder or zip
            holds one table, or is one of MovieLens' releases, for which only the last five
            arguments count, or a prepared table (`prepare_ratings`); a path may lead into a zip:
            ``data.zip/ratings.csv``. A frame is one of Polars or pandas, an Arrow table, or
            anything else that exports Arrow data or the data frame interchange protocol.
        user, item, rating, timestamp: The columns. By default inferred from common names
            (``userId``, ``movie``, ``stars``, ``date`` ...); without a header, the first four
            columns, which are called ``column_1`` to ``column_4``, if they look like it. What names
            do not tell, what is in the columns does; what is not clear is an error that shows the
            call. ``timestamp="none"`` reads no times.
        delimiter, encoding, has_header: How text is written.
        layout: ``"long"`` if each row is a rating; ``"wide"`` if the table is a matrix, a row a
            user and each further column an item (or the other way round, if ``item`` names the
            column that comes first). By default what is clear from the first rows.
        duplicates: What becomes of several ratings of an item by one user: ``"last"`` (by time,
            else by position), ``"first"``, their ``"mean"``, or an ``"error"``.
        missing_times: If only some times are known, ``"drop"`` the column, or ``"fill"`` the
            others with the median time of the user.
        on_bad_row: What becomes of a row that cannot be read: an ``"error"`` that names it, or
            ``"skip"`` it; a note then has their number and the fault of the first.
        unrated: Values in the column of the ratings that say "not rated"; ``()`` for none. By
            default those that cannot be ratings, with a note: -1, or 0 for most rows of a scale
            from 1 on. Like rows without a value, they are kept in ``seen`` of the result; in a
            matrix, or where nearly each pair has a row, they are left out.
        items, users: Tables that describe the items and the users: a path or a frame each. One
            column holds the ids of the ratings, told by its values; ``title``, ``genres`` and
            ``year`` are known by their names, and columns of numbers become numbers.
        noun: What an item is called in pages, figures and reports, ``"book"``; by default what the
            name of a column or of the file says.
        seen: What was seen without a rating of it, a watch history say: a path or anything else
            that `read_interactions` takes. It joins what the table itself says of that. ``"none"``
            keeps nothing of the kind.
        progress: Is called with the bytes read and all bytes, while a large text file is read.

    Raises:
        DataError: If the file or frame cannot be read as ratings (file, line or row, and column
            are named), or needs more memory than is free; if a table describes none of them.
        ArgumentError: If an argument is none of its values.

    Example:
        >>> import polars as pl
        >>> frame = pl.DataFrame({"reader": ["ann", "bo"], "book": [3, 3], "stars": [4.5, 2.0]})
        >>> ratings = read_ratings(frame, user="reader")
        >>> ratings.source.notes
        ('column book read as item', 'column stars read as rating')
    """
    chosen = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
    options = {"duplicates": duplicates, "missing_times": missing_times}
    marks = None if unrated is None else tuple(map(float, unrated))
    reading = Reading(on_bad_row, progress, layout, marks, str(seen) != "none", _pairs_of(seen))
    if isinstance(source, str | Path):
        dialect = Dialect(delimiter, encoding, has_header)
        ratings = _read_path(source, chosen, reading, dialect, options)
    else:
        frame, notes = as_polars(source, chosen)
        table = read_frame(NAME, frame, chosen, reading, notes)
        ratings = table.to_ratings("ratings", **options)
    if not items is users is None:
        ratings = with_tables(ratings, items, users)
    return ratings if noun is None else with_noun(ratings, noun)


def _pairs_of(seen: Any) -> pl.DataFrame | None:
    """The pairs, and the times where they are known, of a table of what was seen."""
    if seen is None or str(seen) == "none":
        return None
    frame = read_seen(seen).to_frame()
    return frame.select("user_id", "item_id", cs.by_name("timestamp", require_all=False))


def _read_path(
    source: str | Path,
    chosen: dict[str, str | None],
    reading: Reading,
    dialect: Dialect,
    options: dict[str, str],
) -> Ratings:
    """Ratings from a file or a folder."""
    refuse_address(source)
    with boundary(str(source)):
        path = Path(source).expanduser()
        if is_prepared(path):
            ratings, seen = prepared_ratings(path), reading.seen
            return ratings if seen is None else ratings.with_seen(Interactions.from_frame(seen))
        notes: list[str] = []
        file = member(path)
        # A zip is known by its first bytes, complete or not.
        if file is None and (path.is_dir() or first_bytes(path) == ZIP):
            files = open_files(path)
            if holds_release(files):
                return read_movielens(path, **options, reading=reading)
            file, notes = table_in(path, files, chosen, dialect)
        table = read_file(file or DataFile.of(path), chosen, reading, dialect)
        table = replace(table, notes=(*notes, *table.notes))
        return table.to_ratings(path.name or path.resolve().name, **options)
