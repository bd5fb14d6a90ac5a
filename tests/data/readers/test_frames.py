"""Frames of other libraries: their columns by name, and in words of ours what cannot be read."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tastemap.data.readers.frames import as_polars
from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError, DataError

FRAME = pd.DataFrame({"user": ["a", "b", "c"], "item": [1, 2, 1], "rating": [3.0, 2.5, 5.0]})
ROWS = [("a", 1, 3.0), ("b", 2, 2.5), ("c", 1, 5.0)]


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.set_index("user"),
        FRAME.set_index(["user", "item"]),
        FRAME.astype({"rating": object}),
        FRAME.set_index(pd.Index(["x", "y", "z"])),
        pl.DataFrame(FRAME).lazy(),
        pa.table(FRAME),
    ],
)
def test_frames_of_the_same_ratings(frame) -> None:
    assert read_ratings(frame).to_frame().rows() == ROWS


@pytest.mark.parametrize("column", ["user", "rating"])
def test_a_column_of_numbers_and_text_is_named(column: str) -> None:
    mixed = FRAME.assign(**{column: ["ann", 7, 2.5]})
    message = f"column {column}; expected values of one kind; received numbers and text.* make them"
    with pytest.raises(DataError, match=message):
        read_ratings(mixed)
    assert len(read_ratings(FRAME.assign(user=mixed[column].astype(str)))) == 3


def test_what_nobody_needs_may_be_anything() -> None:
    frame, notes = as_polars(FRAME.assign(note=[{"a": 1}, "x", 3]), {})
    assert frame.columns == ["user", "item", "rating"]
    assert notes == ["columns that hold more than numbers or text left out: note"]
    with pytest.raises(DataError, match="column note; expected values of one kind"):
        as_polars(FRAME.assign(note=[{"a": 1}, "x", 3]), {"item": "note"})
    with pytest.raises(DataError, match="column note; expected values of one kind"):
        as_polars(FRAME.assign(note=[{"a": 1}, "x", 3]).rename(columns={"user": "x"}), {})


def test_two_columns_of_a_name_are_named() -> None:
    doubled = pd.concat([FRAME, FRAME[["item"]]], axis=1)
    for frame in (doubled, pa.table([[1], [2], [3]], names=["item", "item", "rating"])):
        message = "the frame; expected each column name once; received item more than once; rename"
        with pytest.raises(DataError, match=message):
            read_ratings(frame)


def test_what_is_no_frame() -> None:
    with pytest.raises(ArgumentError, match="expected a path or a data frame"):
        as_polars([1, 2], {})
    with pytest.raises(DataError, match="the frame; expected columns of numbers and text"):
        as_polars(FRAME["item"], {})
