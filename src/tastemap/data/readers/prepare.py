"""Prepare a table: a Parquet file, however large, becomes a folder that is mapped into memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import polars as pl

from tastemap.arrays import IndexArray
from tastemap.data.chunks import CHUNK_ROWS
from tastemap.data.feedback import Source
from tastemap.data.memmap import Chunk, Metadata, write_prepared
from tastemap.data.nouns import noun_in
from tastemap.data.ratings import Ratings
from tastemap.data.readers.archive import boundary, first_bytes
from tastemap.data.readers.chunked_text import Progress
from tastemap.data.readers.columns import as_ids, as_ratings
from tastemap.data.readers.roles import find_columns
from tastemap.data.readers.table import N_SAMPLED_ROWS, sample_of
from tastemap.data.readers.timestamps import TimeUnit, evidence, read_times, seconds, time_form
from tastemap.data.readers.unrated import left_out
from tastemap.data.readers.values import bad_value
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import DataError, NoRatingsError, TastemapError
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
    unrated: Sequence[float] | None = None,
    progress: Progress | None = None,
) -> Ratings:
    """Ratings of a Parquet file, however large, as a prepared table that is mapped into memory.

    The file is read chunk by chunk, once for the ids and the scale and once for the rows. Ids and
    numbers are read as `read_ratings` reads them. Columns that describe items are left out.

    Args:
        source: A Parquet file.
        folder: Where the table is written. A prepared table that is there is replaced.
        user, item, rating, timestamp: The columns; by default inferred, as `read_ratings` does.
        unrated: Values that say that there is no rating; by default found, as there.
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
        given = sample_of(lazy.head(N_SAMPLED_ROWS).collect())
        columns = lazy.collect_schema().names()
        roles, notes = _columns_of_ratings(path.name, columns, chosen, given)
        named = {role for role, column in chosen.items() if column is not None}
        lazy = lazy.select(roles.values())
        levels, lazy, of_levels = _rated(path.name, lazy, roles["rating"], unrated, named)
        n = int(lazy.select(pl.len()).collect().item())
        users, items = (  # a missing id is named when the rows are read
            as_ids(_collect(lazy, pl.col(roles[role]).unique().drop_nulls()))
            for role in ("user", "item")
        )
        unit, of_times = _time_unit(path.name, lazy, roles, named)
        if unit is None:
            roles.pop("timestamp", None)
        numbers = levels["number"].cast(pl.Float32)
        metadata = Metadata(
            users=Vocabulary(users[0].drop_nulls().unique().sort(), "user"),
            items=Vocabulary(items[0].drop_nulls().unique().sort(), "item"),
            scale=Scale.infer(numbers.filter(numbers.is_finite()).to_numpy()),
            source=Source(
                path.stem,
                (*notes, *of_levels, *users[1], *items[1], *of_times),
                noun=noun_in(roles["item"]) or noun_in(path.stem),
            ),
        )
        n_bytes = path.stat().st_size

        def report(done: int) -> None:
            if progress is not None:
                progress(n_bytes * done // n, n_bytes)

        frames = lazy.collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True)
        rows = _rows(path.name, frames, roles, levels, unit, metadata, report)
        names = ["user_index", "item_index", "rating"]
        names += ["timestamp"] * ("timestamp" in roles)
        return cast(Ratings, write_prepared(folder, rows, n, metadata, names))


def _columns_of_ratings(
    name: str, columns: list[str], chosen: Mapping[str, str | None], given: dict[str, list[str]]
) -> tuple[dict[str, str], list[str]]:
    """As `find_columns`; models of tables without ratings hold them in memory anyway."""
    try:
        return find_columns(name, columns, chosen, sample=given)
    except NoRatingsError as error:
        raise DataError(
            error.what,
            expected=f"{error.expected}: ratings alone are prepared",
            received=error.received,
            do="give a table without ratings as it is to split, fit, evaluate, compare or run",
        ) from error


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


def _rated(
    name: str, lazy: pl.LazyFrame, column: str, unrated: Sequence[float] | None, named: set[str]
) -> tuple[pl.DataFrame, pl.LazyFrame, list[str]]:
    """The different ratings, the rows that hold one, and notes.

    The ratings are a frame: ``text``, as they are written, ``number``, and how many: ``n``.
    """
    counted = lazy.group_by(pl.col(column).alias("text")).len("n").collect(engine="streaming")
    is_named = "rating" in named
    try:
        numbers, notes = as_ratings(name, counted["text"].rename(column), named=is_named)
    except DataError:
        _name_bad_rating(name, lazy.select(column), named=is_named)
        raise
    counted = counted.with_columns(number=numbers)
    values = counted.drop_nulls("number").group_by("number").agg(pl.col("n").sum()).sort("number")
    n_missing = int(counted["n"].sum()) - int(values["n"].sum())
    if not len(values):
        raise DataError(name, expected="at least one rating", received="none", do="check it")
    ratings, counts = values["number"].to_numpy(), values["n"].to_numpy().astype("int64")
    marks, of_marks = left_out(name, ratings, counts, unrated, None if is_named else column)
    if n_missing:
        notes.append(f"{n_missing:,} rows have no rating and are left out")
    is_rating = pl.col("number").is_not_null() & ~pl.col("number").is_in(marks)
    levels = counted.filter(is_rating)
    if len(levels) < len(counted):
        lazy = lazy.filter(pl.col(column).is_in(levels["text"].implode()))
    return levels, lazy, notes + of_marks


def _name_bad_rating(name: str, lazy: pl.LazyFrame, *, named: bool) -> None:
    """Raise the `DataError` of the first rating that is none, with its row in the file."""
    done = 0
    for frame in lazy.collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True):
        as_ratings(_place(name, done), frame.to_series(), named=named)
        done += len(frame)


def _place(name: str, done: int) -> str:
    """What messages call the rows of a file below so many."""
    return f"{name} from row {done + 1:,} on" if done else name


def _time_unit(
    name: str, lazy: pl.LazyFrame, roles: Mapping[str, str], named: set[str]
) -> tuple[TimeUnit | None, list[str]]:
    """How the times of the whole file are read, or None if they are left out; and notes."""
    if "timestamp" not in roles:
        return None, []
    column, is_named = roles["timestamp"], "timestamp" in named

    def times() -> Iterator[pl.Series]:
        only = lazy.select(column)
        for frame in only.collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True):
            yield frame[column]

    unit = time_form(sum((evidence(series) for series in times()), Counter[str]()))
    n_missing, notes = 0, list(unit.notes)
    for series in times():
        read, of_times = read_times(name, series, unit, named=is_named)
        if read is None:
            return None, of_times
        n_missing += read.null_count()
    if n_missing:
        return None, [f"{n_missing:,} times are missing or cannot be read: times are left out"]
    return unit, notes


def _rows(
    name: str,
    frames: Iterable[pl.DataFrame],
    roles: Mapping[str, str],
    levels: pl.DataFrame,
    unit: TimeUnit | None,
    metadata: Metadata,
    report: Callable[[int], None],
) -> Iterator[Chunk]:
    """The chunks of a file as row numbers, ratings and times."""
    done = 0
    for frame in frames:
        place = _place(name, done)
        rating = frame[roles["rating"]].replace_strict(levels["text"], levels["number"])
        chunk = {
            "user_index": _index(place, frame[roles["user"]], metadata.users),
            "item_index": _index(place, frame[roles["item"]], metadata.items),
            "rating": rating.to_numpy(),
        }
        if unit is not None:
            chunk["timestamp"] = seconds(frame[roles["timestamp"]], unit).to_numpy()
        yield chunk
        done += len(frame)
        report(done)


def _index(place: str, ids: pl.Series, vocabulary: Vocabulary) -> IndexArray:
    """The row numbers of the ids of a chunk, which are read as those of the whole file."""
    texts = ids
    if isinstance(ids.dtype, pl.Categorical | pl.Enum):
        texts = ids.cast(pl.String)
    if texts.dtype == pl.String:
        texts = texts.str.strip_chars()
        texts = texts.set(texts == "", None)
    if texts.null_count():
        raise bad_value(place, ids, texts.is_null(), f"a {vocabulary.kind}")
    return vocabulary.index(texts if vocabulary.is_text else as_ids(texts)[0])
