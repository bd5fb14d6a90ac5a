"""Columns of a frame as arrays: what feedback is made of, checked."""

import numpy as np
import polars as pl

from tastemap.arrays import I32, I64, AnyArray
from tastemap.errors import DataError


def check_columns(frame: pl.DataFrame, value: str, *, is_needed: bool) -> None:
    """Refuse a frame that cannot be feedback: the error names the first fault.

    Args:
        frame: One row for each rating or interaction.
        value: The column of the values.
        is_needed: Whether there must be one.

    Raises:
        DataError: If a column is missing, or a value is missing or not finite.
    """
    needed = ("user_id", "item_id", *([value] if is_needed else []))
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise DataError(
            f"column {missing[0]}",
            expected=f"columns {', '.join(needed[:-1])} and {needed[-1]}",
            received=frame.columns,
            do=f"name it: {missing[0].removesuffix('_id')}=...",
        )
    if not len(frame):
        raise DataError(f"{value}s", expected="at least one row", received="an empty table")
    for name in ("user_id", "item_id", value, "timestamp", "position"):
        if name in frame.columns and frame[name].null_count():
            row = int(np.argmax(frame[name].is_null().to_numpy()))
            raise DataError(f"row {row + 1}, column {name}", expected="a value", received="nothing")
    if value not in frame.columns:
        return
    if not frame[value].dtype.is_numeric():
        raise DataError(f"column {value}", expected="numbers", received=str(frame[value].dtype))
    finite = frame[value].cast(pl.Float32).is_finite()
    if not finite.all():
        row = int(np.argmin(finite.to_numpy()))
        raise DataError(
            f"row {row + 1}, column {value}",
            expected="a finite number",
            received=frame[value][row],
        )


def order_columns(frame: pl.DataFrame) -> tuple[I64 | None, I32 | None]:
    """The times and the positions of a frame's rows, each None where it has no such column."""
    timestamp = position = None
    if "timestamp" in frame.columns:
        timestamp = to_array(frame["timestamp"].cast(pl.Int64))
    if "position" in frame.columns:
        position = to_array(frame["position"].cast(pl.Int32))
    return timestamp, position


def to_array(column: pl.Series) -> AnyArray:
    """A column of numbers, none missing, as one array that owns its memory."""
    parts = [chunk.to_numpy() for chunk in column.get_chunks()]
    return np.concatenate(parts) if len(parts) > 1 else parts[0].copy()
