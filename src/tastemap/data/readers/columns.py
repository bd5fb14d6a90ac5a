"""From a table with any columns to the columns of a table of ratings."""

import re
from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from tastemap.data.chunks import CACHE_ROWS, chunks
from tastemap.data.readers.timestamps import TimeUnit, bad_value, seconds, time_unit
from tastemap.errors import ArgumentError, DataError
from tastemap.support.memory import require

ROLES = ("user", "item", "rating", "timestamp")
KEYS = {"user": "user_id", "item": "item_id", "rating": "rating", "timestamp": "timestamp"}
_PAIR = ["user_id", "item_id"]
# Peak of the memory for a rating that is one of several of its pair, beside the table.
BYTES_PER_DUPLICATE = 150
DUPLICATES = ("last", "first", "mean", "error")

# Common names of each column, the clearest first; compared without case, "_", "-", " ".
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
# Columns of a table of ratings that describe the items, and their common names.
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
    columns, roles, notes = list(columns), {}, []
    free = [column for column in columns if column not in chosen.values()]
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
            by_position = (column for column in columns[place : place + 1] if column in free)
            column = _first_named(_NAMES[role], free) if named else next(by_position, None)
            if column not in (None, KEYS[role]):
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
    same = [role for role in roles if list(roles.values()).count(roles[role]) > 1]
    if same:
        name = " and ".join(same)
        raise ArgumentError(name, expected="different columns", received=roles[same[0]])
    return roles, notes


def standard_columns(
    name: str, frame: pl.DataFrame, roles: Mapping[str, str], unit: TimeUnit | None = None
) -> tuple[pl.DataFrame, list[str]]:
    """The ratings' columns ``user_id, item_id, rating`` and maybe ``timestamp`` in one form.

    Ids become integers or text, ratings floats, times whole seconds since 1970 (may be null). The
    unit of the times is inferred from the frame if None.

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
    sound = frame[roles["user"]].is_not_null() & frame[roles["item"]].is_not_null()
    sound &= rating.is_not_null()
    if rating.dtype.is_float():
        sound &= rating.is_finite().fill_null(value=False)
    if sound.all():
        return frame, []
    n_bad, first = int((~sound).sum()), (~sound).arg_max() or 0
    return frame.filter(sound), [f"{n_bad:,} bad rows skipped, the first: {name}, row {first + 1}"]


def without_duplicates(
    name: str, frame: pl.DataFrame, duplicates: str
) -> tuple[pl.DataFrame, list[str]]:
    """One rating for each pair of user and item.

    Args:
        name: What to call the table in messages.
        frame: Columns as `standard_columns` gives them.
        duplicates: What to keep of a pair's ratings: the ``"last"`` or the ``"first"`` (by time,
            else by position; a missing time is earlier than all others), their ``"mean"`` (with
            position and time of the last), or ``"error"`` to refuse them.

    Returns:
        The frame in its order, and if there were duplicates, a note with their number.

    Raises:
        ArgumentError: If ``duplicates`` is none of these.
        DataError: If there are duplicates and ``duplicates`` is ``"error"``.
    """
    if duplicates not in DUPLICATES:
        expected = f"one of {', '.join(DUPLICATES)}"
        raise ArgumentError("duplicates", expected=expected, received=repr(duplicates))
    extra = len(frame) - _n_pairs(frame)
    if not extra:
        return frame, []
    rows, is_repeated = frame.with_row_index("row"), frame.select(_PAIR).is_duplicated()
    n_bytes = BYTES_PER_DUPLICATE * int(is_repeated.sum())
    require(name, n_bytes, "to choose between duplicates", "leave them out of the file first")
    repeated = rows.filter(is_repeated)
    user, item, values = repeated.group_by(_PAIR, maintain_order=True).agg("rating").row(0)
    example = f"e.g. user {user}, item {item}: {', '.join(f'{value:g}' for value in values)}"
    if duplicates == "error":
        raise DataError(
            name,
            expected="each pair of user and item once",
            received=f"{extra:,} ratings of a pair already rated, {example}",
            do="say which to keep: duplicates='last', 'first' or 'mean'",
        )
    if "timestamp" in frame.columns:
        repeated = repeated.sort("timestamp", nulls_last=False, maintain_order=True)
    if duplicates == "mean":
        repeated = repeated.with_columns(pl.col("rating").mean().over(_PAIR))
    chosen = repeated.unique(_PAIR, keep="first" if duplicates == "first" else "last")
    note = f"{extra:,} ratings of a pair of user and item already rated: {duplicates} kept"
    unique = pl.concat([rows.filter(~is_repeated), chosen]).sort("row").drop("row")
    return unique, [f"{note} ({example})"]


def _n_pairs(frame: pl.DataFrame) -> int:
    """Number of distinct pairs of user and item."""
    users, items = frame["user_id"], frame["item_id"]
    if users.dtype.is_integer() and items.dtype.is_integer():
        span = int(items.max()) + 1  # type: ignore[arg-type]
        smallest = min(int(users.min()), int(items.min()))  # type: ignore[arg-type]
        if smallest >= 0 and (int(users.max()) + 1) * span < 2**63:  # type: ignore[arg-type]
            if _is_ascending(users, items, span):
                return len(frame)
            # One column of numbers is several times faster than two columns.
            return (users.cast(pl.Int64) * span + items).n_unique()
    return frame.select(_PAIR).n_unique()


def _is_ascending(users: pl.Series, items: pl.Series, span: int) -> bool:
    """Whether each pair is greater than the one before, as in a file sorted by user and item."""
    previous = -1
    for rows in chunks(len(users), CACHE_ROWS):
        pair = users[rows].to_numpy().astype(np.int64) * span + items[rows].to_numpy()
        if pair[0] <= previous or not (pair[1:] > pair[:-1]).all():
            return False
        previous = int(pair[-1])
    return True


def item_columns(columns: Iterable[str], roles: Mapping[str, str]) -> dict[str, str]:
    """The columns that describe the item, by standard name (title, genres, year)."""
    free = [column for column in columns if column not in roles.values()]
    described = {key: _first_named(names, free) for key, names in _ITEM_NAMES.items()}
    return {key: column for key, column in described.items() if column is not None}


def item_table(
    items: pl.Series, frame: pl.DataFrame, columns: Mapping[str, str]
) -> tuple[pl.DataFrame | None, list[str]]:
    """The table of items from the columns of a table of ratings that describe them.

    Args:
        items: The item id of each row.
        frame: A frame of as many rows.
        columns: Columns of the frame, by standard name; see `item_columns`.

    Returns:
        One row an item with the columns that have the same value in each row of an item, or None
        if there are none; and a note.
    """
    if not columns:
        return None, []
    described = pl.DataFrame([items, *(frame[c].alias(name) for name, c in columns.items())])
    groups = described.unique().group_by("item_id", maintain_order=True)
    n_values = groups.agg(pl.all().n_unique()).select(pl.all().max()).row(0, named=True)
    constant = [name for name in columns if n_values[name] == 1]
    if not constant:
        return None, []
    table = described.select("item_id", *constant).unique("item_id", keep="first")
    if "genres" in constant and table["genres"].dtype == pl.String:
        table = table.with_columns(pl.col("genres").str.split("|"))
    if "year" in constant:
        table = table.with_columns(pl.col("year").cast(pl.Int32, strict=False))
        table = table.with_columns(release_year="year")
    return table, [f"items described by the columns {', '.join(columns[c] for c in constant)}"]


def _first_named(names: str, columns: list[str]) -> str | None:
    """The column with the first of the names that any column has."""
    plain = {re.sub(r"[\W_]", "", column).casefold(): column for column in reversed(columns)}
    return next((plain[name] for name in names.split() if name in plain), None)


def as_ids(series: pl.Series) -> pl.Series:
    """Ids as integers where each is written as an integer is printed, else as they are."""
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        stripped = series.str.strip_chars()
        series = stripped.set(stripped == "", None)
        # "007" and "7" may be two ids, so "007" stays text.
        whole = series.cast(pl.Int64, strict=False)
        return whole if whole.cast(pl.String).eq_missing(series).all() else series
    if series.dtype.is_float():
        series = series.fill_nan(None)
        whole = series.cast(pl.Int64, strict=False)
        return whole if whole.cast(series.dtype).eq_missing(series).all() else series
    return series


def as_numbers(name: str, series: pl.Series) -> pl.Series:
    """The ratings as numbers; `DataError` for the first that is not one."""
    if series.dtype.is_numeric():
        return series if series.dtype == pl.Float32 else series.cast(pl.Float64)
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
