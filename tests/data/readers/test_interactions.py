"""Tables without ratings: which columns they are read from, and what is said of them."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.sparse

from tastemap.data.interactions import Interactions
from tastemap.data.readers.interactions import read_interactions
from tastemap.errors import ArgumentError, DataError

EVENTS = (
    "visitorid,itemid,event,timestamp\n"
    "1,7,view,1433221332118\n1,8,view,1433221333118\n1,7,buy,1433221334118\n2,7,view,1433221335118\n"
)


def read(tmp_path: Path, text: str, **options: Any) -> Interactions:
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    return read_interactions(tmp_path / "table.csv", **options)


def rows(interactions: Interactions) -> list[tuple]:
    return interactions.to_frame().rows()


def test_two_columns_with_and_without_a_header(tmp_path: Path) -> None:
    body = "ann,Heat\nann,Alien\nbo,Heat\n"
    pairs = [("ann", "Heat", 1.0), ("ann", "Alien", 1.0), ("bo", "Heat", 1.0)]
    for text in ("user,film\n" + body, body):
        assert rows(read(tmp_path, text, has_header=text != body)) == pairs
    notes = read(tmp_path, "session_id,film\n" + body).source.notes
    assert notes[0] == ("3 interactions of 2 sessions with 2 films; no ratings: lists, no stars")


def test_plays_are_weights_and_rows_of_none_are_left_out(tmp_path: Path) -> None:
    text = "userID\tartistID\tplays\n0\t5\t352698\n0\t6\t3\n1\t5\t0\n1\t6\t\n2\t5\t9\n"
    plays = read(tmp_path, text)
    assert rows(plays) == [(0, 5, 352698.0), (0, 6, 3.0), (2, 5, 9.0)]
    assert "2 rows of weight 0, or without a weight, are left out" in plays.source.notes
    assert "352,710 plays by 2 people of 2 artists" in plays.source.notes[0]


def test_events_weigh_what_their_kind_weighs(tmp_path: Path) -> None:
    equal = read(tmp_path, EVENTS)
    assert rows(equal) == [
        (1, 8, 1.0, 1433221333),
        (1, 7, 2.0, 1433221334),
        (2, 7, 1.0, 1433221335),
    ]
    assert any("events view (3), buy (1): each weighs 1" in note for note in equal.source.notes)
    weighed = read(tmp_path, EVENTS, event_weights={"view": 0, "buy": 10})
    assert rows(weighed) == [(1, 7, 10.0, 1433221334)]
    with pytest.raises(ArgumentError, match=r"none for 'buy'.*event_weights=.'view': 2, 'buy': 1"):
        read(tmp_path, EVENTS, event_weights={"view": 2})
    unknown = EVENTS + "2,8,,1433221335119\n"
    weighed = read(tmp_path, unknown, event_weights={"view": 2, "buy": 1})
    assert len(weighed) == 3
    assert "1 row of weight 0, or without a weight, is left out" in weighed.source.notes
    assert len(read(tmp_path, unknown)) == 4
    with pytest.raises(ArgumentError, match="a column of the kinds of events"):
        read(tmp_path, EVENTS, event="none", event_weights={"view": 2})


@pytest.mark.parametrize(("yes", "no"), [("True", "False"), ("1", "0"), ("1", "-1"), ("yes", "no")])
def test_a_dislike_has_a_weight_below_zero(tmp_path: Path, yes: str, no: str) -> None:
    liked = read(tmp_path, f"user,item,liked\nann,Heat,{yes}\nbo,Heat,{no}\nann,Alien,{yes}\n")
    assert liked.weight.tolist() == [1, -1, 1]
    assert "dislikes, of a weight below 0: 1" in liked.source.notes


@pytest.mark.parametrize(
    ("repeats", "weights"), [("sum", [5, 3, 4]), ("count", [1, 2, 1]), ("last", [5, 1, 4])]
)
def test_repeats(repeats: str, weights: list[float]) -> None:
    """The newest of the pair (1, 7) is its first row."""
    frame = pl.DataFrame(
        {"user": [1, 1, 1, 2], "item": [7, 8, 7, 7], "n": [1, 5, 2, 4], "time": [30, 20, 10, 5]}
    )
    table = read_interactions(frame, repeats=repeats)
    assert (
        table.to_frame().sort("user_id", "item_id", descending=[False, True])["weight"].to_list()
        == weights
    )
    assert len(read_interactions(frame, repeats="keep")) == 4
    with pytest.raises(ArgumentError, match="one of sum, count, last, keep"):
        read_interactions(frame, repeats="mean")


def test_collections_and_matrices() -> None:
    dense = np.array([[2, 0, 1], [0, 3, 0]])
    weighed = [(0, 0, 2.0), (0, 2, 1.0), (1, 1, 3.0)]
    sources: list[Any] = [
        scipy.sparse.csr_array(dense),
        scipy.sparse.csr_matrix(dense),
        np.array(weighed),
        weighed,
        {0: {0: 2, 2: 1}, 1: {1: 3}},
    ]
    assert [rows(read_interactions(source)) for source in sources] == [weighed] * len(sources)
    pairs = [("a", "x", 1.0), ("a", "y", 1.0), ("b", "x", 1.0)]
    for source in ({"a": ["x", "y"], "b": ["x"]}, [pair[:2] for pair in pairs]):
        assert rows(read_interactions(source)) == pairs


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (np.zeros((3, 4)), "ndarray of 4 columns"),
        ([(1, 2), (3,)], "pairs of a user and an item"),
        ({}, "of 0 columns"),
        ({"a": [1, "x"], "b": [2]}, "pairs of a user and an item"),
        ({"a": ["x", "y"], "b": {"x": 5}}, "weights of some users and none of others"),
        ({"a": "xy", "b": "x"}, "the text 'xy' in place of a list"),
        (7, "a path or a data frame"),
    ],
)
def test_collections_of_anything_else(source: Any, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        read_interactions(source)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("user,item,plays\n1,7,3\n1,8,-4\n", "row 2, column plays; expected a count of at least 0"),
        ("user,item,plays\n1,7,3\n1,8,inf\n", "row 2, column plays"),
        ("user,item,plays\n1,7,0\n1,8,0\n", "all weights are 0 or missing.*weight='none'"),
        ("user,item\n1,7\n1,8\n", "all 2 interactions by one, 1;.*user=..."),
        ("session,item\n1,7\n2,7\n3,8\n", "one item for each of 3 in the column session"),
        ("who,item\n1,7\n2,7\n", "column of the user;.*user='NAME', item='item'"),
        ("user,item\n1,7\n,8\n", "line 3, column user"),
    ],
)
def test_tables_that_teach_nothing(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read(tmp_path, text)


def test_equal_weights_are_said() -> None:
    table = read_interactions([(1, 7, 3), (1, 8, 3), (2, 7, 3)])
    assert "all weights are 3: they tell no item from another" in table.source.notes


def test_without_a_header_the_third_column_is_what_it_holds(tmp_path: Path) -> None:
    timed = read(tmp_path, "1,7,1433221332\n1,8,1433221333\n2,7,1433221334\n", has_header=False)
    assert timed.timestamp is not None
    counted = read(tmp_path, "1,7,12\n1,8,3\n2,7,1\n", has_header=False)
    assert (counted.weight.tolist(), counted.timestamp) == ([12, 3, 1], None)


def test_frames_and_binary_files_are_read_alike(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user": [1, 1, 2], "item": [7, 8, 7], "plays": [3, 1, 2]})
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_ndjson(tmp_path / "t.jsonl")
    expected = rows(read_interactions(frame))
    for name in ("t.parquet", "t.jsonl"):
        assert rows(read_interactions(tmp_path / name)) == expected
    assert rows(read_interactions(frame.to_pandas())) == expected
