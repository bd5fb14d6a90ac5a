"""From a table with any columns to the columns of a table of ratings."""

from collections.abc import Collection, Mapping

import numpy as np
import polars as pl

from tastemap.data.chunks import CACHE_ROWS, chunks
from tastemap.data.readers.numbers import as_numbers, common_form, truth_values, value_check
from tastemap.data.readers.timestamps import TimeUnit, evidence, read_times, time_form
from tastemap.data.readers.values import bad_value, present
from tastemap.errors import ArgumentError, DataError
from tastemap.support.memory import require

_PAIR = ["user_id", "item_id"]
# Peak of the memory for a rating that is one of several of its pair, beside the table.
BYTES_PER_DUPLICATE = 150
# 10, 100, ...: an integer has one digit more than there are powers up to it.
_POWERS_OF_TEN = 10 ** np.arange(1, 20, dtype=np.uint64)
DUPLICATES = ("last", "first", "mean", "error")


def standard_columns(
    name: str,
    frame: pl.DataFrame,
    roles: Mapping[str, str],
    unit: TimeUnit | None = None,
    named: Collection[str] = (),
) -> tuple[pl.DataFrame, list[str]]:
    """The ratings' columns ``user_id, item_id, rating`` and maybe ``timestamp`` in one form.

    Ids become integers or text, ratings floats, times whole seconds since 1970. Ratings and times
    may be null.

    Args:
        name: What to call the table in messages.
        frame: Columns of any names.
        roles: The column of each role.
        unit: How the times are read; inferred from the frame if None.
        named: The roles whose columns the caller has named: words for True and False are then
            ratings, and a time that cannot be read is an error.

    Raises:
        DataError: With the row (from 1) and column of the first value that is missing or wrong.
    """
    columns, notes = [], []
    for role in ("user", "item"):
        ids, of_ids = as_ids(frame[roles[role]])
        if ids.null_count():
            raise bad_value(name, frame[roles[role]], ids.is_null(), f"a {role}")
        columns.append(ids.alias(f"{role}_id"))
        notes += of_ids
    rating, of_ratings = as_ratings(name, frame[roles["rating"]], named="rating" in named)
    columns.append(rating.alias("rating"))
    notes += of_ratings
    if "timestamp" in roles:
        times = frame[roles["timestamp"]]
        unit = unit or time_form(evidence(times))
        read, of_times = read_times(name, times, unit, named="timestamp" in named)
        columns += [] if read is None else [read.alias("timestamp")]
        notes += of_times
    return pl.DataFrame(columns), notes


def as_ratings(name: str, series: pl.Series, *, named: bool) -> tuple[pl.Series, list[str]]:
    """A column of ratings as finite floats, null where there is none, and notes."""
    truths = truth_values(series)
    if truths is not None:
        if named:
            return truths, [f"column {series.name}: True and False read as 1 and 0"]
        raise DataError(
            f"{name}, column {series.name}",
            expected="ratings",
            received="True and False",
            do=f"to read these as 1 and 0, name it: rating={series.name!r}",
        )
    numbers, notes = as_numbers(name, series)
    wrong = ~(numbers.cast(pl.Float32).is_finite().fill_null(value=True))
    if wrong.any():
        raise bad_value(name, series, wrong, "a finite number")
    return numbers, notes


def sound_rows(
    name: str, frame: pl.DataFrame, roles: Mapping[str, str]
) -> tuple[pl.DataFrame, list[str]]:
    """The rows with a user, an item and a rating that is a number, and a note on the others.

    A rating that is missing is none, and a matter of `unrated.rated`.
    """
    rating = frame[roles["rating"]]
    sound = frame[roles["user"]].is_not_null() & frame[roles["item"]].is_not_null()
    if rating.dtype == pl.String:
        texts = rating.fill_null("")
        distinct = texts.unique()
        is_right = value_check(common_form(distinct))
        sound &= texts.is_in([text for text in distinct if is_right(text)])
    elif rating.dtype.is_float():
        sound &= (rating.is_finite() | rating.is_nan()).fill_null(value=True)
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


def item_table(
    items: pl.Series, frame: pl.DataFrame, columns: Mapping[str, str]
) -> tuple[pl.DataFrame | None, list[str]]:
    """The table of items from the columns of a table of ratings that describe them.

    Args:
        items: The item id of each row.
        frame: A frame of as many rows.
        columns: Columns of the frame, by standard name; see `roles.item_columns`.

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
    notes = [f"items described by the columns {', '.join(columns[c] for c in constant)}"]
    if "year" in constant:
        year = present(table["year"]).cast(pl.Int32, strict=False)
        if n_missing := year.null_count():
            notes.append(f"{n_missing:,} of {len(table):,} items have no year")
        table = table.with_columns(year, release_year=year)
    return table, notes


def as_ids(series: pl.Series) -> tuple[pl.Series, list[str]]:
    """Ids as integers where each is written as an integer is printed, else as they are; a note.

    ``007``, ``+7`` and ``7`` are three ids, so a column that holds ``007`` stays text. Where every
    id ends in ``.0``, as pandas writes a column of integers in which one was missing, it is left
    out.
    """
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        stripped = series.str.strip_chars()
        series = stripped.set(stripped == "", None)
        if (whole := as_integers(series)) is not None:
            return whole, []
        if series.str.ends_with(".0").all():
            whole = as_integers(series.str.head(-2))
            if whole is not None:
                return whole, [f"column {series.name}: ids such as {series[0]} read as {whole[0]}"]
        return series, []
    if series.dtype.is_float():
        series = series.fill_nan(None)
        whole = series.cast(pl.Int64, strict=False)
        return (whole if whole.cast(series.dtype).eq_missing(series).all() else series), []
    return series, []


def as_ids_of(ids: pl.Series, others: pl.Series) -> pl.Series:
    """Ids in the type of others, so that equal ids are equal.

    Raises:
        DataError: If the others are numbers, and these are none.

    Example:
        >>> as_ids_of(pl.Series(["7", "8"]), pl.Series([7, 9])).to_list()
        [7, 8]
    """
    if ids.dtype == pl.String and others.dtype.is_integer():
        whole = as_integers(ids)
        if whole is None:
            raise DataError(
                f"seen, {ids.name}",
                expected=f"ids such as {others[0]}, as those of the ratings",
                received=f"ids such as {ids[0]!r}",
                do="write the ids of both tables in one form",
            )
        ids = whole
    return ids.cast(others.dtype)


def as_integers(texts: pl.Series) -> pl.Series | None:
    """Texts as int64 if each is written as an integer is printed, else None.

    Example:
        >>> as_integers(pl.Series(["7", "-12", "0"])).to_list()
        [7, -12, 0]
        >>> [as_integers(pl.Series([text])) for text in ("007", "+7", "-0", "7.0", "seven")]
        [None, None, None, None, None]
    """
    whole = texts.cast(pl.Int64, strict=False)
    if whole.null_count() > texts.null_count():
        return None
    values = whole.drop_nulls().to_numpy()
    # Any other way to write a number is longer, so equal lengths in all are equal texts.
    size = np.abs(values).view(np.uint64)  # of the smallest number, too, which has no opposite
    n_characters = len(values) + int(np.count_nonzero(values < 0))
    for power in _POWERS_OF_TEN[size.max(initial=0) >= _POWERS_OF_TEN]:
        n_characters += int(np.count_nonzero(size >= power))
    return whole if texts.str.len_bytes().sum() == n_characters else None
