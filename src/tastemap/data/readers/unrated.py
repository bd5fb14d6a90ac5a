"""Values in a column of ratings that are no ratings: marks for "not rated", and counts.

A mark such as -1, 0 or 99 stands for an item that somebody has without a rating of it. Taken as
a rating it moves every average. It is left out where it cannot be a rating, and asked for where it
may be one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from tastemap.arrays import F64, I64
from tastemap.data.readers.roles import first_named
from tastemap.errors import DataError, NoRatingsError

# What tables write for "not rated", beside 0: no scale ends there.
MARKS = (-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 99999.0)
# A mark lies so many widths of the scale of the others away from them.
MIN_GAP = 3.0
# A 0 below a scale from 1 on is a mark if it is so large a share of all, and so many times as
# frequent as the value above it: a scale of ratings has no such jump.
MIN_SHARE, MIN_JUMP = 0.2, 5.0
# Of a few ratings the share has to be larger.
MIN_RATINGS, MIN_SHARE_OF_FEW = 20, 0.4
# From so large a share on, it is asked for.
MIN_DOUBTFUL_SHARE = 0.05
# More ratings than these are none of a scale, but numbers of times.
MAX_RATING_OF_SCALE = 100.0
# The largest of numbers of times is so many times their median.
MIN_TAIL = 10.0
# Where none is that large, so many different ones lie above any usual scale.
MIN_LARGE, MAX_LEVELS = 3, 21
# So many values far from all others may be marks, if the others are more.
MAX_FAR_VALUES = 2
# Among fewer ratings a share tells nothing.
MIN_ROWS = 5
# Names of columns that hold ratings, even if their values look like counts.
RATING_NAMES = "rating ratings userrating movierating score scores stars star grade grades"


class Verdict(NamedTuple):
    """What is to be thought of the values of a column of ratings.

    Attributes:
        marks: Values that say "not rated".
        doubt: A question about a value that may say so, or "".
        is_counts: Whether these are numbers of times, or amounts, and no ratings.
    """

    marks: tuple[float, ...] = ()
    doubt: str = ""
    is_counts: bool = False


def judged(values: F64, counts: I64) -> Verdict:
    """Which of the different values of a column are no ratings.

    Args:
        values: (n,), ascending, at least one.
        counts: (n,), how often each occurs.

    Example:
        >>> judged(np.array([0.0, 1, 2, 3, 4, 5]), np.array([60, 1, 2, 9, 20, 8])).marks
        (0.0,)
        >>> judged(np.array([1.0, 2, 352_698]), np.array([9, 5, 1])).is_counts
        True
    """
    marks: list[float] = []
    while len(values) > 1 and (mark := _mark(values, counts)) is not None:
        marks.append(mark)
        values, counts = values[values != mark], counts[values != mark]
    if _are_counts(values, counts):
        return Verdict(tuple(marks), is_counts=True)
    return Verdict(tuple(marks), "" if marks else _doubt(values, counts))


def _mark(values: F64, counts: I64) -> float | None:
    """The value at an end that cannot be a rating beside the others."""
    lowest, rest = values[0], values[1:]
    usual = values[~np.isin(values, MARKS)]
    if len(usual) and usual[-1] <= MAX_RATING_OF_SCALE:
        min_gap = MIN_GAP * max(usual[-1] - usual[0], 1.0)
        for end in (lowest, values[-1]):
            gap = max(usual[0] - end, end - usual[-1])
            if end in MARKS and gap >= min_gap:
                return float(end)
    if lowest == -1 and rest[0] >= 0 and 3 <= rest[-1] <= MAX_RATING_OF_SCALE:
        return -1.0
    n = int(counts.sum())
    min_share = MIN_SHARE if n >= MIN_RATINGS else MIN_SHARE_OF_FEW
    if n >= MIN_ROWS and _is_below_scale(values) and counts[0] >= min_share * n:
        is_jump = counts[0] >= MIN_JUMP * counts[1] or rest[0] > 1
        return 0.0 if is_jump else None
    return None


def _is_below_scale(values: F64) -> bool:
    """Whether the lowest value is 0, and the others are whole or half numbers up to 3 to 10."""
    rest = values[1:]
    is_step = bool((2 * rest == np.round(2 * rest)).all())
    return values[0] == 0 and is_step and 3 <= rest[-1] <= 10 and len(rest) >= 2


def _are_counts(values: F64, counts: I64) -> bool:
    """Whether these are numbers of times: whole, not negative, and far beyond any scale."""
    if values[0] < 0 or values[-1] <= min(MAX_RATING_OF_SCALE, MAX_LEVELS):
        return False
    median = values[np.searchsorted(np.cumsum(counts), counts.sum() / 2)]
    has_tail = values[-1] >= MIN_TAIL * max(median, 1.0) and values[-MIN_LARGE:][0] > MAX_LEVELS
    is_whole = bool((values == np.round(values)).all())
    return bool(has_tail) or (is_whole and bool(values[-1] > MAX_RATING_OF_SCALE))


def _doubt(values: F64, counts: I64) -> str:
    """A question about values that may say "not rated"; "" if there are none."""
    n = int(counts.sum())
    if n < MIN_ROWS or len(values) < 3:
        return ""
    min_share = MIN_DOUBTFUL_SHARE if n >= MIN_RATINGS else MIN_SHARE
    is_frequent = counts[0] >= max(min_share * n, 2 * counts[1])
    if _is_below_scale(values) and is_frequent:
        return _question(values[:1], counts[:1], "if that says that there is no rating")
    place = int(np.argmax(np.diff(values))) + 1
    sides = slice(0, place), slice(place, len(values))
    far, near = sorted(sides, key=lambda side: len(values[side]))
    width = values[near][-1] - values[near][0]
    is_far = values[place] - values[place - 1] >= MIN_GAP * max(width, 1.0)
    if is_far and len(values[far]) <= MAX_FAR_VALUES < len(values[near]):
        return _question(values[far], counts[far], "far from all others; if that is none")
    return ""


def _question(values: F64, counts: I64, why: str) -> str:
    shown = [f"{value:g}" for value in values]
    words = " ".join(f"--unrated {value}" for value in shown)
    advice = f"unrated=[{', '.join(shown)}], in the shell {words}, leaves them out"
    return f"{counts.sum():,} ratings are {' or '.join(shown)}; {why}, {advice}"


def rated(
    name: str, frame: pl.DataFrame, unrated: Sequence[float] | None, column: str | None
) -> tuple[pl.DataFrame, list[str]]:
    """The rows that hold a rating, and notes on the others.

    Args:
        name: What to call the table in messages.
        frame: A frame with a column ``rating``, null where there is none.
        unrated: The values that are no ratings; None to find them.
        column: The column of the ratings; None if the caller has named it: counts are then read as
            ratings.

    Raises:
        DataError: If no rating is left, or the values are counts and the column is not named.
    """
    rating, notes = frame["rating"], []
    if n_missing := rating.null_count():
        notes.append(f"{n_missing:,} of {len(frame):,} rows have no rating and are left out")
        frame = frame.filter(rating.is_not_null())
    if not len(frame):
        received = "; ".join(["none", *notes])
        raise DataError(name, expected="at least one rating", received=received, do="check it")
    levels = frame.group_by("rating").len("n").sort("rating")
    values, counts = levels["rating"].to_numpy(), levels["n"].to_numpy().astype(np.int64)
    marks, more = left_out(name, values, counts, unrated, column)
    if marks:
        frame = frame.filter(~pl.col("rating").is_in(marks))
    if not len(frame):
        shown = ", ".join(f"{mark:g}" for mark in marks)
        raise DataError(name, expected="ratings", received=f"unrated={shown}: all of them")
    return frame, notes + more


def _counts(name: str, column: str, highest: float) -> DataError:
    """The error of a column of counts; where its name says ratings, it is asked for."""
    what = f"{name}, column {column}"
    received = f"numbers up to {highest:,.10g}, which look like counts or amounts"
    do = f"if they are to be read as ratings, name the column: rating={column!r}"
    if first_named(RATING_NAMES, [column]) is None:
        return NoRatingsError(what, expected="ratings", received=received, do=do, counts=column)
    do = f"{do}; if as counts: weight={column!r}"
    return DataError(what, expected="ratings", received=received, do=do)


def left_out(
    name: str, values: F64, counts: I64, unrated: Sequence[float] | None, column: str | None
) -> tuple[list[float], list[str]]:
    """The values that are no ratings, and notes; as `rated`."""
    if unrated is not None:
        marks = [float(value) for value in values if np.isclose(value, unrated).any()]
        n = {v: int(counts[np.isclose(values, v)].sum()) for v in unrated}
        return marks, [f"{n[v]:,} ratings of {v:g} are left out" for v in unrated]
    verdict = judged(values.astype(np.float64), counts)
    if verdict.is_counts:
        if column is not None:
            raise _counts(name, column, float(values[-1]))
        return [], [f"ratings up to {values[-1]:,.10g} look like counts or amounts"]
    notes = [
        f"{counts[values == mark].sum():,} ratings of {mark:g} are taken as not rated and left out"
        " (unrated=(), in the shell --unrated none, keeps them)"
        for mark in verdict.marks
    ]
    if len(values) == 1:
        notes.append(f"all ratings are {values[0]:g}")
    return [*verdict.marks], notes + [verdict.doubt] * bool(verdict.doubt)
