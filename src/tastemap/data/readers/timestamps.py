"""Times of ratings: whatever they are written as, seconds since 1970.

A column of times has one form, which all of its values decide: `evidence` counts in how many of
them each form could be meant, for a whole column or for parts of it, and `time_form` chooses.
"""

import math
import re
from collections import Counter
from typing import NamedTuple

import polars as pl

from tastemap.data.readers import dates
from tastemap.data.readers.values import bad_value, is_missing, present
from tastemap.errors import ArgumentError, DataError
from tastemap.support.numerals import NUMERAL, number

#: The bound of each unit, its name and its number in a second. Seconds reach 1e11 in the year 5138.
UNITS = (
    (1e11, "seconds", 1),
    (1e14, "milliseconds", 10**3),
    (1e17, "microseconds", 10**6),
    (math.inf, "nanoseconds", 10**9),
)
# The seconds of 1990 and of 2100: a number between them, in some unit, is plausible in that alone.
MIN_PLAUSIBLE_SECONDS, MAX_PLAUSIBLE_SECONDS = 631_152_000, 4_102_444_800
# Smaller times lie before 1974, and are rather positions than times.
MIN_LIKELY_SECONDS = 125_000_000
EARLY = "most times lie before 1974; if these are none, read no times (--timestamp none)"
# Times are numbers of 64 bits.
MAX_TIME = 2.0**63
# Whole numbers in this range may be dates such as 20240531 and 20240531101500.
MIN_DIGITS, MAX_DIGITS = 19_000_101, 21_001_231_235_959
# So large a share of the values has to be readable.
MIN_READABLE = 0.5
# From so large a share on, times of our days tell the unit; the others may be 0 for unknown.
MIN_PLAUSIBLE = 0.1
N_SAMPLED_VALUES = 1000
EXPECTED_TIME = "seconds since 1970 or a date like 2024-05-31 or 2024-05-31T12:00"
# The beginning of a date.
_DATE = re.compile(
    r"[0-9]{1,4}[-./ ][0-9]{1,2}[-./, ]{1,2}[0-9]{1,4}|[0-9]{8}T"
    r"|(?:[A-Za-z]{3,9},? )?(?:[0-9]{1,2}[. -]{1,2}[A-Za-z]{3}|[A-Za-z]{3,9}\.? +[0-9]{1,2})"
)
# Given as the column of the times, this says that there are none to read.
NO_TIMES = "none"


class TimeUnit(NamedTuple):
    """How a column of times is read.

    Attributes:
        per_second: Number of units in a second; 0 for dates; -1 if the size of each number tells
            the unit of that number.
        notes: The note on this inference.
        order: For dates whose year comes last, what comes first: one of `dates.ORDERS`.
        fault: Why the column cannot be read as times; "" if it can.
        is_early: Whether most times lie before 1974, and are rather something else.
    """

    per_second: int
    notes: tuple[str, ...] = ()
    order: str = "day"
    fault: str = ""
    is_early: bool = False


def unit_of(typical: float) -> TimeUnit:
    """The unit in which a number of this size is a time of our days."""
    units = ((unit, n) for limit, unit, n in UNITS if typical < limit)
    unit, per_second = next(units, ("nanoseconds", 10**9))  # of an infinite time
    return TimeUnit(per_second, (f"times read as {unit} since 1970",))


def is_time(text: str) -> bool:
    """Whether a text has the shape of a time, or says that there is none."""
    if (value := number(text)) is not None:
        return abs(value) < MAX_TIME
    return is_missing(text) or _DATE.match(text.strip()) is not None


# ---- evidence ----


def evidence(series: pl.Series) -> Counter[str]:
    """In how many values of a column each form could be meant; sums over parts are of the whole.

    The keys are ``values``, all that are not missing; ``numbers``, and of these the units by size
    (``seconds``), the units in which they lie between 1990 and 2100 (``plausible seconds``), those
    that are ``early``, and ``digits``, dates such as 20240531; and for dates, the keys of
    `dates.evidence`.
    """
    if series.dtype in (pl.Date, pl.Datetime):
        return Counter(dict.fromkeys(("values", "either", "day", "month"), series.count()))
    if series.dtype == pl.String:
        texts, numbers = _numbers_of(series)
        counts = _of_numbers(numbers.drop_nulls())
        counts.update(dates.evidence(texts.filter(numbers.is_null() & texts.is_not_null())))
        counts["values"] = texts.count()
        return counts
    if not series.dtype.is_numeric():
        return Counter(values=series.count())
    numbers = present(series).drop_nulls()
    return _of_numbers(numbers) + Counter(values=len(numbers))


def _numbers_of(series: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Texts without blanks, and those of them that are numbers, null where they are none."""
    texts = present(series)
    plain = texts.set(~texts.str.contains(f"^(?:{NUMERAL.pattern})$"), None)
    return texts, plain.cast(pl.Float64, strict=False)


def _of_numbers(numbers: pl.Series) -> Counter[str]:
    """The evidence of numbers, none missing."""
    counts = Counter(numbers=len(numbers))
    if not len(numbers):
        return counts
    low, high = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]
    lower = 0.0
    for limit, unit, per_second in UNITS:
        ends = (MIN_PLAUSIBLE_SECONDS * per_second, MAX_PLAUSIBLE_SECONDS * per_second)
        for key, (start, end) in {unit: (lower, limit), f"plausible {unit}": ends}.items():
            if start <= low and high < end:
                counts[key] = len(numbers)
            elif low < end and max(high, -low) >= start:
                size = numbers.cast(pl.Float64).abs()
                counts[key] = int(((size >= start) & (size < end)).sum())
        lower = limit
    counts["early"] = int((numbers < MIN_LIKELY_SECONDS).sum())
    if low >= MIN_DIGITS and high <= MAX_DIGITS:
        # Few columns are such dates: most are told by their first values.
        sample = dates.n_compact(_digits(numbers.head(N_SAMPLED_VALUES)))
        if sample == min(len(numbers), N_SAMPLED_VALUES):
            counts["digits"] = dates.n_compact(_digits(numbers))
    return counts


def _digits(numbers: pl.Series) -> pl.Series:
    """Whole numbers as text, null where they are none."""
    whole = numbers.cast(pl.Int64, strict=False)
    return whole.set(whole.cast(pl.Float64) != numbers.cast(pl.Float64), None).cast(pl.String)


def time_form(counts: Counter[str]) -> TimeUnit:
    """How to read a column of times of which this is the `evidence`; `TimeUnit.fault` if not."""
    n, n_numbers = counts["values"], counts["numbers"]
    if not n:
        return TimeUnit(1)
    n_dates = counts["either"]
    if n_numbers and counts["digits"] == n_numbers:
        n_dates += n_numbers
    elif n_numbers and n_dates:
        return TimeUnit(0, fault="dates beside numbers")
    elif n_numbers >= MIN_READABLE * n:
        return _number_form(counts)
    if n_dates < MIN_READABLE * n:
        return TimeUnit(0, fault="values that are no times")
    return _date_form(counts)


def _date_form(counts: Counter[str]) -> TimeUnit:
    day, month = counts["day"], counts["month"]
    order = "month" if month > day else "day"
    if max(day, month) < counts["either"]:
        return TimeUnit(0, fault="dates with the day first beside dates with the month first")
    if day == month and counts["year last"]:
        return TimeUnit(0, fault="dates of which nothing tells the day from the month")
    return _dates_in(order, year_last=counts["year last"] > 0)


def _dates_in(order: str, *, year_last: bool) -> TimeUnit:
    first = f", the {order} first" if year_last else ""
    return TimeUnit(0, (f"times read as dates{first}, in UTC where no zone is given",), order)


def _number_form(counts: Counter[str]) -> TimeUnit:
    """The unit of numbers: that of the size of most, or that of each where they differ."""
    n_numbers = counts["numbers"]
    plausible = {unit: counts[f"plausible {unit}"] for _, unit, _ in UNITS}
    several = [f"{n:,} {unit}" for unit, n in plausible.items() if n]
    if len(several) > 1:
        shown = " and ".join(several)
        if sum(plausible.values()) < n_numbers:
            return TimeUnit(1, fault=f"times of several units, {shown}, and others")
        return TimeUnit(-1, (f"times read as {shown} since 1970, each by its size",))
    below, has_likely = 0, any(n >= MIN_PLAUSIBLE * n_numbers for n in plausible.values())
    for _, unit, per_second in UNITS:
        below += counts[unit]
        is_typical = 2 * below >= n_numbers and not has_likely
        if is_typical or plausible[unit] >= MIN_PLAUSIBLE * n_numbers:
            is_early = 2 * counts["early"] > n_numbers
            return TimeUnit(per_second, (f"times read as {unit} since 1970",), is_early=is_early)
    return unit_of(math.inf)


# ---- seconds ----


def seconds(series: pl.Series, unit: TimeUnit) -> pl.Series:
    """Times as whole seconds since 1970 (UTC), int64; null where a value is missing or no time."""
    if series.dtype in (pl.Date, pl.Datetime):
        return series.dt.epoch("s")
    if not unit.per_second:
        texts = present(series)
        texts = texts if series.dtype == pl.String else _digits(texts)
        return dates.seconds(texts, unit.order)
    numbers = _numbers_of(series)[1] if series.dtype == pl.String else present(series)
    whole = numbers.cast(pl.Int64, strict=False)
    if unit.per_second > 0:
        return whole if unit.per_second == 1 else whole // unit.per_second
    time, choice = pl.col("time"), pl.col("time") // UNITS[-1][2]
    for limit, _, per_second in reversed(UNITS[:-1]):
        choice = pl.when(time.abs() < limit).then(time // per_second).otherwise(choice)
    return whole.to_frame("time").select(choice)["time"]


def read_times(
    name: str, series: pl.Series, unit: TimeUnit, *, named: bool
) -> tuple[pl.Series | None, list[str]]:
    """A column of times as seconds, or None if it cannot be read as times; and notes.

    Args:
        name: What to call the table in messages.
        series: The column.
        unit: How to read it.
        named: Whether the caller has named the column: then a value that is no time is an error.

    Raises:
        DataError: If a value is no time, and the column is named.
    """
    if unit.fault:
        if named:
            raise _refusal(name, series, unit)
        return None, [f"times are left out: column {series.name} holds {_example(series, unit)}"]
    times = seconds(series, unit)
    wrong = times.is_null() & present(series).is_not_null()
    notes = [EARLY] * (unit.is_early and not named) + [*unit.notes]
    if not wrong.any():
        return times, notes
    error = bad_value(name, series, wrong, EXPECTED_TIME)
    if named:
        raise error
    n, value = int(wrong.sum()), series.filter(wrong)[0]
    return times, [*notes, f"{n:,} of {len(series):,} times cannot be read, such as {value!r}"]


def _example(series: pl.Series, unit: TimeUnit) -> str:
    """Why a column cannot be read as times, with a value."""
    if series.dtype != pl.String and not series.dtype.is_numeric():
        return f"values of the type {series.dtype}"
    values = series.filter(present(series).is_not_null())
    return f"{unit.fault}, such as {values[0]}"


def _refusal(name: str, series: pl.Series, unit: TimeUnit) -> DataError:
    return DataError(
        f"{name}, column {series.name}",
        expected="seconds since 1970, or dates",
        received=_example(series, unit),
        do=f"write years first (2024-05-31), or read no times: timestamp={NO_TIMES!r}",
    )


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
