"""Columns of a table on Spark in standard types: ids, values and times, row by row."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tastemap.data.readers.timestamps import (
    MAX_PLAUSIBLE_SECONDS,
    MIN_DIGITS,
    MIN_LIKELY_SECONDS,
    MIN_PLAUSIBLE_SECONDS,
    UNITS,
    time_form,
)
from tastemap.errors import DataError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, Row

# The latest of dates such as 20240531.
MAX_DAY = 21_001_231


def standard_columns(
    raw: "DataFrame",
    path: str,
    roles: Mapping[str, str],
    on_bad_row: str,
    *,
    value: str,
    factor: "Column | None" = None,
) -> tuple["DataFrame", list[str]]:
    """The columns ``user_id, item_id, value`` and optionally ``timestamp``, in standard types.

    Args:
        raw: The unchanged table.
        path: Where it came from, for messages.
        roles: The column of each role; without one of the values, each is 1.
        on_bad_row: ``"error"``, or ``"skip"`` for rows without an id or a finite number.
        value: The role of the values, ``"rating"`` or ``"weight"``.
        factor: What each value is multiplied by; never null.

    Returns:
        The columns, and notes.

    Raises:
        DataError: If there is no row, or a bad one that is not to be skipped.
    """
    from pyspark.sql import functions as F  # noqa: N812 - as everyone who uses Spark has it

    types = dict(raw.dtypes)
    given = F.col(f"`{roles[value]}`") if value in roles else F.lit(1)
    number = given.try_cast("double")
    number = number if factor is None else number * factor
    columns = {
        "user_id": _id(roles["user"], types),
        "item_id": _id(roles["item"], types),
        "value": F.when(F.abs(number) < F.lit(float("inf")), number),
    }
    if "timestamp" in roles:
        columns["timestamp"] = _time(roles["timestamp"], types)
    frame = raw.select(*(column.alias(name) for name, column in columns.items()))
    lacking = ~F.expr("user_id is not null and item_id is not null and value is not null")
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
        bad = raw.where(~_complete(columns))
        named = {role: roles[role] for role in ("user", "item", value) if role in roles}
        notes = [_bad_rows(bad, path, named, counts.bad, on_bad_row, value)]
        frame = frame.where(~lacking)
    for name in ("user_id", "item_id"):
        if dict(frame.dtypes)[name] == "string" and not counts[name]:
            frame = frame.withColumn(name, F.col(name).cast("long"))
    if "timestamp" in roles:
        frame, time_notes = _times(frame, counts.n - counts.bad, counts)
        notes += time_notes
    return frame.withColumn("value", F.col("value").cast("float")), notes


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
    parts = [columns[name].isNotNull() for name in ("user_id", "item_id", "value")]
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
    bad: "DataFrame", path: str, roles: Mapping[str, str], n: int, on_bad_row: str, value: str
) -> str:
    """A note on bad rows that are left out, or an error that names the first."""
    from pyspark.sql import functions as F  # noqa: N812

    shown = [F.col(f"`{column}`").cast("string").alias(role) for role, column in roles.items()]
    row = bad.select(F.col("_metadata.file_path").alias("file"), *shown).first()
    if row is None:
        raise DataError(path, expected="the same rows when read again", received="others")
    example = ", ".join(f"{role} {row[role]!r}" for role in roles)
    if on_bad_row == "skip":
        return f"{n:,} rows without a user, an item or a number as {value} skipped, e.g. {example}"
    raise DataError(
        row.file.removeprefix("file://"),
        expected=f"a user, an item and a finite number as {value} in each row",
        received=f"{n:,} rows without, e.g. {example}",
        do="correct or remove them, or leave them out: on_bad_row='skip'",
    )
