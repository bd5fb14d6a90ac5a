"""Ratings read by the cluster, held against those that one machine reads."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tastemap.data.readers.interactions import read_interactions
from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError, DataError
from tastemap.spark import index
from tastemap.spark import read as reading

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]


def test_what_is_read_is_what_one_machine_reads(spark: Any, tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "reader": ["007", "7", "ann", "ann", "é" * 300],
            "book": [2**53 + 1, 5, 5, 5, 7],
            "stars": [4.5, 2.0, 1.0, 3.0, 5.0],
            "when": [5, 6, 9, 8, 7],
        }
    )
    frame.write_csv(tmp_path / "plain.tsv", separator="\t")
    frame.write_parquet(tmp_path / "plain.parquet")
    for name in ("plain.tsv", "plain.parquet"):
        for duplicates in ("last", "first", "mean"):
            how = {"user": "reader", "duplicates": duplicates}
            here = read_ratings(tmp_path / name, **how)
            read = reading.read_table(spark, str(tmp_path / name), how)
            there = index.index_table(spark, read).collect()
            assert there.users.ids.equals(here.users.ids)
            assert there.items.ids.equals(here.items.ids)
            key = ["user_id", "item_id"]
            assert there.to_frame().sort(key).equals(here.to_frame().sort(key)), (name, how)
    how = {"user": "reader"}
    with pytest.raises(DataError, match="1 ratings of a pair already rated"):
        reading.read_table(spark, str(tmp_path / "plain.tsv"), how | {"duplicates": "error"})


def test_marks_and_forms_of_times_are_told_as_on_one_machine(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    for times in (
        (20240531, 20230101, 20220202),
        (1_700_000_000, 1_700_000_000_999, 1_600_000_000),
    ):
        lines = [f"{n},{n % 2},{(-1, 3, 5)[n]},{time}" for n, time in enumerate(times)]
        path.write_text("\n".join(["user,item,rating,time", *lines]))
        here, read = read_ratings(path), reading.read_table(spark, str(path), {})
        there = index.index_table(spark, read).collect()
        key = ["user_id", "item_id"]
        assert there.to_frame().sort(key).equals(here.to_frame().sort(key))
        assert here.source.notes[-2][:30] in "".join(read.notes)
        assert len(there) == 2
    path.write_text("user,item,plays\n1,1,3\n2,1,900\n")
    untimed = reading.read_table(spark, str(path), {"rating": "plays", "timestamp": "none"})
    assert untimed.frame.columns == ["user_id", "item_id", "value"]


def test_a_table_without_ratings_is_read_as_interactions(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "plays.csv"
    path.write_text(
        "user,artist,plays,time\nann,5,3,90\nann,6,900,80\nann,5,4,70\nbo,5,0,60\nbo,7,1,50\nbo,6,2,40\n"
    )
    for repeats in ("sum", "count", "last"):
        here = read_interactions(path, repeats=repeats)
        read = reading.read_table(spark, str(path), {"repeats": repeats})
        there = index.index_table(spark, read).collect()
        key = ["user_id", "item_id"]
        assert there.to_frame().sort(key).equals(here.to_frame().sort(key)), repeats
    events = tmp_path / "events.csv"
    events.write_text(
        "user,item,action\nann,5,view\nann,5,buy\nann,6,skip\nbo,5,\nbo,6,view\nbo,7,buy\nbo,8,view\n"
    )
    how = {"event_weights": {"view": 1.0, "buy": 5.0, "skip": -2.0}}
    here, there = read_interactions(events, **how), reading.read_table(spark, str(events), how)
    (said,) = [note for note in there.notes if note.startswith("events ")]
    assert said in here.source.notes
    pairs = index.index_table(spark, there).collect()
    assert pairs.to_frame().sort(key).equals(here.to_frame().sort(key))
    with pytest.raises(ArgumentError, match="event_weights; .*none for 'view', 'skip'"):
        reading.read_table(spark, str(events), {"event_weights": {"buy": 5.0}})
    found = index.index_table(spark, reading.read_table(spark, str(path), {}))
    assert found.source.notes[0] == (
        "4 interactions of 2 people with 3 artists; no ratings: lists, no stars"
    )
    assert "1 row of weight 0 left out" in found.source.notes
    with pytest.raises(ArgumentError, match="rating, weight; expected one of the two kinds"):
        reading.read_table(spark, str(path), {"weight": "plays", "rating": "plays"})
    with pytest.raises(ArgumentError, match="repeats; expected one of sum, count, last"):
        reading.read_table(spark, str(path), {"repeats": "keep"})
    path.write_text("user,artist,plays\nann,5,3\nann,6,-2\n")
    with pytest.raises(DataError, match="column plays; expected counts of at least 0.*-2"):
        reading.read_table(spark, str(path), {})


@pytest.mark.parametrize(
    "text", ['{"user": 1, "item": 2, "rating": 3}\n', "# mine\nu,i,r\n1,2,3\n"]
)
def test_what_only_one_machine_reads_is_refused(text: str, spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text(text)
    with pytest.raises(DataError, match="expected Parquet, or lines of columns .* write it as Par"):
        reading.read_table(spark, str(path), {})
    with pytest.raises(ArgumentError, match="layout; expected a row for each rating"):
        reading.read_table(spark, str(path), {"layout": "wide"})
