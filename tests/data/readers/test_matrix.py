"""A matrix of ratings: recognised by its content, read as it is meant, never by position."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tastemap.data.readers.matrix import Head, matrix_of, names_items, without_marks
from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError, DataError

NAN = float("nan")
HEADED = "user,Toy Story,Heat,Alien\nann,5,,3\nbo,4,2,\ncy,,1,5\n"
TRIPLES = [
    ("ann", "Toy Story", 5),
    ("ann", "Alien", 3),
    ("bo", "Toy Story", 4),
    ("bo", "Heat", 2),
    ("cy", "Heat", 1),
    ("cy", "Alien", 5),
]


def head_of(text: str, *, named: bool = True) -> Head:
    lines = [line.split(",") for line in text.split("\n")]
    columns = lines[0] if named else [f"column_{n}" for n in range(1, len(lines[0]) + 1)]
    return Head(columns, lines[named:], columns, named)


@pytest.mark.parametrize(
    "text",
    [
        HEADED,
        HEADED.replace(",", ";").replace("5", "5,0"),
        HEADED.replace("user", "").replace(",,", ",NA,"),
        "".join(f"{n or ''},{line}\n" for n, line in enumerate(HEADED.splitlines())),
        HEADED.replace(",,", ",0,").replace("2,\n", "2,0\n").replace("cy,,", "cy,0,"),
        "movie,ann,bo,cy\nToy Story,5,4,\nHeat,,2,1\nAlien,3,,5\n",
    ],
)
def test_matrices_with_a_header(text: str, write) -> None:
    ratings = read_ratings(write(text))
    assert sorted(ratings.to_frame().rows()) == sorted(TRIPLES)
    shape = "3 items × 3 users" if text.startswith("movie") else "3 users × 3 items"
    assert any(f"a matrix of {shape}; empty cells" in note for note in ratings.source.notes)


def test_names_of_items_may_be_numbers(write) -> None:
    ratings = read_ratings(write("userId,1,2,3\n7,4.0,,5\n8,,3.5,\n"))
    assert ratings.to_frame().rows() == [(7, 1, 4.0), (7, 3, 5.0), (8, 2, 3.5)]
    assert not names_items(["ann", "7", "3", "1000"], [["bo", "7", "2", "3000"]])


def test_a_matrix_without_a_header_that_counts_its_ratings(write) -> None:
    text = "3,-7.82,8.79,-9.66\n2,4.08,-0.29,99\n1,99,99,9.03\n2,-1.5,99,2.5\n"
    ratings = read_ratings(write(text))
    assert (ratings.n_users, ratings.n_items, len(ratings)) == (4, 3, 8)
    assert ratings.scale.highest < 99
    note = "a matrix of 4 users × 3 items; empty cells and 99 are not rated"
    assert any(said.startswith(note) for said in ratings.source.notes)
    kept = read_ratings(write(text), unrated=())
    assert (len(kept), kept.scale.highest) == (12, 99)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("user,item,rating,time\n1,2,3,4\n2,3,,5", True),
        ("a,b,c\n1,2,3\n2,3,4", True),
        ("a,b,c\n1,2,3\n1,,4", True),  # no user has two rows
        ("a,b,c\n1,2,30\n2,,40", True),  # no scale
        ("a,b,c\n1,2,x\n2,,y", True),
        ("1,2,3\n2,,4", False),
        ("1,7,3,4\n2,8,5,", False),  # an item and a rating in each row
        ("1,2,3,4,5,6\n1,3,4,5,6,7", False),
        ("7,7,4,881250949\n8,8,5,881250950", False),
    ],
)
def test_what_may_be_something_else_is_no_matrix(text: str, named: bool) -> None:
    assert matrix_of("x", head_of(text, named=named), {}, None) is None


def test_items_named_like_columns_of_a_table_do_not_hide_a_matrix() -> None:
    head = head_of("u,a,i,r,t,e\n1,,2,5,,5\n2,2,,3,3,")
    matrix = matrix_of("x", head, {}, None)
    assert matrix is not None
    assert matrix.ids == ("a", "i", "r", "t", "e")
    long = head_of("user,item,rating,a,b,c\n1,2,3,4,5,\n2,3,4,5,5,")
    assert matrix_of("x", long, {}, None) is None


def test_it_can_be_said(write) -> None:
    full = write("who,Heat,Alien\nann,5,3\nbo,4,2\n")
    with pytest.raises(DataError, match="column of the user"):
        read_ratings(full)
    wide = read_ratings(full, layout="wide")
    assert wide.to_frame().rows()[:2] == [("ann", "Heat", 5), ("ann", "Alien", 3)]
    turned = read_ratings(full, layout="wide", item="who")
    assert turned.to_frame().rows()[:2] == [("Heat", "ann", 5), ("Alien", "ann", 3)]
    with pytest.raises(DataError, match="column of the item"):
        read_ratings(write(HEADED), layout="long")
    with pytest.raises(ArgumentError, match="layout; expected 'long' or 'wide'; received 'broad'"):
        read_ratings(full, layout="broad")
    with pytest.raises(ArgumentError, match="rating; expected no such column where layout='wide'"):
        read_ratings(full, layout="wide", rating="Heat")
    with pytest.raises(DataError, match="received no column of numbers"):
        read_ratings(write("a,b\nx,y\n"), layout="wide")


def test_rows_without_an_id_are_numbered_where_it_is_said_to_be_a_matrix(write) -> None:
    text = "Heat,Alien,Up\n5,,3\n4,2,\n5,1,5\n"
    with pytest.raises(DataError, match="if each further column is an item: layout='wide'"):
        read_ratings(write(text))
    for content in (text, text.split("\n", 1)[1]):
        ratings = read_ratings(write(content), layout="wide")
        assert (ratings.n_users, ratings.n_items, len(ratings)) == (3, 3, 7)


def test_marks_for_not_rated() -> None:
    def rated(*values: float) -> tuple[list[float], str]:
        numbers = np.array(values)
        mask, mark = without_marks(numbers)
        return numbers[mask].tolist(), mark

    assert rated(1, NAN, 5) == ([1, 5], "")
    assert rated(-9.5, 99, 3.25) == ([-9.5, 3.25], "99")
    assert rated(1, 0, 0, 5) == ([1, 5], "0")
    assert rated(60, 99, 80) == ([60, 99, 80], "")
    assert rated(0, 1, 2, 3, 4, 5) == ([0, 1, 2, 3, 4, 5], "")
    assert rated(-1, 0, 1, 0) == ([-1, 0, 1, 0], "")
    assert rated(0, 0, 1) == ([0, 0, 1], "")


def test_frames_and_parquet_and_json(tmp_path) -> None:
    frame = pd.DataFrame(
        {"Toy Story": [5, 4, NAN], "Heat": [NAN, 2, 1], "Alien": [3, NAN, 5]},
        index=pd.Index(["ann", "bo", "cy"], name="user"),
    )
    plain = pl.DataFrame(frame.reset_index())
    plain.write_parquet(tmp_path / "x.parquet")
    plain.fill_nan(None).write_ndjson(tmp_path / "x.jsonl")
    for source in (frame, plain, tmp_path / "x.parquet", tmp_path / "x.jsonl"):
        ratings = read_ratings(source)
        assert ratings.to_frame().rows() == TRIPLES
        assert "a matrix of 3 users × 3 items; empty cells are not rated" in ratings.source.notes
    odd = plain.with_columns(b=pl.lit(b"\xff"), l=pl.lit([1]))
    with pytest.raises(DataError, match="column of the item"):
        read_ratings(odd)
    assert read_ratings(odd, layout="wide").to_frame().rows() == TRIPLES
    with pytest.raises(DataError, match="row 2, column user; expected a user; received nothing"):
        read_ratings(plain.with_columns(user=pl.Series(["ann", None, "cy"])), layout="wide")
