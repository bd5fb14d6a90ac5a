"""Values in a column of ratings that are no ratings: marks for "not rated", and counts.

A mark such as -1, 0 or 99 stands for an item that somebody has without a rating of it. Taken as
a rating it moves every average. Where it cannot be a rating, its row says that the item was seen,
and where it may be one, it is asked for.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from tastemap.arrays import F64, I64
from tastemap.data.readers.columns import as_ids_of
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
# A table with rows for so large a share of all pairs is a matrix: a row says nothing of its pair.
MIN_SHARE_OF_MATRIX = 0.9
# What becomes of rows without a rating, in notes.
OMISSION, RETENTION = "left out", "kept as seen"
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


class Rows(NamedTuple):
    """The rows of a table with a rating, those without, and notes on these.

    Attributes:
        rated: A frame, with a column ``rating``.
        seen: The others, without that column; none where they say nothing.
        notes: One sentence for each inference.
    """

    rated: pl.DataFrame
    seen: pl.DataFrame
    notes: list[str]


def parted(
    name: str,
    frame: pl.DataFrame,
    unrated: Sequence[float] | None,
    column: str | None,
    *,
    keeps_seen: bool = True,
) -> Rows:
    """The rows that hold a rating, and those that say that a user has seen an item.

    These say nothing in a table that has a row for nearly each pair of a user and an item.

    Args:
        name: What to call the table in messages.
        frame: A frame with a column ``rating``, null where there is none.
        unrated: The values that are no ratings; None to find them.
        column: The column of the ratings; None if the caller has named it: counts are then read as
            ratings.
        keeps_seen: Whether rows without a rating may say that an item was seen.

    Raises:
        DataError: If no rating is left, or the values are counts and the column is not named.

    Example:
        >>> table = {"user_id": [1, 1, 2], "item_id": [7, 8, 9], "rating": [4.0, None, 2.0]}
        >>> rows = parted("x", pl.DataFrame(table), None, None)
        >>> len(rows.rated), rows.seen.rows(), rows.notes
        (2, [(1, 8)], ['1 of 3 rows have no rating and are kept as seen'])
    """
    whole, n_missing, notes = frame, frame["rating"].null_count(), list[str]()
    frame = frame.filter(pl.col("rating").is_not_null()) if n_missing else frame
    levels = frame.group_by("rating").len("n").sort("rating")
    values, counts = levels["rating"].to_numpy(), levels["n"].to_numpy().astype(np.int64)
    # To count the pairs of a large table takes a while: only where some may not be rated.
    is_doubtful = bool(n_missing or unrated or np.isin(values, (0.0, *MARKS)).any())
    fate = RETENTION if keeps_seen and is_doubtful and not _is_matrix(whole) else OMISSION
    if n_missing:
        notes.append(f"{n_missing:,} of {len(whole):,} rows have no rating and are {fate}")
    if not len(frame):
        received = "; ".join(["none", *notes])
        raise DataError(name, expected="at least one rating", received=received, do="check it")
    marks, more = left_out(name, values, counts, unrated, column, fate)
    if marks:
        frame = frame.filter(~pl.col("rating").is_in(marks))
    if not len(frame):
        shown = ", ".join(f"{mark:g}" for mark in marks)
        raise DataError(name, expected="ratings", received=f"unrated={shown}: all of them")
    seen = whole.clear()
    if fate == RETENTION and len(frame) < len(whole):
        is_mark = pl.col("rating").is_in(marks) if marks else pl.lit(False)
        seen = whole.filter(pl.col("rating").is_null() | is_mark)
    return Rows(frame, seen.drop("rating"), notes + more)


def joined(rows: Rows, more: pl.DataFrame | None) -> pl.DataFrame:
    """What was seen, of a table and of another one, ``user_id, item_id``; times if all are there.

    Raises:
        DataError: If the ids of the other table are of another kind than those of the ratings.
    """
    seen = rows.seen
    if more is not None:
        ids = [as_ids_of(more[name], rows.rated[name]) for name in ("user_id", "item_id")]
        seen = pl.concat([seen, more.with_columns(ids)], how="diagonal")
    has_times = "timestamp" in seen.columns and not seen["timestamp"].null_count()
    return seen.select("user_id", "item_id", *(["timestamp"] if has_times else []))


def _is_matrix(frame: pl.DataFrame) -> bool:
    """Whether a table has rows for nearly all pairs; one without ids is none."""
    if not {"user_id", "item_id"} <= {*frame.columns}:
        return False
    n_pairs = frame["user_id"].n_unique() * frame["item_id"].n_unique()
    # Only where there are so many rows is it worth to count different pairs.
    if len(frame) < MIN_SHARE_OF_MATRIX * n_pairs:
        return False
    return frame.select("user_id", "item_id").n_unique() >= MIN_SHARE_OF_MATRIX * n_pairs


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
    name: str,
    values: F64,
    counts: I64,
    unrated: Sequence[float] | None,
    column: str | None,
    fate: str = OMISSION,
) -> tuple[list[float], list[str]]:
    """The values that are no ratings, and notes that say what becomes of them; as `parted`."""
    if unrated is not None:
        marks = [float(value) for value in values if np.isclose(value, unrated).any()]
        n = {v: int(counts[np.isclose(values, v)].sum()) for v in unrated}
        return marks, [f"{n[v]:,} ratings of {v:g} are {fate}" for v in unrated]
    verdict = judged(values.astype(np.float64), counts)
    if verdict.is_counts:
        if column is not None:
            raise _counts(name, column, float(values[-1]))
        return [], [f"ratings up to {values[-1]:,.10g} look like counts or amounts"]
    notes = [
        f"{counts[values == mark].sum():,} ratings of {mark:g} are taken as not rated and {fate}"
        " (unrated=(), in the shell --unrated none, keeps them)"
        for mark in verdict.marks
    ]
    if len(values) == 1:
        notes.append(f"all ratings are {values[0]:g}")
    return [*verdict.marks], notes + [verdict.doubt] * bool(verdict.doubt)
