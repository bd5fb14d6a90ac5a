"""One file or frame as a table of ratings: what is read of it, refused, and foreseen."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemap.data.readers import table as tables
from tastemap.data.readers.archive import DataFile
from tastemap.data.readers.chunked_text import Reading
from tastemap.data.readers.read import read_ratings
from tastemap.errors import DataError
from tastemap.support import memory

ROWS = [("ann", 7, 4.5, 1000), ("bo", 7, 2.0, 3000), ("ann", 9, 3.0, 2000)]
FRAME = pl.DataFrame(ROWS, schema=["user_id", "item_id", "rating", "timestamp"], orient="row")
N = 2_000
HEADER = "userId,movieId,rating,timestamp\n"
TABLE = pl.DataFrame(
    {
        "user_id": np.arange(N) // 20 + 1,
        "item_id": np.arange(N) % 20 + 1,
        "rating": np.arange(N) % 5 + 1.0,
        "timestamp": 1_000_000_000 + np.arange(N),
    }
)
LINES = TABLE.write_csv(include_header=False).splitlines(keepends=True)


def written(tmp_path: Path, lines: list[str]) -> Path:
    path = tmp_path / "ratings.csv"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def test_a_fourth_column_that_is_no_time_is_left_alone(write):
    ratings = read_ratings(write("1,2,3,fine film\n1,3,4,a bore\n"))
    assert ratings.timestamp is None
    assert len(ratings) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"rating": [float("inf"), 2.0, 3.0]},
            "row 1, column rating; expected a finite number; rec",
        ),
        (
            {"rating": ["1", "2", "three"]},
            "row 3, column rating; expected a number; received 'three'",
        ),
        ({"user_id": [1, None, 2]}, "row 2, column user_id; expected a user; received nothing"),
        ({"item_id": [[1], [2], [3]]}, "column item_id; expected integers or text; received List"),
    ],
)
def test_bad_frames_are_named_by_row_and_column(change, message):
    frame = FRAME.with_columns(**{name: pl.Series(values) for name, values in change.items()})
    with pytest.raises(DataError, match=message):
        read_ratings(frame)


def test_of_parquet_only_the_columns_that_count_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    TABLE.with_columns(
        weight=pl.lit("x" * 100), title=pl.format("Film {}", "item_id")
    ).write_parquet(path)
    read = read_ratings(path)
    assert read.items.titles[0] == "Film 1"
    assert len(read) == N
    file, start = DataFile.of(path), path.read_bytes()[:6]
    columns = tables._read_arrow(file, start, {}, Reading())[0].columns
    assert "title" in columns
    assert "weight" not in columns


def test_where_no_row_is_right_it_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, [HEADER, "1,2,x,4\n", "1,3,y,5\n"])
    with pytest.raises(
        DataError, match="expected at least one rating; received none; .*2 bad rows"
    ):
        read_ratings(path, on_bad_row="skip")
    with pytest.raises(DataError, match="received none; 2,000 of 2,000 rows have no rating"):
        read_ratings(TABLE.with_columns(rating=pl.lit(None, pl.Float64)), on_bad_row="skip")


def test_a_rating_beyond_32_bits_is_no_rating(tmp_path: Path) -> None:
    path = written(tmp_path, [HEADER, "1,2,4,4\n", "1,3,1e39,5\n"])
    with pytest.raises(DataError, match="line 3, column rating; expected a finite number"):
        read_ratings(path)
    assert read_ratings(path, on_bad_row="skip").scale.highest == 4
    with pytest.raises(DataError, match="row 1, column rating; expected a finite number"):
        read_ratings(pl.DataFrame({"user": [1], "item": [2], "rating": [1e39]}))


def test_too_little_memory_is_foreseen_before_the_work_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, [HEADER, *LINES])
    TABLE.write_parquet(tmp_path / "x.parquet")
    monkeypatch.setattr(memory, "MIN_CHECKED_BYTES", 1000)
    monkeypatch.setattr(memory, "free_memory", lambda: 50_000)
    monkeypatch.setattr(tables, "read_parts", None)
    for source in (path, tmp_path / "x.parquet"):
        with pytest.raises(
            DataError, match=r"expected 0\.0 GiB of free memory for some [12],\d{3} ratings; rec"
        ):
            read_ratings(source)
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    assert len(read_ratings(tmp_path / "x.parquet")) == N


def test_numbers_that_need_64_bits_only_later(tmp_path: Path) -> None:
    path = written(tmp_path, [HEADER, *LINES, f"{2**62},{2**40},3,5\n"])
    read = read_ratings(path)
    assert read.users.ids[-1] == 2**62
    assert read.items.ids[-1] == 2**40
    assert len(read) == N + 1


def test_text_that_parquet_packs_is_in_the_estimate(tmp_path, monkeypatch):
    """A few kilobytes hold so many titles, and so many ratings of a pair."""
    monkeypatch.setattr(memory, "MIN_CHECKED_BYTES", 1000)
    n = 20_000
    frame = pl.DataFrame({"user": range(n), "item": [1] * n, "rating": [3.0] * n})
    for name in ("titled", "repeated"):
        other = frame.with_columns(user=pl.lit(1)) if name == "repeated" else frame
        other = other.with_columns(title=pl.lit("x" * 500)) if name == "titled" else other
        other.write_parquet(tmp_path / name)
    assert (tmp_path / "titled").stat().st_size < n * 10
    monkeypatch.setattr(memory, "free_memory", lambda: 100 * n)
    with pytest.raises(DataError, match=r"titled; expected 0.0 GiB of free memory for some 20,000"):
        read_ratings(tmp_path / "titled")
    with pytest.raises(DataError, match=r"repeated; expected .* to choose between duplicates"):
        read_ratings(tmp_path / "repeated")
    monkeypatch.setattr(memory, "free_memory", lambda: 2_000 * n)
    assert len(read_ratings(tmp_path / "titled")) == n
    assert len(read_ratings(tmp_path / "repeated")) == 1
