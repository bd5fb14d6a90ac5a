"""Dates that are text, in the forms of many tables, as seconds since 1970 (UTC).

A year of four digits tells one end of a date. Where the year comes last, ``31/05/2024`` and
``05/31/2024`` are told apart by a number above 12 anywhere in the column; ``31.05.2024`` has the
day first everywhere.
"""

from collections import Counter
from typing import TypeAlias

import numpy as np
import polars as pl

from tastemap.arrays import I64, Mask

#: Named parts of dates, each a column of text, null where a date lacks the part.
_Parts: TypeAlias = pl.DataFrame

#: What comes first where the year comes last.
ORDERS = ("day", "month")
MIN_YEAR, MAX_YEAR = 1900, 2100
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = (
    r"(?:[T ,]+(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]*)?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?)? ?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?(?:[0-9]{2})?)?$"
)
_NAME, _WEEKDAY = r"(?P<name>[A-Za-z]{3,9})\.?", r"^(?:[A-Za-z]{3,9},? )?"
# The day and the month are a and b, in the order of the column, where the year comes last.
_LAYOUTS = (
    r"^(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})" + _CLOCK,
    r"^(?P<a>[0-9]{1,2})(?P<mark>[-/.])(?P<b>[0-9]{1,2})[-/.](?P<year>[0-9]{4})" + _CLOCK,
    r"^(?P<month>[0-9]{1,2}) (?P<day>[0-9]{1,2}), ?(?P<year>[0-9]{4})" + _CLOCK,
    _WEEKDAY + r"(?P<day>[0-9]{1,2})[. -]{1,2}" + _NAME + r",?[ -](?P<year>[0-9]{4})" + _CLOCK,
    _WEEKDAY + _NAME + r" (?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,? (?P<year>[0-9]{4})" + _CLOCK,
    r"^[A-Za-z]{3} " + _NAME + r" +(?P<day>[0-9]{1,2}) (?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):"
    r"(?P<second>[0-9]{2}) (?:(?P<zone>[+-][0-9]{4}|UTC|GMT) )?(?P<year>[0-9]{4})$",
)
_COMPACT = (
    r"^(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    r"(?:T?(?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})(?::?(?P<second>[0-9]{2})(?:\.[0-9]*)?)?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:?(?:[0-9]{2})?)?$"
)


def evidence(texts: pl.Series) -> Counter[str]:
    """How many of these texts are dates.

    ``compact`` counts dates such as 20240531T1015; ``day`` and ``month`` the dates that can be read
    with the one or the other first where the year comes last; ``either`` those that can be read at
    all, and ``year last`` those of which the order matters.
    """
    counts = Counter(compact=n_compact(texts))
    is_day = _seconds(texts, (*_LAYOUTS, _COMPACT), "day")[1]
    # The order matters to the dates with the year last alone.
    is_year_last = texts.str.contains(r"^[0-9]{1,2}[-/.][0-9]{1,2}[-/.]").fill_null(value=False)
    places = np.flatnonzero(is_year_last.to_numpy())
    is_month = is_day.copy()
    is_month[places] = _seconds(texts.gather(places), _LAYOUTS, "month")[1]
    counts += Counter(day=int(is_day.sum()), month=int(is_month.sum()))
    counts["either"] = int((is_day | is_month).sum())
    counts["year last"] = len(places)
    return counts


def n_compact(texts: pl.Series) -> int:
    """How many of these texts are dates such as 20240531T1015.

    Example:
        >>> n_compact(pl.Series(["20240531", "20240532", "1700000000", None]))
        1
    """
    begins = texts.filter(texts.str.contains("^[0-9]{8}").fill_null(value=False))
    return int(_seconds(begins, (_COMPACT,), "day")[1].sum())


def seconds(texts: pl.Series, order: str) -> pl.Series:
    """Dates as seconds since 1970, int64, null where a text is none.

    Example:
        >>> seconds(pl.Series(["31/05/2024 10:15", "1 June 2024", "31.05.24"]), "day").to_list()
        [1717150500, 1717200000, None]
    """
    values, is_date = _seconds(texts, (*_LAYOUTS, _COMPACT), order)
    return pl.Series(texts.name, values).set(pl.Series(~is_date), None)


def _seconds(texts: pl.Series, layouts: tuple[str, ...], order: str) -> tuple[I64, Mask]:
    """Seconds since 1970 of dates in any of the layouts, and which texts are such dates."""
    values = np.zeros(len(texts), dtype=np.int64)
    is_date = np.zeros(len(texts), dtype=np.bool_)
    for layout in layouts:
        rest = np.flatnonzero(~is_date)
        if not len(rest):
            break
        parts = texts.gather(rest).str.extract_groups(layout).struct.unnest()
        some, fits = _moments(parts, order)
        values[rest[fits]], is_date[rest[fits]] = some[fits], True
    return values, is_date


def _moments(parts: _Parts, order: str) -> tuple[I64, Mask]:
    """Seconds since 1970 of dates in parts, and which of them are in the calendar."""
    if "a" in parts.columns:
        first, second = ORDERS if order == "day" else ORDERS[::-1]
        parts = parts.rename({"a": first, "b": second})
    year, month, day = _numbers(parts, "year"), _months(parts), _numbers(parts, "day")
    fits = (year >= MIN_YEAR) & (year <= MAX_YEAR) & (month >= 1) & (month <= 12) & (day >= 1)
    if "mark" in parts.columns and order == "month":
        fits &= (parts["mark"] != ".").fill_null(value=False).to_numpy()
    months = np.where(fits, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(fits, day - 1, 0).astype(np.int64)
    fits &= days.astype("datetime64[M]") == months
    clock, is_clock = _clock(parts)
    values = days.astype(np.int64) * 86_400 + clock
    return values, fits & is_clock


def _numbers(parts: _Parts, name: str) -> I64:
    """A part as numbers (n,); 0 where a date lacks it."""
    if name not in parts.columns:
        return np.zeros(len(parts), dtype=np.int64)
    return parts[name].cast(pl.Int64, strict=False).fill_null(0).to_numpy()


def _months(parts: _Parts) -> I64:
    if "name" not in parts.columns:
        return _numbers(parts, "month")
    names = parts["name"].str.to_lowercase().str.slice(0, 3)
    places = {name: place for place, name in enumerate(MONTHS, start=1)}
    return names.replace_strict(places, default=0, return_dtype=pl.Int64).fill_null(0).to_numpy()


def _clock(parts: _Parts) -> tuple[I64, Mask]:
    """Seconds since midnight in UTC, and whether there is such a time of day."""
    hour, minute, second = (_numbers(parts, name) for name in ("hour", "minute", "second"))
    fits = (hour < 24) & (minute < 60) & (second <= 60)
    if "half" in parts.columns:
        half = parts["half"].str.to_lowercase()
        is_half, is_late = half.is_not_null().to_numpy(), half.eq_missing("p").to_numpy()
        fits &= ~is_half | ((hour >= 1) & (hour <= 12))
        hour = np.where(is_half, hour % 12 + np.where(is_late, 12, 0), hour)
    if "zone" in parts.columns:
        digits = parts["zone"].str.replace_all("[^0-9]", "").fill_null("").str.pad_end(4, "0")
        east = digits.cast(pl.Int64, strict=False).fill_null(0).to_numpy()
        is_west = parts["zone"].str.starts_with("-").fill_null(value=False).to_numpy()
        minute = minute - np.where(is_west, -1, 1) * (east // 100 * 60 + east % 100)
    return hour * 3600 + minute * 60 + second, fits
