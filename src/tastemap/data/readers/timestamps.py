"""Times of ratings: whatever they are written as, seconds since 1970."""

import math
from typing import NamedTuple

import polars as pl
from polars.exceptions import PolarsError

from tastemap.errors import ArgumentError, DataError

# The unit is inferred from so many values of a column.
N_SAMPLED_TIMES = 1000
# The bound of each unit and its number in a second. Seconds reach 1e11 in the year 5138.
_UNITS = (
    (1e11, "seconds", 1),
    (1e14, "milliseconds", 10**3),
    (1e17, "microseconds", 10**6),
    (math.inf, "nanoseconds", 10**9),
)
# Times are numbers of 64 bits.
MAX_TIME = 2.0**63
EXPECTED_TIME = "seconds since 1970 or a date like 2024-05-31 or 2024-05-31T12:00"
ISO_DATE = r"^\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ].*)?$"


class TimeUnit(NamedTuple):
    """How a column of times is read.

    Attributes:
        per_second: Number of units in a second; 0 if the column holds dates.
        notes: The note on this inference.
    """

    per_second: int
    notes: tuple[str, ...] = ()


_DATES = TimeUnit(0, ("times read as dates, in UTC where no zone is given",))


def unit_of(typical: float) -> TimeUnit:
    """The unit in which a number of this size is a time of our days."""
    units = ((unit, n) for limit, unit, n in _UNITS if typical < limit)
    unit, per_second = next(units, ("nanoseconds", 10**9))  # of an infinite time
    return TimeUnit(per_second, (f"times read as {unit} since 1970",))


def time_unit(name: str, series: pl.Series) -> TimeUnit:
    """How to read a column of times, from all of it or from a sample."""
    if series.dtype == pl.String:
        numbers = series.str.strip_chars().cast(pl.Float64, strict=False)
        if numbers.null_count() > series.null_count():
            return _DATES
        series = numbers
    if series.dtype in (pl.Date, pl.Datetime):
        return _DATES
    if series.null_count() == len(series):
        return TimeUnit(1)
    if not series.dtype.is_numeric():
        raise DataError(
            f"{name}, column {series.name}",
            expected="seconds since 1970, or dates",
            received=str(series.dtype),
            do="name the column of the time: timestamp=...",
        )
    if series.dtype.is_float():
        series = series.fill_nan(None)
    sample = series.drop_nulls().gather_every(max(1, len(series) // N_SAMPLED_TIMES))
    return unit_of(float(sample.cast(pl.Float64).abs().median() or 0))  # type: ignore[arg-type]


def seconds(name: str, series: pl.Series, unit: TimeUnit) -> pl.Series:
    """Times as whole seconds since 1970 (UTC)."""
    if not unit.per_second:
        dates = _parsed_dates(name, series) if series.dtype == pl.String else series
        return dates.dt.epoch("s")
    if series.dtype == pl.String:
        numbers = series.str.strip_chars().cast(pl.Float64, strict=False)
        wrong = numbers.is_null() & series.is_not_null()
        if wrong.any():
            raise bad_value(name, series, wrong, EXPECTED_TIME)
        series = numbers
    if series.dtype.is_float():
        series = series.fill_nan(None)
    whole = series.cast(pl.Int64, strict=False)
    beyond = whole.is_null() & series.is_not_null()
    if beyond.any():
        raise bad_value(name, series, beyond, "a time")
    return whole if unit.per_second == 1 else whole // unit.per_second


def _parsed_dates(name: str, series: pl.Series) -> pl.Series:
    # The year must come first: 1/2/2020 may be either of two days.
    dated = series.set(~series.str.contains(ISO_DATE), None)
    try:
        parsed = dated.str.to_datetime(time_zone="UTC", strict=False)
    except PolarsError:  # not even the first is a date
        parsed = pl.Series([None] * len(series), dtype=pl.Datetime("us", "UTC"))
    wrong = parsed.is_null() & series.is_not_null()
    if wrong.any():
        raise bad_value(name, series, wrong, EXPECTED_TIME)
    return parsed


def complete_times(frame: pl.DataFrame, missing_times: str) -> tuple[pl.DataFrame, list[str]]:
    """Times that are known for every rating, or no times.

    Args:
        frame: Columns as `standard_columns` gives them.
        missing_times: What to do if some are missing: ``"drop"`` the column, since an invented
            time looks like a real one, or ``"fill"`` each with its user's median time (with the
            median of all times where the user has none).

    Raises:
        ArgumentError: If ``missing_times`` is none of these.
    """
    if (how := missing_times) not in ("drop", "fill"):
        raise ArgumentError("missing_times", expected="'drop' or 'fill'", received=repr(how))
    if "timestamp" not in frame.columns or not (n := frame["timestamp"].null_count()):
        return frame, []
    counted = f"{n:,} of {len(frame):,} times are missing"
    time = pl.col("timestamp")
    if missing_times == "drop" or n == len(frame):
        note = f"{counted}: times are left out (missing_times='fill' keeps them)"
        return frame.drop("timestamp"), [note]
    filled = pl.coalesce(time, time.median().over("user_id").cast(pl.Int64), time.median())
    note = f"{counted}: filled with the median time of the user"
    return frame.with_columns(filled.cast(pl.Int64).alias("timestamp")), [note]


def bad_value(name: str, series: pl.Series, wrong: pl.Series, expected: str) -> DataError:
    """The error of the first wrong value of a column, with its row from 1."""
    row = wrong.fill_null(value=False).arg_max() or 0
    value = series[row]
    return DataError(
        f"{name}, row {row + 1}, column {series.name}",
        expected=expected,
        received="nothing" if value is None else repr(value),
        do="correct or remove the row",
    )
