"""Columns of a table: their roles, ids, duplicates, and those that describe items."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.data.readers import columns
from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError, DataError

ROWS = [("ann", 7, 4.5, 1000), ("bo", 7, 2.0, 3000), ("ann", 9, 3.0, 2000)]
FRAME = pl.DataFrame(ROWS, schema=["user_id", "item_id", "rating", "timestamp"], orient="row")


def test_ids_stay_what_they_are(write):
    def ids(*values):
        lines = "".join(f"1,{value},{n % 5}\n" for n, value in enumerate(values))
        return read_ratings(write("user,item,rating\n" + lines)).items.ids.to_list()

    assert ids(3, 1, 2) == [1, 2, 3]
    assert ids("007", "7") == ["007", "7"]
    assert ids("b", "1") == ["1", "b"]
    assert ids(*range(2000), "late") == sorted([*map(str, range(2000)), "late"])
    assert ids("9" * 30, "1") == ["1", "9" * 30]
    assert ids('"x, y"', "z") == ["x, y", "z"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("last", [(1, 1, 5, 30), (2, 1, 4, 20)]),
        ("first", [(2, 1, 4, 20), (1, 1, 3, 10)]),
        ("mean", [(1, 1, 3, 30), (2, 1, 4, 20)]),
    ],
)
def test_duplicates_are_resolved_by_time_and_reported(how, expected, write):
    path = write("user,item,rating,time\n1,1,1,20\n1,1,5,30\n2,1,4,20\n1,1,3,10\n")
    ratings = read_ratings(path, duplicates=how)
    assert ratings.to_frame().rows() == expected
    assert ratings.source.notes[-1] == (
        "2 ratings of a pair of user and item already rated: "
        f"{how} kept (e.g. user 1, item 1: 1, 5, 3)"
    )


def test_duplicates_without_times_go_by_position_and_can_be_refused(write):
    path = write("1,1,1\n2,1,4\n1,1,3\n")
    assert read_ratings(path).to_frame().rows() == [(2, 1, 4), (1, 1, 3)]
    assert read_ratings(path, duplicates="first").to_frame().rows() == [(1, 1, 1), (2, 1, 4)]
    with pytest.raises(
        DataError, match=r"each pair .* once; received 1 .* user 1, item 1: 1, 3; say which to keep"
    ):
        read_ratings(path, duplicates="error")
    with pytest.raises(ArgumentError, match="duplicates; expected one of last, first, mean, error"):
        read_ratings(path, duplicates="newest")


def test_columns_that_describe_the_items_become_their_table(write):
    text = 'user,item,rating,title,genres,year,mood\n1,7,3,"Up, up",A|B,1999,x\n'
    ratings = read_ratings(write(text + '2,7,4,"Up, up",A|B,1999,y\n2,8,5,Down,A,,z\n'))
    assert ratings.item_table.select("item_id", "title", "genres", "year").rows() == [
        (7, "Up, up", ["A", "B"], 1999),
        (8, "Down", ["A"], None),
    ]
    assert "items described by the columns title, genres, year" in ratings.source.notes
    assert "1 of 2 items have no year" in ratings.source.notes
    differing = read_ratings(write("user,item,rating,title\n1,7,3,a\n2,7,4,b\n"))
    assert differing.item_table is None


def test_frames_without_what_is_asked_for():
    with pytest.raises(DataError, match=r"column who; expected one of its columns user_id, item"):
        read_ratings(FRAME, user="who")
    with pytest.raises(DataError, match="expected at least one rating; received no rows"):
        read_ratings(FRAME.head(0))
    with pytest.raises(ArgumentError, match="user and item; expected different columns; received"):
        read_ratings(FRAME, user="user_id", item="user_id")


def test_bad_rows_of_frames_and_parquet_are_skipped(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "user": [1, None, 2, 3, 4],
            "item": [1, 1, None, 1, 1],
            "rating": ["5", "4", "3", "x", "2"],
        }
    )
    frame.write_parquet(tmp_path / "x.parquet")
    for source in (frame, tmp_path / "x.parquet"):
        read = read_ratings(source, on_bad_row="skip")
        assert read.to_frame().rows() == [(1, 1, 5.0), (4, 1, 2.0)]
        assert any("3 bad rows skipped, the first: " in note for note in read.source.notes)
    with pytest.raises(ArgumentError, match="on_bad_row; expected 'error' or 'skip'"):
        read_ratings(frame, on_bad_row="drop")


@pytest.mark.parametrize("place", [0, 6, 7, 19])
def test_a_duplicate_in_a_sorted_table_is_seen_across_slices(
    place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "CACHE_ROWS", 7)
    rows = np.insert(np.arange(20), place, place)
    frame = pl.DataFrame({"user_id": rows // 5, "item_id": rows % 5, "rating": 3.0})
    assert columns.without_duplicates("x", frame, "last")[0].height == 20
    assert columns.without_duplicates("x", frame.unique(maintain_order=True), "error")[1] == []


@pytest.mark.parametrize("late", ["007", "+7", "-0", "0195153448", " 007", '"007"'])
def test_ids_far_below_stay_what_is_written(late: str, write) -> None:
    rows = "".join(f"{n % 30},{n // 30},3\n" for n in range(1500))
    ratings = read_ratings(write(f"user,item,rating\n{rows}{late},1,5\n7,{late},5\n"))
    text = late.strip(' "')
    assert text in ratings.users
    assert text in ratings.items
    assert (len(ratings), ratings.n_users) == (1502, 31)
    assert ratings.users.ids.to_list() == sorted([*map(str, range(30)), text])


def test_ids_that_are_whole_numbers_with_a_point(write) -> None:
    ratings = read_ratings(write("user,item,rating\n12.0,7,3\n13.0,7.0,4\n"))
    assert ratings.users.ids.to_list() == [12, 13]
    assert "column user: ids such as 12.0 read as 12" in ratings.source.notes
    assert ratings.items.ids.to_list() == ["7", "7.0"]  # two texts are two ids


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1) | st.sampled_from(["007", "-0", "+1", "x", "1.0"]))
)
def test_integers_are_told_by_their_length(values: list[int | str]) -> None:
    texts = [str(value) for value in values]
    whole = columns.as_integers(pl.Series(texts, dtype=pl.String))
    if all(isinstance(value, int) for value in values):
        assert whole.to_list() == values
    else:
        assert whole is None
