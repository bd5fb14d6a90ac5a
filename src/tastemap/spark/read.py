"""Read ratings or interactions with Spark, by the rules of `tastemap.read_ratings`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tastemap.data.nouns import noun_in
from tastemap.data.readers.archive import DataFile
from tastemap.data.readers.columns import DUPLICATES
from tastemap.data.readers.dialect import Dialect, sample, sniff
from tastemap.data.readers.event_weights import lacking_events, weights_of_kinds
from tastemap.data.readers.interaction_roles import find_interaction_columns
from tastemap.data.readers.json_records import is_json
from tastemap.data.readers.roles import ROLES, find_columns
from tastemap.data.readers.unrated import left_out
from tastemap.errors import ArgumentError, DataError, NoRatingsError
from tastemap.spark.columns import standard_columns
from tastemap.support.counts import counted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

HEAD_LINES = 1000
# A column of more different ratings is of a continuous scale, and not judged.
MAX_LEVELS_JUDGED = 10_000
BAD_ROWS = ("error", "skip")
REPEATS = ("sum", "count", "last")
# What says that a table has no ratings.
WEIGHING = ("weight", "event", "event_weights", "repeats")
# A column of more different kinds of events is none.
MAX_KINDS = 1_000
# The first of each is the default.
CHOICES = {"duplicates": DUPLICATES, "on_bad_row": BAD_ROWS, "repeats": REPEATS}


class _Unread(NamedTuple):
    """A table before its columns are told apart, every value as it is written.

    Attributes:
        frame: The unchanged table.
        has_header: Whether its columns are named.
        given: The first values of each column that may be meant.
        notes: How it was read.
    """

    frame: "DataFrame"
    has_header: bool
    given: Mapping[str, list[str]]
    notes: list[str]


class Table(NamedTuple):
    """Ratings or interactions as Spark has read them.

    Attributes:
        frame: Columns ``user_id, item_id`` (long or text), ``value`` (float), and ``timestamp``
            (long, seconds) if no time is missing; each pair of user and item once.
        name: The name of the data.
        notes: Inferences and changes, in sentences.
        persisted: The frame that the executors hold, to be released when the table is indexed.
        noun: What an item is called, or "".
        has_ratings: Whether a value is a rating; otherwise it is the weight of interactions.
    """

    frame: "DataFrame"
    name: str
    notes: tuple[str, ...]
    persisted: "DataFrame"
    noun: str = ""
    has_ratings: bool = True


def read_table(session: "SparkSession", path: str, how: Mapping[str, Any]) -> Table:
    """Ratings, or interactions where there are none, from files that Spark reads.

    Args:
        session: The session.
        path: A file or a folder of files, CSV (or otherwise delimited) or Parquet, or an address
            such as ``s3a://bucket/ratings/``.
        how: ``user, item, rating, timestamp, delimiter, encoding, has_header, duplicates,
            unrated``, as in `tastemap.read_ratings`; ``weight``, ``event``, ``event_weights`` and
            ``repeats``, as in `tastemap.read_interactions`; ``on_bad_row``: ``"error"`` or
            ``"skip"``; ``layout`` is not ``"wide"``.

    Raises:
        DataError: If there is no such file, it is JSON or has lines above its table, or a row has
            no user, item or number; if the columns cannot be told apart; or a weight is below 0.
        ArgumentError: If an argument is none of its values, or is for the other kind of table.
    """
    for name, choices in (
        ("duplicates", DUPLICATES),
        ("on_bad_row", BAD_ROWS),
        ("repeats", REPEATS),
    ):
        value = how.get(name) or choices[0]
        if value not in choices:
            raise ArgumentError(name, expected=f"one of {', '.join(choices)}", received=repr(value))
    if how.get("layout") == "wide":
        expected = "a row for each rating, where Spark reads"
        raise ArgumentError("layout", expected=expected, received="'wide'")
    if "://" not in path and not Path(path).exists():
        raise DataError(f"data {path}", expected="a file or folder", received="no such file")
    unread = _raw(session, path, how)
    weighing = [name for name in WEIGHING if how.get(name) is not None]
    if weighing and how.get("rating"):
        what = f"rating, {', '.join(weighing)}"
        raise ArgumentError(what, expected="one of the two kinds of table", received="both")
    if weighing:
        return _interactions(unread, path, how)
    try:
        return _ratings(unread, path, how)
    except NoRatingsError as error:
        if how.get("rating"):
            raise
        return _interactions(unread, path, {**how, "weight": error.counts})


def _ratings(unread: _Unread, path: str, how: Mapping[str, Any]) -> Table:
    chosen = {role: how.get(role) for role in ROLES}
    given = unread.given
    roles, of_columns = find_columns(path, [*given], chosen, named=unread.has_header, sample=given)
    on_bad_row = how.get("on_bad_row") or BAD_ROWS[0]
    frame, of_rows = standard_columns(unread.frame, path, roles, on_bad_row, value="rating")
    column = None if chosen["rating"] else roles["rating"]
    frame, of_ratings = _rated(frame, path, how.get("unrated"), column)
    once, of_pairs = _once(frame, path, how.get("duplicates") or DUPLICATES[0])
    notes = (*unread.notes, *of_columns, *of_rows, *of_ratings, *of_pairs)
    return Table(once.drop("copies"), Path(path).name, notes, once, noun_in(roles["item"]))


def _interactions(unread: _Unread, path: str, how: Mapping[str, Any]) -> Table:
    from pyspark.sql import functions as F  # noqa: N812

    chosen = {role: how.get(role) for role in ("user", "item", "weight", "event", "timestamp")}
    roles, of_columns = find_interaction_columns(
        path, chosen, unread.given, named=unread.has_header
    )
    on_bad_row = how.get("on_bad_row") or BAD_ROWS[0]
    factor, least, of_events = _weight_of_events(unread.frame, path, roles, how)
    frame, of_rows = standard_columns(
        unread.frame, path, roles, on_bad_row, value="weight", factor=factor
    )
    below, n_none = frame.agg(F.min("value"), F.count_if(F.col("value") == 0)).collect()[0]
    if below is not None and below < 0 <= least:
        expected = "counts of at least 0, where Spark reads"
        raise DataError(f"{path}, column {roles['weight']}", expected=expected, received=below)
    frame = frame.where(F.col("value") != 0)
    once, of_pairs = _summed(frame, how.get("repeats") or REPEATS[0])
    left_out = [f"{counted(n_none, 'row')} of weight 0 left out"] * bool(n_none)
    notes = (*unread.notes, *of_columns, *of_rows, *of_events, *left_out, *of_pairs)
    noun = noun_in(roles["item"])
    return Table(once.drop("copies"), Path(path).name, notes, once, noun, has_ratings=False)


def _weight_of_events(
    raw: "DataFrame", path: str, roles: Mapping[str, str], how: Mapping[str, Any]
) -> tuple["Column | None", float, list[str]]:
    """The weight of each row by its kind of event, the least weight, and a note.

    An event of no kind weighs nothing where kinds have weights.
    """
    from pyspark.sql import functions as F  # noqa: N812

    event_weights = how.get("event_weights")
    if "event" not in roles:
        if event_weights is not None:
            raise lacking_events(raw.columns)
        return None, 0.0, []
    kind = F.col(f"`{roles['event']}`").cast("string")
    kind = F.when(kind != "", kind)
    rows = raw.groupBy(kind.alias("kind")).count().where("kind is not null")
    counts = [(row["kind"], int(row["count"])) for row in rows.limit(MAX_KINDS + 1).collect()]
    if len(counts) > MAX_KINDS:
        expected = f"at most {MAX_KINDS:,} kinds of events"
        what, do = f"{path}, column {roles['event']}", "name another: event=..."
        raise DataError(what, expected=expected, received="more", do=do)
    counts.sort(key=lambda pair: (-pair[1], pair[0]))
    weights, note = weights_of_kinds(counts, event_weights)
    if event_weights is None or not weights:
        return None, 0.0, [note]
    pairs = [F.lit(part) for pair in weights.items() for part in pair]
    weight = F.coalesce(F.create_map(*pairs)[kind], F.lit(0.0))
    return weight, min(weights.values()), [note]


def address(path: str) -> str:
    """A path or address in the form of Spark, which writes ``s3://`` as ``s3a://``.

    Example:
        >>> address("s3:/bucket/ratings"), address("data/ratings.csv")
        ('s3a://bucket/ratings', 'data/ratings.csv')
    """
    url = re.sub(r"^(\w{2,}):/+(?=[^/])", r"\1://", path)
    return re.sub(r"^s3n?://", "s3a://", url)


def _raw(session: "SparkSession", path: str, how: Mapping[str, Any]) -> _Unread:
    """The table before its columns are told apart."""
    if _is_parquet(path):
        raw = session.read.parquet(path)
        rows = [["" if v is None else str(v) for v in row] for row in raw.take(HEAD_LINES)]
        return _Unread(raw, has_header=True, given=_by_column(raw.columns, rows), notes=[])
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
    meant = {*layout.names, *(how.get(role) for role in (*ROLES, "weight", "event"))}
    given = {column: values for column, values in given.items() if column in meant}
    return _Unread(raw, layout.has_header, given, notes)


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

    levels = frame.groupBy("value").count().limit(MAX_LEVELS_JUDGED + 1).collect()
    if len(levels) > MAX_LEVELS_JUDGED:
        return frame, []  # a continuous scale
    pairs = sorted((float(row["value"]), int(row["count"])) for row in levels)
    values, counts = np.array(pairs).T
    marks, notes = left_out(path, values, counts.astype(np.int64), unrated, column)
    if len(marks) == len(values):
        raise DataError(path, expected="ratings", received=f"only {marks}, which say not rated")
    if marks:
        frame = frame.where(~F.col("value").cast("double").isin(marks))
    return frame, notes


def _is_parquet(path: str) -> bool:
    if ".parquet" in path or "://" in path:
        return ".parquet" in path
    return Path(path).is_dir() and any(Path(path).rglob("*.parquet"))


def _once(frame: "DataFrame", path: str, duplicates: str) -> tuple["DataFrame", list[str]]:
    """Each pair of user and item once; the executors hold the table, which is read again."""
    from pyspark.sql import functions as F  # noqa: N812

    timed = "timestamp" in frame.columns
    placed = frame.withColumn("place", F.monotonically_increasing_id())
    order = F.struct("timestamp", "place") if timed else F.col("place")
    first = duplicates == "first"
    best = (F.min_by if first else F.max_by)("value", order)
    rating = F.mean("value").cast("float") if duplicates == "mean" else best
    time = [(F.min if first else F.max)("timestamp").alias("timestamp")] if timed else []
    once = placed.groupBy("user_id", "item_id").agg(
        rating.alias("value"), *time, F.count("*").alias("copies")
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


def _summed(frame: "DataFrame", repeats: str) -> tuple["DataFrame", list[str]]:
    """Each pair of user and item once, as `repeats` says; the executors hold the table."""
    from pyspark.sql import functions as F  # noqa: N812

    timed = "timestamp" in frame.columns
    placed = frame.withColumn("place", F.monotonically_increasing_id())
    order = F.struct("timestamp", "place") if timed else F.col("place")
    of_pair = {"sum": F.sum("value"), "count": F.count("*"), "last": F.max_by("value", order)}
    time = [F.max("timestamp").alias("timestamp")] if timed else []
    value = of_pair[repeats].cast("float").alias("value")
    pairs = placed.groupBy("user_id", "item_id").agg(value, *time, F.count("*").alias("copies"))
    pairs = pairs.persist()
    extra = int(pairs.agg(F.sum("copies") - F.count("*")).collect()[0][0] or 0)
    words = {"sum": "weights added up", "count": "counted", "last": "the last kept"}
    said = f"{counted(extra, 'repeat')} of a pair of user and item: {words[repeats]}"
    return pairs, [said] if extra else []
