"""TODO docstring of src/tastemap/data/readers/prepare.py."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from tastemap.data.chunks import PIECE
from tastemap.data.memmap import About, Piece, write_table
from tastemap.data.ratings import Ratings, Source
from tastemap.data.readers.chunked_text import Progress
from tastemap.data.readers.columns import as_ids, as_numbers, find_columns, standard_columns
from tastemap.data.readers.timestamps import TimeUnit, time_unit
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import DataError

# Times that tell the unit of all.
_SAMPLE = 1000


def prepare_ratings(
    source: str | Path,
    folder: str | Path,
    *,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    progress: Progress | None = None,
) -> Ratings:
    """Ratings of a Parquet file, however large, as a table on disk that is mapped into memory.

    The file is read piece by piece, once for the ids and the scale and once for the rows. Ids and
    numbers are taken as `read_ratings` takes them; what the file says about items is left out.

    Args:
        source: A Parquet file.
        folder: Where the table is written; a prepared one that is there is replaced.
        user, item, rating, timestamp: The columns; inferred from common names where not said.
        progress: Is called with the bytes read and all bytes.

    Returns:
        The ratings, their columns in the folder; `read_ratings` of the folder gives the same.

    Raises:
        DataError: If the file cannot be read as ratings, or rates a pair of user and item twice.
        OSError: If the disk is full or not writable; what was there before is intact.

    Example:
        >>> import tempfile
        >>> frame = pl.DataFrame({"userId": [1, 1, 2], "movieId": [7, 8, 7], "rating": [4, 2, 5]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     frame.write_parquet(f"{folder}/ratings.parquet")
        ...     prepare_ratings(f"{folder}/ratings.parquet", f"{folder}/table")
        Ratings(ratings: 3 ratings, 2 users, 2 items, 2 to 5 in steps of 1)
    """
    path = Path(source)
    chosen = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
    try:
        lazy = pl.scan_parquet(path)
        roles, notes = find_columns(path.name, lazy.collect_schema().names(), chosen)
        lazy = lazy.select(roles.values())
        n = int(lazy.select(pl.len()).collect().item())
        users, items, ratings = (
            _distinct(lazy, roles[role]) for role in ("user", "item", "rating")
        )
        unit = None
        if "timestamp" in roles:
            unit = time_unit(path.name, _sample(lazy, roles["timestamp"], n))
            if _has_missing(lazy, roles["timestamp"]):
                notes.append("some times are missing: times are left out")
                roles.pop("timestamp")
            else:
                notes += unit.notes
        about = About(
            users=_vocabulary(users, "user"),
            items=_vocabulary(items, "item"),
            scale=_scale(path.name, ratings),
            source=Source(path.stem, tuple(notes)),
        )
        frames = lazy.collect_batches(chunk_size=PIECE, maintain_order=True)
        told = _by_rows(progress, path.stat().st_size, n)
        rows = _rows(path.name, frames, roles, unit, about, told)
        return write_table(folder, rows, n, about, timed="timestamp" in roles)
    except (PolarsError, FileNotFoundError) as error:
        raise DataError(
            str(path),
            expected="a complete Parquet file",
            received=str(error).splitlines()[0],
            do="name one, or write the table as Parquet first",
        ) from error


def _distinct(lazy: pl.LazyFrame, column: str) -> pl.Series:
    """The different values of a column; a missing one is named when the rows are read."""
    values = lazy.select(pl.col(column).unique().drop_nulls()).collect(engine="streaming")
    return values[column]


def _scale(name: str, ratings: pl.Series) -> Scale:
    numbers = as_numbers(name, ratings).cast(pl.Float32)
    return Scale.infer(numbers.filter(numbers.is_finite()).to_numpy())


def _vocabulary(ids: pl.Series, kind: str) -> Vocabulary:
    return Vocabulary(as_ids(ids).drop_nulls().unique().sort(), kind)


def _sample(lazy: pl.LazyFrame, column: str, n: int) -> pl.Series:
    """Values from all over a column, of which the missing are left out."""
    every = lazy.select(pl.col(column).gather_every(max(1, n // _SAMPLE)).drop_nulls())
    return every.collect(engine="streaming")[column]


def _has_missing(lazy: pl.LazyFrame, column: str) -> bool:
    missing = pl.col(column).is_null()
    if lazy.collect_schema()[column].is_float():
        missing |= pl.col(column).is_nan()
    return bool(lazy.select(missing.any()).collect(engine="streaming").item())


def _rows(
    name: str,
    frames: Iterable[pl.DataFrame],
    roles: Mapping[str, str],
    unit: TimeUnit | None,
    about: About,
    told: Callable[[int], None],
) -> Iterator[Piece]:
    """The pieces of a file as row numbers, ratings and times."""
    done = 0
    for frame in frames:
        place = f"{name} from row {done + 1:,} on" if done else name
        standard, _ = standard_columns(place, frame, roles, unit)
        piece = {
            "user_index": about.users.index(standard["user_id"]),
            "item_index": about.items.index(standard["item_id"]),
            "rating": standard["rating"].to_numpy(),
        }
        if "timestamp" in roles:
            piece["timestamp"] = standard["timestamp"].to_numpy()
        yield piece
        done += len(frame)
        told(done)


def _by_rows(progress: Progress | None, n_bytes: int, n: int) -> Callable[[int], None]:
    """The progress in bytes of a file, told in rows."""
    return lambda done: progress and progress(n_bytes * done // n, n_bytes)
