import gzip
import io
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.data.readers.prepare import prepare_ratings
from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError, DataError

ROWS = [("ann", 7, 4.5, 1000), ("bo", 7, 2.0, 3000), ("ann", 9, 3.0, 2000)]
FRAME = pl.DataFrame(ROWS, schema=["user_id", "item_id", "rating", "timestamp"], orient="row")
CSV = "user,movieId,stars,date\nann,7,4.5,1000\nbo,7,2,3000\nann,9,3,2000\n"


def same(ratings):
    assert ratings.to_frame().rows() == ROWS
    return ratings.source.notes


def test_compressed_text_parquet_and_arrow_are_told_by_their_first_bytes(write, tmp_path):
    same(read_ratings(write(gzip.compress(CSV.encode()), "ratings.data")))
    FRAME.write_parquet(tmp_path / "a.x")
    same(read_ratings(tmp_path / "a.x"))
    FRAME.write_ipc(tmp_path / "b.x")
    same(read_ratings(str(tmp_path / "b.x")))


def test_frames_of_any_kind():
    same(read_ratings(FRAME))
    same(read_ratings(FRAME.lazy()))
    same(read_ratings(FRAME.to_pandas()))
    same(read_ratings(FRAME.to_pandas().set_index(pd.Index([5, 6, 7]))))
    same(read_ratings(FRAME.to_arrow()))

    class Streams:
        def __arrow_c_stream__(self, requested_schema=None):
            return FRAME.to_arrow().__arrow_c_stream__(requested_schema)

    class Interchanges:
        def __dataframe__(self, **options):
            return pa.table({c: FRAME[c].to_list() for c in FRAME.columns}).__dataframe__(**options)

    same(read_ratings(Streams()))
    same(read_ratings(Interchanges()))
    with pytest.raises(
        ArgumentError, match=r"source; expected a path or a data frame .* list; giv"
    ):
        read_ratings([1, 2])
    categorical = FRAME.with_columns(pl.col("user_id").cast(pl.Categorical))
    same(read_ratings(categorical))


@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(-5, 99), st.text("abcÄ ,;\"'|7", min_size=1, max_size=4)),
            st.integers(0, 2**40),
            st.floats(-1e4, 1e4, width=32),
            st.integers(0, 2**31),
        ),
        min_size=2,
        max_size=30,
        unique_by=lambda row: (str(row[0]).strip(), row[1]),
    )
)
def test_any_table_survives_the_round_trip_through_csv(rows):
    rows = [(str(user).strip(), *rest) for user, *rest in rows if str(user).strip()]
    if not rows:
        return
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "rating", "timestamp"], orient="row")
    file = io.BytesIO()
    frame.write_csv(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tastemap.data.readers.read.first_bytes", lambda path: b"")
        patch.setattr(
            "tastemap.data.readers.archive.DataFile.of", lambda path: memory(file.getvalue())
        )
        read = read_ratings("memory.csv", rating="rating", unrated=()).to_frame()
    assert read["user_id"].cast(pl.String).to_list() == frame["user_id"].to_list()
    assert read["item_id"].to_list() == frame["item_id"].to_list()
    assert read["rating"].to_list() == frame["rating"].to_list()
    assert read["timestamp"].to_list() == frame["timestamp"].to_list()


def memory(content):
    from tastemap.data.readers.archive import DataFile

    return DataFile("memory.csv", lambda: content)


def test_a_watch_history_stands_beside_the_stars(tmp_path: Path) -> None:
    """Its ids take the type of those of the ratings, and items of both are described."""
    (tmp_path / "stars.csv").write_text("user,film,stars\n1,7,4\n1,8,2\n2,7,5\n")
    (tmp_path / "watched.csv").write_text("user,film,date\n1,7,2024-01-01\n2,9,2024-01-02\n")
    films = pl.DataFrame({"film": [7, 8, 9], "title": ["Heat", "Alien", "Jaws"]})
    ratings = read_ratings(tmp_path / "stars.csv", seen=tmp_path / "watched.csv", items=films)
    assert ratings.seen.to_frame().select("user_id", "item_id").rows() == [(2, 9)]
    assert ratings.items.titles.to_list() == ["Heat", "Alien", "Jaws"]
    text = pl.DataFrame({"user": ["2", "2"], "film": ["8", "9"]})
    assert len(read_ratings(tmp_path / "stars.csv", seen=text).seen) == 2
    with pytest.raises(DataError, match=r"seen, item_id; expected ids such as 7, .*'x8'"):
        read_ratings(tmp_path / "stars.csv", seen={2: ["x8", "x9"], 1: ["x9"]})
    prepared = write_prepared_copy(tmp_path)
    assert len(read_ratings(prepared, seen=text).seen) == 2


def write_prepared_copy(tmp_path: Path) -> Path:
    frame = pl.DataFrame({"user": [1, 1, 2], "item": [7, 8, 7], "rating": [4, 2, 5]})
    frame.write_parquet(tmp_path / "r.parquet")
    prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")
    return tmp_path / "table"
