"""Prepared tables: the file is read as in memory, and its faults are named."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tastemap as tm
from tastemap.data.ratings import Ratings
from tastemap.data.readers.prepare import prepare_ratings
from tastemap.errors import DataError


def test_text_ids_and_missing_times(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"user": ["b", "a", "a"], "item": ["007", "7", "007"], "rating": [1, 2, 3]}
    ).with_columns(timestamp=pl.Series([5, None, 7]))
    frame.write_parquet(tmp_path / "r.parquet")
    table = prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")
    assert table.users.ids.to_list() == ["a", "b"]
    assert table.items.ids.to_list() == ["007", "7"]
    assert table.timestamp is None
    assert any("times are left out" in note for note in table.source.notes)


def test_times_have_one_unit_throughout(tmp_path: Path, small_chunks: None) -> None:
    times = np.concatenate([np.arange(1, 301) * 10**6, np.arange(300) + 1_600_000_000_000])
    frame = pl.DataFrame({"user": range(600), "item": [1] * 600, "rating": [3, 4] * 300})
    for column in (times, times.astype(float), times.astype(str)):
        frame.with_columns(timestamp=pl.Series(column)).write_parquet(tmp_path / "r.parquet")
        table = prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")
        assert np.array_equal(table.timestamp, times // 1000)
        assert "times read as milliseconds since 1970" in table.source.notes


def test_times_that_are_no_numbers_are_missing(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user": [1, 2, 3], "item": [1] * 3, "rating": [3, 4, 5]})
    frame.with_columns(timestamp=pl.Series([1.0, float("nan"), 3.0])).write_parquet(
        tmp_path / "r.parquet"
    )
    assert prepare_ratings(tmp_path / "r.parquet", tmp_path / "table").timestamp is None


def test_ids_are_taken_as_in_memory(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user": ["a", "a ", "b"], "item": ["1", "2", "1"], "rating": [3, 4, 5]})
    frame.write_parquet(tmp_path / "r.parquet")
    table = prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")
    assert table.fingerprint() == tm.read_ratings(tmp_path / "r.parquet").fingerprint()
    frame.with_columns(user=pl.Series(["a", "", "b"])).write_parquet(tmp_path / "r.parquet")
    with pytest.raises(DataError, match="row 2, column user; expected a user"):
        prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("rating", float("inf"), "row 901 on, row 2, column rating; expected a finite number"),
        ("userId", None, "row 901 on, row 2, column userId; expected a user"),
    ],
)
def test_a_bad_row_is_named(
    ratings: Ratings, tmp_path: Path, small_chunks: None, column: str, value: object, message: str
) -> None:
    frame = ratings.to_frame().rename({"user_id": "userId"})
    values = frame[column].to_list()
    values[901] = value
    path = tmp_path / "bad.parquet"
    frame.with_columns(pl.Series(column, values)).write_parquet(path, row_group_size=300)
    with pytest.raises(DataError, match=message):
        prepare_ratings(path, tmp_path / "table")
    assert [file.name for file in tmp_path.iterdir()] == ["bad.parquet"]


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("user,item,rating\n1,2,3\n")
    for name in ("r.csv", "nothing.parquet"):
        with pytest.raises(DataError, match="expected a complete Parquet file"):
            prepare_ratings(tmp_path / name, tmp_path / "other")


def test_progress_is_in_bytes_of_the_file(
    parquet: Path, tmp_path: Path, small_chunks: None
) -> None:
    calls = []
    prepare_ratings(parquet, tmp_path / "table", progress=lambda *done: calls.append(done))
    assert calls == sorted(calls)
    assert calls[-1] == (parquet.stat().st_size,) * 2


def test_values_are_read_as_in_memory(tmp_path: Path, small_chunks: None) -> None:
    n = 700
    frame = pl.DataFrame(
        {
            "user": ["12.0" if k % 2 else "13" for k in range(n)],
            "item": [f"{k}.0" for k in range(n)],
            "rating": [("-1", "3,5", "4", "NA", "2,5")[k % 5] for k in range(n)],
            "date": [f"{k % 9 + 1:02}/02/2024" for k in range(n - 1)] + ["28/02/2024"],
        }
    )
    frame.write_parquet(tmp_path / "r.parquet")
    table = prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")
    memory = tm.read_ratings(tmp_path / "r.parquet", seen="none")
    assert table.fingerprint() == memory.fingerprint()
    assert (len(table), table.users.ids.to_list(), table.items.ids[0]) == (420, ["12.0", "13"], 1)
    assert {note for note in memory.source.notes if "dates" in note} <= {*table.source.notes}
    kept = prepare_ratings(tmp_path / "r.parquet", tmp_path / "kept", unrated=())
    assert (len(kept), kept.scale.lowest) == (560, -1)
    assert (
        prepare_ratings(tmp_path / "r.parquet", tmp_path / "k", timestamp="none").timestamp is None
    )
