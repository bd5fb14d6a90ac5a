"""``Categories``: the values of a column of the item table, such as genres, as numbers."""

import difflib
from typing import NamedTuple

import numpy as np
import polars as pl

from tastemap.arrays import I32, I64
from tastemap.data.feedback import Feedback
from tastemap.errors import ArgumentError

# The column that is made of years, and the separator of genres that are one text.
DECADE, SEPARATOR = "decade", "|"


class Categories(NamedTuple):
    """The values of a column by item: item i has ``ids[indptr[i]:indptr[i + 1]]``.

    Attributes:
        indptr: int64 (n_items + 1,).
        ids: int32 (m,), from 0 to n - 1.
        n: The number of different values.
    """

    indptr: I64
    ids: I32
    n: int

    def with_rest(self) -> "Categories":
        """The same, where items without a value share a value of their own."""
        counts = np.diff(self.indptr)
        ids = np.insert(self.ids, self.indptr[:-1][counts == 0], self.n)
        indptr = np.concatenate([[0], np.cumsum(np.maximum(counts, 1))])
        return Categories(indptr, ids.astype(np.int32), self.n + 1)


def categories(data: Feedback, column: str) -> Categories:
    """The values of a column of the item table: of a list each counts, nulls are none.

    Raises:
        ArgumentError: If there is no such column, or its values are nested.
    """
    values = category_values(data, column, "column")
    frame = pl.DataFrame([pl.Series("row", np.arange(len(values))), values.alias("value")])
    if isinstance(values.dtype, pl.List):
        frame = frame.explode("value", empty_as_null=True)
    if frame["value"].dtype.is_float():
        frame = frame.with_columns(pl.col("value").fill_nan(None))
    elif frame["value"].dtype == pl.String:
        frame = frame.filter(pl.col("value") != "")
    frame = frame.drop_nulls().unique(maintain_order=True)
    names = frame.select(pl.col("value").unique().sort()).with_row_index("id")
    frame = frame.join(names, on="value", how="left", maintain_order="left")
    counts = np.bincount(frame["row"].to_numpy(), minlength=len(values))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Categories(indptr, frame["id"].to_numpy().astype(np.int32), len(names))


def category_values(data: Feedback, column: str, what: str) -> pl.Series:
    """The values of a column of the item table; ``"decade"`` is made of years.

    Raises:
        ArgumentError: If there is no such column, or its values are nested; ``what`` names the
            argument.
    """
    frame = data.items.frame
    columns = [name for name in frame.columns if name != data.items.key]
    if DECADE not in columns and "year" in columns and frame["year"].dtype.is_numeric():
        columns.append(DECADE)
    if column not in columns:
        near = difflib.get_close_matches(str(column), columns, n=1)
        do = f"did you mean {near[0]!r}?" if near else ""
        raise ArgumentError(
            what,
            expected=f"a column of the item table: {', '.join(columns)}"
            if columns
            else "a column of the item table, and there is no such table",
            received=repr(column),
            do=do or ("" if columns else "read the data with a table of items (items=...)"),
        )
    if column == DECADE and DECADE not in frame.columns:
        return (frame["year"] // 10 * 10).alias(DECADE)
    values = frame[column]
    if column == "genres" and values.dtype == pl.String:
        values = values.str.split(SEPARATOR)
    inner = values.dtype.inner if isinstance(values.dtype, pl.List) else values.dtype
    if inner.is_nested():
        raise ArgumentError(what, expected="a column of values", received=f"{column}: {inner}")
    return values
