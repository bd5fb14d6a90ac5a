"""From a table with any columns to the columns of a table of ratings."""

import re
from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from tastemap.data.readers.timestamps import TimeUnit, bad_value, seconds, time_unit
from tastemap.data.vocabulary import SLICE
from tastemap.errors import ArgumentError, DataError

ROLES = ("user", "item", "rating", "timestamp")
KEYS = {"user": "user_id", "item": "item_id", "rating": "rating", "timestamp": "timestamp"}
_PAIR = ["user_id", "item_id"]
DUPLICATES = ("last", "first", "mean", "error")

# Names that each column goes by, the most telling first; compared without case, "_", "-", " ".
_NAMES = {
    "user": "userid user uid username reviewerid reviewer customerid customer memberid member"
    " personid person profileid profile accountid visitorid u",
    "item": "itemid item iid movieid movie filmid film productid product asin parentasin bookid"
    " book isbn songid song trackid track artistid artist gameid game businessid recipeid jokeid"
    " title name i",
    "rating": "rating ratings score stars star overall vote grade rate bookrating preference"
    " value r",
    "timestamp": "timestamp unixtimestamp ts time unixtime unixreviewtime datetime date ratedat"
    " createdat reviewtime reviewdate when t",
}
# What a table of ratings may also say about the items, and the names that goes by.
_ITEM_NAMES = {
    "title": "title movietitle itemname",
    "genres": "genres genre",
    "year": "year releaseyear",
}


def find_columns(
    name: str, columns: Iterable[str], chosen: Mapping[str, str | None], *, named: bool = True
) -> tuple[dict[str, str], list[str]]:
    """Which column holds the user, the item, the rating and the time.

    Args:
        name: What to call the table in messages.
        columns: The names of its columns.
        chosen: For a role, the column that the caller has named, or None to infer it.
        named: Whether the names mean something; if not, the first four columns are taken.

    Returns:
        The column of each role (without ``timestamp`` if there is none), and a note for each
        inference.

    Raises:
        DataError: If a chosen column is not there, or none can be inferred.
    """
    columns, roles = list(columns), {}
    notes: list[str] = []
    for place, role in enumerate(ROLES):
        column = chosen.get(role)
        if column is not None and column not in columns:
            raise DataError(
                f"{name}, column {column}",
                expected=f"one of its columns {', '.join(columns)}",
                received=f"{role}={column!r}",
                do=f"name the column of the {role}",
            )
        if column is None:
            free = [c for c in columns if c not in chosen.values()]
            column = (
                _first_named(_NAMES[role], free)
                if named
                else next(iter(columns[place : place + 1]), None)
            )
            if column is not None and column not in free:
                column = None
            if column is not None and column != KEYS[role]:
                notes.append(f"column {column} read as {role}")
        if column is not None:
            roles[role] = column
        elif role != "timestamp":
            raise DataError(
                f"{name}, column of the {role}",
                expected=f"a name such as {', '.join(_NAMES[role].split()[:3])}",
                received=f"columns {', '.join(columns)}",
                do=f"name it: {role}=...",
            )
    twice = [role for role in roles if list(roles.values()).count(roles[role]) > 1]
    if twice:
        raise ArgumentError(
            " and ".join(twice), expected="different columns", received=roles[twice[0]]
        )
    return roles, notes


def standard_columns(
    name: str, frame: pl.DataFrame, roles: Mapping[str, str], unit: TimeUnit | None = None
) -> tuple[pl.DataFrame, list[str]]:
    """The ratings' columns ``user_id, item_id, rating`` and maybe ``timestamp`` in one form.

    Ids become int64 or text, ratings float64, times whole seconds since 1970 (may be null). The
    unit of the times is inferred from the frame where none is given.

    Raises:
        DataError: With the row (from 1) and column of the first value that is missing or wrong.
    """
    columns = [
        as_ids(frame[roles["user"]]).alias("user_id"),
        as_ids(frame[roles["item"]]).alias("item_id"),
        as_numbers(name, frame[roles["rating"]]).alias("rating"),
    ]
    for series, role in zip(columns, ROLES, strict=False):
        if series.null_count():
            raise bad_value(name, frame[roles[role]], series.is_null(), f"a {role}")
    finite = columns[2].is_finite()
    if not finite.all():
        raise bad_value(name, frame[roles["rating"]], ~finite, "a finite number")
    notes: list[str] = []
    if "timestamp" in roles:
        times = frame[roles["timestamp"]]
        unit = unit or time_unit(name, times)
        columns.append(seconds(name, times, unit).alias("timestamp"))
        notes += unit.notes
    return pl.DataFrame(columns), notes


def sound_rows(
    name: str, frame: pl.DataFrame, roles: Mapping[str, str]
) -> tuple[pl.DataFrame, list[str]]:
    """The rows with a user, an item and a finite rating, and a note on the others."""
    rating = frame[roles["rating"]]
    if rating.dtype == pl.String or rating.dtype.is_numeric():
        rating = rating.cast(pl.Float64, strict=False)
    good = frame[roles["user"]].is_not_null() & frame[roles["item"]].is_not_null()
    good &= rating.is_not_null()
    if rating.dtype.is_float():
        good &= rating.is_finite().fill_null(value=False)
    n_bad = len(frame) - int(good.sum())
    if not n_bad:
        return frame, []
    first = (~good).arg_max() or 0
    return frame.filter(good), [f"{n_bad:,} bad rows skipped, the first: {name}, row {first + 1}"]


def without_duplicates(
    name: str, frame: pl.DataFrame, duplicates: str
) -> tuple[pl.DataFrame, list[str]]:
    """One rating for each pair of user and item.

    Args:
        name: What to call the table in messages.
        frame: Columns as `standard_columns` gives them.
        duplicates: What to keep of a pair's ratings: the ``"last"`` or the ``"first"`` (by time
            where known, else by position; an unknown time is earlier than all others), their
            ``"mean"`` (at the place and time of the last), or ``"error"`` to refuse them.

    Returns:
        The frame in its old order, and a note with number and example if there were any.

    Raises:
        ArgumentError: If ``duplicates`` is none of these.
        DataError: If there are duplicates and ``duplicates`` is ``"error"``.
    """
    if duplicates not in DUPLICATES:
        raise ArgumentError(
            "duplicates", expected=f"one of {', '.join(DUPLICATES)}", received=repr(duplicates)
        )
    extra = len(frame) - _n_pairs(frame)
    if not extra:
        return frame, []
    is_double = frame.select(_PAIR).is_duplicated()
    doubles = frame.with_row_index("row").filter(is_double)
    user, item, values = doubles.group_by(_PAIR, maintain_order=True).agg("rating").row(0)[:3]
    example = f"e.g. user {user}, item {item}: {', '.join(f'{value:g}' for value in values)}"
    if duplicates == "error":
        raise DataError(
            name,
            expected="each pair of user and item once",
            received=f"{extra:,} ratings of a pair already rated, {example}",
            do="say which to keep: duplicates='last', 'first' or 'mean'",
        )
    if "timestamp" in frame.columns:
        doubles = doubles.sort("timestamp", nulls_last=False, maintain_order=True)
    if duplicates == "mean":
        doubles = doubles.with_columns(pl.col("rating").mean().over(_PAIR))
    kept = doubles.unique(_PAIR, keep="first" if duplicates == "first" else "last")
    singles = frame.with_row_index("row").filter(~is_double)
    note = f"{extra:,} ratings of a pair of user and item already rated: {duplicates} kept"
    whole = pl.concat([singles, kept]).sort("row").drop("row")
    return whole, [f"{note} ({example})"]


def _n_pairs(frame: pl.DataFrame) -> int:
    """Number of distinct pairs of user and item."""
    users, items = frame["user_id"], frame["item_id"]
    if users.dtype.is_integer() and items.dtype.is_integer():
        span = int(items.max()) + 1  # type: ignore[arg-type]
        smallest = min(int(users.min()), int(items.min()))  # type: ignore[arg-type]
        if smallest >= 0 and (int(users.max()) + 1) * span < 2**63:  # type: ignore[arg-type]
            if _ascend(users, items, span):
                return len(frame)
            # One column is several times faster than two.
            return (users.cast(pl.Int64) * span + items).n_unique()
    return frame.select(_PAIR).n_unique()


def _ascend(users: pl.Series, items: pl.Series, span: int) -> bool:
    """Whether each pair is greater than the one before, as in a file sorted by user and item."""
    before = -1
    for start in range(0, len(users), SLICE):
        user, item = (series.slice(start, SLICE).to_numpy() for series in (users, items))
        pair = user.astype(np.int64) * span + item
        if pair[0] <= before or not (pair[1:] > pair[:-1]).all():
            return False
        before = int(pair[-1])
    return True


def item_columns(columns: Iterable[str], roles: Mapping[str, str]) -> dict[str, str]:
    """Columns beside the ratings' own that say something about the item: title, genres, year."""
    free = [column for column in columns if column not in roles.values()]
    found = {known: _first_named(names, free) for known, names in _ITEM_NAMES.items()}
    return {known: column for known, column in found.items() if column is not None}


def item_table(
    items: pl.Series, frame: pl.DataFrame, columns: Mapping[str, str]
) -> tuple[pl.DataFrame | None, list[str]]:
    """The table of items that is repeated in a table of ratings, as far as it is consistent.

    Args:
        items: The item id of each row.
        frame: A frame of as many rows.
        columns: The known name (title, genres, year) of some of its columns, and that column.

    Returns:
        One row an item, or None if no column has the same value in each row of an item.
    """
    if not columns:
        return None, []
    known = pl.DataFrame([items, *(frame[c].alias(name) for name, c in columns.items())])
    groups = known.unique().group_by("item_id", maintain_order=True)
    once = groups.agg(pl.all().n_unique()).select(pl.all().max()).row(0, named=True)
    constant = [name for name in columns if once[name] == 1]
    if not constant:
        return None, []
    table = known.select("item_id", *constant).unique("item_id", keep="first")
    if "genres" in constant and table["genres"].dtype == pl.String:
        table = table.with_columns(pl.col("genres").str.split("|"))
    if "year" in constant:
        table = table.with_columns(pl.col("year").cast(pl.Int32, strict=False))
        table = table.with_columns(release_year="year")
    return table, [f"items described by the columns {', '.join(columns[c] for c in constant)}"]


def _first_named(names: str, columns: list[str]) -> str | None:
    """The column with the most telling of the names."""
    plain = {re.sub(r"[\W_]", "", column).casefold(): column for column in reversed(columns)}
    return next((plain[name] for name in names.split() if name in plain), None)


def as_ids(series: pl.Series) -> pl.Series:
    """Ids as integers where every one is a whole number written plainly, else as they are."""
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        stripped = series.str.strip_chars()
        series = stripped.set(stripped == "", None)
        # "007" and "7" may be two things: only text that an integer would print is one.
        whole = series.cast(pl.Int64, strict=False)
        return whole if whole.cast(pl.String).eq_missing(series).all() else series
    if series.dtype.is_float():
        series = series.fill_nan(None)
        whole = series.cast(pl.Int64, strict=False)
        return (
            whole
            if (whole == series).all() and whole.null_count() == series.null_count()
            else series
        )
    return series


def as_numbers(name: str, series: pl.Series) -> pl.Series:
    """The ratings as numbers; `DataError` for the first that is not one."""
    if series.dtype == pl.Float32:
        return series
    if series.dtype.is_numeric():
        return series.cast(pl.Float64)
    if series.dtype == pl.String:
        series = series.str.strip_chars()
    try:
        numbers = series.cast(pl.Float64, strict=False)
    except PolarsError as error:
        raise DataError(
            f"{name}, column {series.name}",
            expected="numbers",
            received=str(series.dtype),
            do="name the column of the rating: rating=...",
        ) from error
    wrong = numbers.is_null() & series.is_not_null()
    if wrong.any():
        raise bad_value(name, series, wrong, "a number")
    return numbers
