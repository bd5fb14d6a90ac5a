"""Rows of an item table that stand for no item: without a title, or named "unknown"."""

import numpy as np
import polars as pl

from tastemap.arrays import Mask

#: Titles that name nothing, in plain small letters.
NO_TITLES = frozenset(
    {
        *("unknown", "unkonwn", "unknow", "unknown title", "title unknown", "unknown item"),
        *("untitled", "no title", "no name", "unnamed", "not available", "not known"),
        *("n/a", "na", "none", "null", "nan", "nil", "tbd", "tba", "todo", "placeholder"),
        *("undefined", "missing", "empty", "deleted", "removed"),
    }
)
# Around a title they say nothing, nor do they alone.
MARKS = " \t\r\n()[]{}<>.,;:!?-–—_*#/\\'\""
# Where more of the items would be placeholders, titles are just incomplete.
MAX_SHARE = 0.1


def placeholder_mask(frame: pl.DataFrame, key: str) -> Mask:
    """Which rows (n,) of an item table stand for no item.

    Those without a title; and those of which nothing else is known (no year, no genres, no other
    column) and whose title is the id, a mark or a word for nothing: "unknown", "n/a", "untitled".
    A film called "Unknown" has a year. A table without titles has no placeholders, nor has one in
    which more than a tenth of the rows would be some.

    Args:
        frame: The table, one row an item.
        key: The name of the column of ids.

    Example:
        >>> titles = ["unknown", "Unknown", *(f"Film {n}" for n in range(18))]
        >>> years = [None, *(2000 + n for n in range(19))]
        >>> frame = pl.DataFrame({"item_id": range(20), "title": titles, "year": years})
        >>> np.flatnonzero(placeholder_mask(frame, "item_id")).tolist()
        [0]
    """
    if "title" not in frame.columns or not len(frame):
        return np.zeros(len(frame), dtype=bool)
    title = pl.col("title").cast(pl.String).fill_null("")
    rest = [
        _says_nothing(name, dtype)
        for name, dtype in frame.schema.items()
        if name not in {key, "title"}
    ]
    is_bare = pl.all_horizontal(*rest, pl.lit(value=True))
    is_id = title.str.strip_chars() == pl.col(key).cast(pl.String)
    is_blank = title.str.strip_chars() == ""
    mask = frame.select(
        placeholder=is_blank | (is_bare & (is_id | _is_word_for_nothing(title)))
    ).to_series()
    placeholders: Mask = mask.fill_null(value=False).to_numpy()
    return placeholders if placeholders.mean() <= MAX_SHARE else np.zeros_like(placeholders)


def _is_word_for_nothing(text: pl.Expr) -> pl.Expr:
    plain = text.str.strip_chars(MARKS).str.to_lowercase()
    return (plain == "") | plain.is_in(sorted(NO_TITLES))


def _says_nothing(name: str, dtype: pl.DataType) -> pl.Expr:
    """Whether a column is missing, empty, or a word for nothing."""
    column = pl.col(name)
    if dtype == pl.List(pl.String):
        word = column.list.eval(~_is_word_for_nothing(pl.element())).list.any()
        return column.is_null() | ~word.fill_null(value=False)
    if isinstance(dtype, pl.List):
        return column.is_null() | (column.list.len() == 0)
    if dtype == pl.String:
        return column.is_null() | _is_word_for_nothing(column)
    return column.is_null()
