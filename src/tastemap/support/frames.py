"""A frame as people look at it: which columns, and how many decimals."""

import polars as pl

from tastemap.support.counts import decimals
from tastemap.support.titles import spoken_all

# From here on decimals say little, and take room.
MIN_LARGE = 1000


def without_repetition(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame without a column of titles that only repeats the ids beside it.

    Example:
        >>> without_repetition(pl.DataFrame({"item_id": ["x"], "title": ["x"], "n": [1]})).columns
        ['item_id', 'n']
    """
    if not {"item_id", "title"} <= {*frame.columns} or not len(frame):
        return frame
    ids = frame["item_id"].cast(pl.String)
    return frame.drop("title") if frame["title"].eq_missing(ids).all() else frame


def with_spoken_titles(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its titles as people say them.

    Example:
        >>> with_spoken_titles(pl.DataFrame({"title": ["Postino, Il", None]}))["title"].to_list()
        ['Il Postino', '']
    """
    if frame.schema.get("title") != pl.String:
        return frame
    names = pl.Series("title", spoken_all(frame["title"]), dtype=pl.String)
    return frame.with_columns(names)


def digits_of(column: pl.Series, digits: int) -> int:
    """Decimals for a column of floats: fewer than ``digits`` where it reaches a thousand.

    Example:
        >>> digits_of(pl.Series([0.5, 4.25]), 3), digits_of(pl.Series([128_974.0]), 3)
        (3, 0)
    """
    if not column.dtype.is_float():
        return digits
    largest = column.filter(column.is_finite()).abs().max()
    if not isinstance(largest, float) or largest < MIN_LARGE:
        return digits
    return decimals(largest, digits)
