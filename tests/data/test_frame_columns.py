"""Columns that cannot be feedback are refused; those that can become arrays of their own."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.frame_columns import order_columns, to_array
from tastemap.data.ratings import Ratings
from tastemap.errors import DataError


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"user_id": [1], "item_id": [1]}, "column rating; expected columns"),
        ({"user_id": [], "item_id": [], "rating": []}, "an empty table"),
        ({"user_id": [1, None], "item_id": [1, 2], "rating": [1.0, 2.0]}, "row 2, column user_id"),
        ({"user_id": [1], "item_id": [1], "rating": ["five"]}, "column rating; expected numbers"),
        ({"user_id": [1], "item_id": [1], "rating": [float("inf")]}, "a finite number"),
        (
            {"user_id": [1], "item_id": [1], "rating": [1.0], "timestamp": [None]},
            "row 1, column timestamp",
        ),
    ],
)
def test_frames_that_are_no_ratings(columns: dict[str, list], says: str) -> None:
    with pytest.raises(DataError, match=says):
        Ratings.from_frame(pl.DataFrame(columns))


def test_chunks_become_one_array_that_can_be_written() -> None:
    column = pl.concat([pl.Series([1, 2]), pl.Series([3])], rechunk=False)
    for part in (column, column.head(2)):
        array = to_array(part)
        array[0] = 9
        assert array.tolist()[1:] == part.to_list()[1:]
    assert part[0] == 1


def test_times_and_positions_are_taken_where_they_are() -> None:
    frame = pl.DataFrame({"timestamp": [5.0], "position": [2]})
    times, places = order_columns(frame)
    assert (times.dtype, places.dtype) == (np.int64, np.int32)
    assert order_columns(frame.select("position"))[0] is None
