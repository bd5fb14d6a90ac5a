"""Read ratings with Spark, from CSV or Parquet, by the rules of `tastemap.read_ratings`."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tastemap.data.nouns import noun_in
from tastemap.data.readers.archive import DataFile
from tastemap.data.readers.columns import DUPLICATES
from tastemap.data.readers.dialect import Dialect, sample, sniff
from tastemap.data.readers.json_records import is_json
from tastemap.data.readers.roles import ROLES, find_columns
from tastemap.data.readers.timestamps import (
    MAX_PLAUSIBLE_SECONDS,
    MIN_DIGITS,
    MIN_LIKELY_SECONDS,
    MIN_PLAUSIBLE_SECONDS,
    UNITS,
    time_form,
)
from tastemap.data.readers.unrated import left_out
from tastemap.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, Row, SparkSession

HEAD_LINES = 1000
# A column of more different ratings is of a continuous scale, and not judged.
MAX_LEVELS_JUDGED = 10_000
# The latest of dates such as 20240531.
MAX_DAY = 21_001_231
BAD_ROWS = ("error", "skip")


class Table(NamedTuple):
    """Ratings as Spark has read them.

    Attributes:
        frame: Columns ``user_id, item_id`` (long or text), ``rating`` (float), and ``timestamp``
            (long, seconds) if no time is missing; each pair of user and item once.
        name: The name of the data.
        notes: Inferences and changes, in sentences.
        persisted: The frame that the executors hold, to be released when the table is indexed.
        noun: What an item is called, or "".
    """

    frame: "DataFrame"
    name: str
    notes: tuple[str, ...]
    persisted: "DataFrame"
    noun: str = ""


def read_table(session: "SparkSession", path: str, how: Mapping[str, Any]) -> Table:
    """Ratings from files that Spark reads: a path or an address such as ``s3a://bucket/ratings/``.

    Args:
        session: The session.
        path: A file or a folder of files, CSV (or otherwise delimited) or Parquet.
        how: ``user, item, rating, timestamp, delimiter, encoding, has_header, duplicates,
            unrated``, as in `tastemap.read_ratings`; ``on_bad_row``: ``"error"`` or ``"skip"``;
            ``layout`` is not ``"wide"``.

    Raises:
        DataError: If there is no such file, it is JSON or has lines above its table, or a row has
            no user, item or rating, or the rating is not a finite number; if the columns cannot be
            told apart, or hold counts.
    """
    duplicates, on_bad_row = how.get("duplicates", "last"), how.get("on_bad_row", "error")
    for name, value, choices in (
        ("duplicates", duplicates, DUPLICATES),
        ("on_bad_row", on_bad_row, BAD_ROWS),
    ):
        if value not in choices:
            raise ArgumentError(name, expected=f"one of {', '.join(choices)}", received=repr(value))
    if how.get("layout") == "wide":
        expected = "a row for each rating, where Spark reads"
        raise ArgumentError("layout", expected=expected, received="'wide'")
    if "://" not in path and not Path(path).exists():
        raise DataError(f"data {path}", expected="a file or folder", received="no such file")
    raw, named, given, notes = _raw(session, path, how)
    chosen = {role: how.get(role) for role in ROLES}
    roles, column_notes = find_columns(path, [*given], chosen, named=named, sample=given)
    frame, row_notes = _standard(raw, path, roles, on_bad_row)
    column = None if chosen["rating"] else roles["rating"]
    frame, rating_notes = _rated(frame, path, how.get("unrated"), column)
    once, pair_notes = _once(frame, path, duplicates)
    notes = [*notes, *column_notes, *row_notes, *rating_notes, *pair_notes]
    return Table(once.drop("copies"), Path(path).name, tuple(notes), once, noun_in(roles["item"]))


def address(path: str) -> str:
    """A path or address in the form of Spark, which writes ``s3://`` as ``s3a://``.

    Example:
        >>> address("s3:/bucket/ratings"), address("data/ratings.csv")
        ('s3a://bucket/ratings', 'data/ratings.csv')
    """
    url = re.sub(r"^(\w{2,}):/+(?=[^/])", r"\1://", path)
    return re.sub(r"^s3n?://", "s3a://", url)


def _raw(
    session: "SparkSession", path: str, how: Mapping[str, Any]
) -> tuple["DataFrame", bool, Mapping[str, list[str]], list[str]]:
    """The unchanged table, whether a header names its columns, their values, and notes."""
    if _is_parquet(path):
        raw = session.read.parquet(path)
        rows = [["" if v is None else str(v) for v in row] for row in raw.take(HEAD_LINES)]
        return raw, True, _by_column(raw.columns, rows), []
    head = [row.value for row in session.read.text(path).take(HEAD_LINES)]
    encoding = how.get("encoding") or "utf-8"
    data = "\n".join(head).encode(encoding, "replace")
    dialect = Dialect(how.get("delimiter"), encoding, how.get("has_header"))
    if is_json(data):
        raise _unread(path, "JSON")
    text, notes = sniff(DataFile(path, lambda: data), dialect)
    layout = text.layout
    if layout.n_above or layout.blanks:
        raise _unread(path, "lines above the table, or several blanks as a delimiter")
    raw = session.read.csv(
        path,
        schema=", ".join(f"`{name}` STRING" for name in layout.columns),
        sep=layout.delimiter,
        header=layout.has_header,
        encoding=encoding,
        quote='"' if layout.quoted else "",
    )
    given = _by_column(raw.columns, sample(text))
    meant = {*layout.names, *(how.get(role) for role in ROLES)}
    given = {column: values for column, values in given.items() if column in meant}
    return raw, layout.has_header, given, notes


def _unread(path: str, received: str) -> DataError:
    expected = "Parquet, or lines of columns with a delimiter and nothing above them"
    return DataError(path, expected=expected, received=received, do="write it as Parquet or CSV")


def _by_column(columns: Sequence[str], rows: list[list[str]]) -> dict[str, list[str]]:
    """The values of each column, from rows of which some may be too short."""
    return {
        column: [row[place] if place < len(row) else "" for row in rows]
        for place, column in enumerate(columns)
    }


def _rated(
    frame: "DataFrame", path: str, unrated: Sequence[float] | None, column: str | None
) -> tuple["DataFrame", list[str]]:
    """The rows that hold a rating, by the rules of `unrated.left_out`, and notes."""
    from pyspark.sql import functions as F  # noqa: N812

    levels = frame.groupBy("rating").count().limit(MAX_LEVELS_JUDGED + 1).collect()
    if len(levels) > MAX_LEVELS_JUDGED:
        return frame, []  # a continuous scale
    pairs = sorted((float(row["rating"]), int(row["count"])) for row in levels)
    values, counts = np.array(pairs).T
    marks, notes = left_out(path, values, counts.astype(np.int64), unrated, column)
    if len(marks) == len(values):
        raise DataError(path, expected="ratings", received=f"only {marks}, which say not rated")
    if marks:
        frame = frame.where(~F.col("rating").cast("double").isin(marks))
    return frame, notes


def _is_parquet(path: str) -> bool:
    if ".parquet" in path or "://" in path:
        return ".parquet" in path
    return Path(path).is_dir() and any(Path(path).rglob("*.parquet"))


def _standard(
    raw: "DataFrame", path: str, roles: Mapping[str, str], on_bad_row: str
) -> tuple["DataFrame", list[str]]:
    """The columns ``user_id, item_id, rating`` and optionally ``timestamp``, in standard types."""
    from pyspark.sql import functions as F  # noqa: N812 - as everyone who uses Spark has it

    types = dict(raw.dtypes)
    rating = F.col(roles["rating"]).try_cast("double")
    columns = {
        "user_id": _id(roles["user"], types),
        "item_id": _id(roles["item"], types),
        "rating": F.when(F.abs(rating) < F.lit(float("inf")), rating),
    }
    if "timestamp" in roles:
        columns["timestamp"] = _time(roles["timestamp"], types)
    frame = raw.select(*(column.alias(name) for name, column in columns.items()))
    lacking = ~F.expr("user_id is not null and item_id is not null and rating is not null")
    counts = frame.agg(
        F.count("*").alias("n"),
        F.count_if(lacking).alias("bad"),
        *(
            F.count_if(~lacking & _is_no_number(name)).alias(name)
            for name in ("user_id", "item_id")
        ),
        *(_about_times(~lacking) if "timestamp" in roles else ()),
    ).first()
    if counts is None or counts.n == counts.bad == 0:
        raise DataError(path, expected="at least one row", received="an empty table")
    notes = []
    if counts.bad:
        notes = [_bad_rows(raw.where(~_complete(columns)), path, roles, counts.bad, on_bad_row)]
        frame = frame.where(~lacking)
    for name in ("user_id", "item_id"):
        if dict(frame.dtypes)[name] == "string" and not counts[name]:
            frame = frame.withColumn(name, F.col(name).cast("long"))
    if "timestamp" in roles:
        frame, time_notes = _times(frame, counts.n - counts.bad, counts)
        notes += time_notes
    return frame.withColumn("rating", F.col("rating").cast("float")), notes


def _about_times(sound: "Column") -> Iterator["Column"]:
    """The number of rows with a time, and in how many of them each form could be meant.

    They are named as in `timestamps.evidence`.
    """
    from pyspark.sql import functions as F  # noqa: N812

    time, lower = F.when(sound, F.abs("timestamp")), 0.0
    yield F.count(time).alias("times")
    for limit, unit, per_second in UNITS:
        low, high = MIN_PLAUSIBLE_SECONDS * per_second, MAX_PLAUSIBLE_SECONDS * per_second
        yield F.count_if((time >= lower) & (time < limit)).alias(unit)
        yield F.count_if((time >= low) & (time < high)).alias(f"plausible {unit}")
        lower = limit
    yield F.count_if(time < MIN_LIKELY_SECONDS).alias("early")
    is_date = time.between(MIN_DIGITS, MAX_DAY) & _date("timestamp").isNotNull()
    yield F.count_if(is_date).alias("digits")


def _date(column: str) -> "Column":
    """Seconds since 1970 of a number such as 20240531, null where it is no date."""
    from pyspark.sql import functions as F  # noqa: N812

    text = F.col(column).cast("string")
    return F.unix_timestamp(F.try_to_timestamp(text, F.lit("yyyyMMdd")))


def _complete(columns: Mapping[str, "Column"]) -> "Column":
    parts = [columns[name].isNotNull() for name in ("user_id", "item_id", "rating")]
    return parts[0] & parts[1] & parts[2]


def _id(column: str, types: Mapping[str, str]) -> "Column":
    """Whole numbers as long, all other ids as text; an empty id is missing."""
    from pyspark.sql import functions as F  # noqa: N812

    if types[column] in ("tinyint", "smallint", "int", "bigint"):
        return F.col(f"`{column}`").cast("long")
    text = F.trim(F.col(f"`{column}`").cast("string"))
    if types[column] in ("float", "double"):
        return F.col(f"`{column}`").try_cast("long")
    return F.when(text != "", text)


def _is_no_number(name: str) -> "Column":
    """Whether text is not a whole number in its usual form: "007" stays text, "7" is another id."""
    from pyspark.sql import functions as F  # noqa: N812

    text = F.col(name).cast("string")
    return ~text.eqNullSafe(text.try_cast("long").cast("string"))


def _time(column: str, types: Mapping[str, str]) -> "Column":
    """Numbers as they are, dates as seconds since 1970."""
    from pyspark.sql import functions as F  # noqa: N812

    value = F.col(f"`{column}`")
    if types[column] in ("date", "timestamp", "timestamp_ntz"):
        return F.unix_timestamp(value.cast("timestamp"))
    dated = F.unix_timestamp(value.cast("string").try_cast("timestamp"))
    return F.coalesce(value.try_cast("long"), value.try_cast("double").try_cast("long"), dated)


def _times(frame: "DataFrame", n: int, counts: "Row") -> tuple["DataFrame", list[str]]:
    """Times in seconds, or no times if some are missing."""
    from pyspark.sql import functions as F  # noqa: N812

    if (n_times := counts["times"]) < n:
        return frame.drop("timestamp"), [
            f"{n - n_times:,} of {n:,} times are missing: times are left out"
        ]
    unit = time_form(Counter(counts.asDict() | {"values": n, "numbers": n}))
    if unit.fault:
        return frame.drop("timestamp"), [f"times are left out: the column holds {unit.fault}"]
    time, divisor = F.col("timestamp"), F.lit(max(unit.per_second, 1))
    if unit.per_second < 0:
        for limit, _, per_second in reversed(UNITS):
            divisor = F.when(F.abs(time) < limit, per_second).otherwise(divisor)
    seconds = F.floor(time / divisor) if unit.per_second else _date("timestamp")
    return frame.withColumn("timestamp", seconds.cast("long")), list(unit.notes)


def _bad_rows(
    bad: "DataFrame", path: str, roles: Mapping[str, str], n: int, on_bad_row: str
) -> str:
    """A note on bad rows that are left out, or an error that names the first."""
    from pyspark.sql import functions as F  # noqa: N812

    shown = [F.col(f"`{roles[role]}`").cast("string").alias(role) for role in ROLES[:3]]
    row = bad.select(F.col("_metadata.file_path").alias("file"), *shown).first()
    if row is None:
        raise DataError(path, expected="the same rows when read again", received="others")
    example = ", ".join(f"{role} {row[role]!r}" for role in ROLES[:3])
    if on_bad_row == "skip":
        return f"{n:,} rows without a user, an item or a number as rating skipped, e.g. {example}"
    raise DataError(
        row.file.removeprefix("file://"),
        expected="a user, an item and a finite number as rating in each row",
        received=f"{n:,} rows without, e.g. {example}",
        do="correct or remove them, or leave them out: on_bad_row='skip'",
    )


def _once(frame: "DataFrame", path: str, duplicates: str) -> tuple["DataFrame", list[str]]:
    """Each pair of user and item once; the executors hold the table, which is read again."""
    from pyspark.sql import functions as F  # noqa: N812

    timed = "timestamp" in frame.columns
    placed = frame.withColumn("place", F.monotonically_increasing_id())
    order = F.struct("timestamp", "place") if timed else F.col("place")
    first = duplicates == "first"
    best = (F.min_by if first else F.max_by)("rating", order)
    rating = F.mean("rating").cast("float") if duplicates == "mean" else best
    time = [(F.min if first else F.max)("timestamp").alias("timestamp")] if timed else []
    once = placed.groupBy("user_id", "item_id").agg(
        rating.alias("rating"), *time, F.count("*").alias("copies")
    )
    once = once.persist()
    extra = int(once.agg(F.sum("copies") - F.count("*")).collect()[0][0])
    if extra and duplicates == "error":
        raise DataError(
            path,
            expected="each pair of user and item once",
            received=f"{extra:,} ratings of a pair already rated",
            do="say which to keep: duplicates='last', 'first' or 'mean'",
        )
    note = f"{extra:,} ratings of a pair of user and item already rated: {duplicates} kept"
    return once, [note] if extra else []
