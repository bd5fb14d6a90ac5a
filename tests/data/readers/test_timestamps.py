"""Times of ratings: their unit, dates, and missing ones."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from tastemap.data.readers.read import read_ratings
from tastemap.data.readers.timestamps import unit_of
from tastemap.errors import ArgumentError

FRAME = pl.DataFrame({"user_id": [1, 2, 1], "item_id": [7, 7, 9], "rating": [4.5, 2.0, 3.0]})


@pytest.mark.parametrize(
    ("times", "seconds", "note"),
    [
        ([1_700_000_000, 5], [1_700_000_000, 5], "seconds"),
        ([1_700_000_000_999, 1_700_000_001_000], [1_700_000_000, 1_700_000_001], "milliseconds"),
        ([1_700_000_000_999_999] * 2, [1_700_000_000] * 2, "microseconds"),
        ([1_700_000_000_999_999_999] * 2, [1_700_000_000] * 2, "nanoseconds"),
        (["1.5e9", "12.75"], [1_500_000_000, 12], "seconds"),
        (["1970-01-02", "1970-01-01"], [86_400, 0], "dates"),
        (["1970-01-01T00:01:00Z", "1970-01-01T01:00:00+01:00"], [60, 0], "dates"),
        (["1970-01-01 00:00:07.9", "1970-01-01 00:00:08"], [7, 8], "dates"),
    ],
)
def test_times_are_read_as_seconds(times, seconds, note, write):
    lines = "".join(f"{n},1,{n + 3},{time}\n" for n, time in enumerate(times))
    for text in (lines, "user,item,rating,time\n" + lines):
        ratings = read_ratings(write(text))
        assert ratings.timestamp.tolist() == seconds
        assert f"times read as {note}" in ratings.source.notes[-1]


def test_times_in_frames_may_be_dates():
    days = FRAME.with_columns(timestamp=pl.Series([date(1970, 1, 2)] * 3))
    assert read_ratings(days).timestamp.tolist() == [86_400] * 3
    moments = FRAME.with_columns(timestamp=pl.Series([datetime(1970, 1, 1, 0, 1, tzinfo=UTC)] * 3))
    assert read_ratings(moments).timestamp.tolist() == [60] * 3


def test_missing_times(write):
    path = write("1,1,3,10\n1,2,4,\n1,3,5,30\n2,1,2,\n")
    ratings = read_ratings(path)
    assert ratings.timestamp is None
    assert "2 of 4 times are missing: times are left out" in ratings.source.notes[-1]
    filled = read_ratings(path, missing_times="fill")
    assert filled.timestamp.tolist() == [10, 20, 30, 20]
    with pytest.raises(
        ArgumentError, match="missing_times; expected 'drop' or 'fill'; received 'x'"
    ):
        read_ratings(path, missing_times="x")


@pytest.mark.parametrize(
    ("number", "per_second"), [(0, 1), (9e10, 1), (1e11, 10**3), (1e14, 10**6), (1e17, 10**9)]
)
def test_the_size_of_a_number_tells_its_unit(number: float, per_second: int) -> None:
    assert unit_of(number).per_second == per_second
