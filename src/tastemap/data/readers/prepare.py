"""Prepare a table: a Parquet file, however large, becomes a folder that is mapped into memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl

from tastemap.data.chunks import CHUNK_ROWS
from tastemap.data.memmap import Chunk, Metadata, write_prepared
from tastemap.data.ratings import Ratings, Source
from tastemap.data.readers.archive import boundary, first_bytes
from tastemap.data.readers.chunked_text import Progress
from tastemap.data.readers.columns import as_ids, as_numbers, find_columns, standard_columns
from tastemap.data.readers.timestamps import N_SAMPLED_TIMES, TimeUnit, time_unit
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import DataError, TastemapError
from tastemap.support.addresses import refuse_address
from tastemap.support.boundary import refusing


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
    """Ratings of a Parquet file, however large, as a prepared table that is mapped into memory.

    The file is read chunk by chunk, once for the ids and the scale and once for the rows. Ids and
    numbers are read as `read_ratings` reads them. Columns that describe items are left out.

    Args:
        source: A Parquet file.
        folder: Where the table is written. A prepared table that is there is replaced.
        user, item, rating, timestamp: The columns; by default inferred from common names.
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
    refuse_address(source)
    path = Path(source)
    is_there = _is_there(path)
    chosen = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}

    def refusal(reason: str) -> DataError:
        do = "name one, or write the table as Parquet first"
        return DataError(str(path), expected="a complete Parquet file", received=reason, do=do)

    # Where there is a file, an OSError is one of the disk that is written to.
    with refusing(refusal, TastemapError, *((OSError,) if is_there else ())):
        lazy = pl.scan_parquet(path)
        roles, notes = find_columns(path.name, lazy.collect_schema().names(), chosen)
        lazy = lazy.select(roles.values())
        n = int(lazy.select(pl.len()).collect().item())
        users, items, levels = (  # a missing value is named when the rows are read
            _collect(lazy, pl.col(roles[role]).unique().drop_nulls())
            for role in ("user", "item", "rating")
        )
        unit = None
        if "timestamp" in roles:
            times = pl.col(roles["timestamp"])
            every = max(1, n // N_SAMPLED_TIMES)
            unit = time_unit(path.name, _collect(lazy, times.gather_every(every).drop_nulls()))
            is_float = lazy.collect_schema()[roles["timestamp"]].is_float()
            missing = times.is_null() | times.is_nan() if is_float else times.is_null()
            if _collect(lazy, missing.any()).item():
                notes.append("some times are missing: times are left out")
                roles.pop("timestamp")
            else:
                notes += unit.notes
        numbers = as_numbers(path.name, levels).cast(pl.Float32)
        metadata = Metadata(
            users=Vocabulary(as_ids(users).drop_nulls().unique().sort(), "user"),
            items=Vocabulary(as_ids(items).drop_nulls().unique().sort(), "item"),
            scale=Scale.infer(numbers.filter(numbers.is_finite()).to_numpy()),
            source=Source(path.stem, tuple(notes)),
        )
        n_bytes = path.stat().st_size

        def report(done: int) -> None:
            if progress is not None:
                progress(n_bytes * done // n, n_bytes)

        frames = lazy.collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True)
        rows = _rows(path.name, frames, roles, unit, metadata, report)
        return write_prepared(folder, rows, n, metadata, timed="timestamp" in roles)


def _is_there(path: Path) -> bool:
    """Whether there is a file or folder; a file that cannot be read, or a pipe, is refused."""
    with boundary(str(path)):
        if not path.exists():
            return False
        if not path.is_dir():
            first_bytes(path)
    return True


def _collect(lazy: pl.LazyFrame, values: pl.Expr) -> pl.Series:
    return lazy.select(values).collect(engine="streaming").to_series()


def _rows(
    name: str,
    frames: Iterable[pl.DataFrame],
    roles: Mapping[str, str],
    unit: TimeUnit | None,
    metadata: Metadata,
    report: Callable[[int], None],
) -> Iterator[Chunk]:
    """The chunks of a file as row numbers, ratings and times."""
    done = 0
    for frame in frames:
        place = f"{name} from row {done + 1:,} on" if done else name
        standard, _ = standard_columns(place, frame, roles, unit)
        chunk = {
            "user_index": metadata.users.index(standard["user_id"]),
            "item_index": metadata.items.index(standard["item_id"]),
            "rating": standard["rating"].to_numpy(),
        }
        if "timestamp" in roles:
            chunk["timestamp"] = standard["timestamp"].to_numpy()
        yield chunk
        done += len(frame)
        report(done)
