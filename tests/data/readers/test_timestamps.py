"""Times of ratings: their unit, dates, and missing ones."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from tastemap.data.readers.read import read_ratings
from tastemap.data.readers.timestamps import evidence, is_time, time_form, unit_of
from tastemap.errors import ArgumentError, DataError

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
    for text in (lines, "user,item,rating,time\n" + lines)["12.75" in times or seconds[0] < 10 :]:
        ratings = read_ratings(write(text))
        assert ratings.timestamp.tolist() == seconds
        assert f"times read as {note}" in ratings.source.notes[-1]


def test_times_in_frames_may_be_dates():
    days = FRAME.with_columns(timestamp=pl.Series([date(1970, 1, 2)] * 3))
    assert read_ratings(days).timestamp.tolist() == [86_400] * 3
    moments = FRAME.with_columns(timestamp=pl.Series([datetime(1970, 1, 1, 0, 1, tzinfo=UTC)] * 3))
    assert read_ratings(moments).timestamp.tolist() == [60] * 3


def test_missing_times(write):
    path = write("user,item,rating,time\n1,1,3,10\n1,2,4,\n1,3,5,30\n2,1,2,\n")
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


def read(times: list[object]) -> tuple[list[int] | None, tuple[str, ...]]:
    n = len(times)
    frame = pl.DataFrame({"user": range(n), "item": 1, "rating": 3.0, "time": times}, strict=False)
    ratings = read_ratings(frame)
    return None if ratings.timestamp is None else ratings.timestamp.tolist(), ratings.source.notes


@pytest.mark.parametrize("times", [[20240531, 20230101], ["20240531", "2023-01-01"]])
def test_digits_may_be_a_date(times: list[object]) -> None:
    seconds, notes = read(times)
    assert seconds == [1_717_113_600, 1_672_531_200]
    assert "times read as dates, in UTC where no zone is given" in notes


def test_each_number_may_have_its_own_unit() -> None:
    seconds, notes = read([1_700_000_000, 1_700_000_000_999, 1_700_000_001])
    assert seconds == [1_700_000_000, 1_700_000_000, 1_700_000_001]
    assert "times read as 2 seconds and 1 milliseconds since 1970, each by its size" in notes
    # A number that is of no time of our days makes it unclear.
    assert read([1_700_000_000, 1_700_000_000_999, 5])[0] is None
    # Zeros, which say that a time is not known, do not hide the unit.
    assert read([0, 0, 0, 1_700_000_000_999])[0] == [0, 0, 0, 1_700_000_000]


@pytest.mark.parametrize(
    ("times", "why"),
    [
        (["03/04/2024", "01/02/2024"], "dates of which nothing tells the day from the month"),
        (
            ["31/05/2024", "05/31/2024"],
            "dates with the day first beside dates with the month first",
        ),
        (["2024-05-31", "1700000000"], "dates beside numbers, such as 2024-05-31"),
        (["soon", "later"], "values that are no times, such as soon"),
        ([True, False], "values of the type Boolean"),
    ],
)
def test_a_column_that_is_not_clear_is_left_out_or_refused(times: list[object], why: str) -> None:
    seconds, notes = read(times)
    assert seconds is None
    assert any(f"times are left out: column time holds {why}"[:60] in note for note in notes)
    frame = pl.DataFrame({"user": [1, 2], "item": 1, "rating": 3.0, "time": times})
    with pytest.raises(DataError, match=f"column time; expected seconds since 1970.*{why[-12:]}"):
        read_ratings(frame, timestamp="time")


def test_a_value_anywhere_tells_the_day_from_the_month(write) -> None:
    rows = "".join(f"{n},1,3,0{n % 9 + 1}/02/2024\n" for n in range(1500))
    text = f"user,item,rating,date\n{rows}1500,1,4,28/02/2024\n"
    ratings = read_ratings(write(text))
    assert ratings.timestamp.max() == 1_709_078_400
    note = "times read as dates, the day first, in UTC where no zone is given"
    assert note in ratings.source.notes


def test_a_time_that_cannot_be_read_is_missing() -> None:
    assert read(["1700000000", "soon", "1700000002"])[0] is None
    assert any(
        "1 of 3 times cannot be read, such as 'soon'" in n for n in read(["1", "soon", "2"])[1]
    )
    unit = time_form(evidence(pl.Series(["5", "6"])) + evidence(pl.Series(["7"])))
    assert unit.per_second == 1
    assert is_time("31.05.2024")
    assert is_time("NA")
    assert not is_time("soon")
