"""What stands above a table, whether a line names its columns, and which columns it has."""

import pytest

from tastemap.data.readers.encoding import Line
from tastemap.data.readers.header import fitted, is_header, is_value, top_of
from tastemap.data.readers.read import read_ratings
from tastemap.errors import DataError

ROWS = [("ann", 7, 4.5), ("bo", 7, 2.0), ("ann", 9, 3.0)]
CSV = "user,item,rating\nann,7,4.5\nbo,7,2\nann,9,3\n"
BODY = CSV.split("\n", 1)[1]


def lines_of(*texts: str) -> list[Line]:
    return [Line(number, text) for number, text in enumerate(texts, 1)]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("# fetched today\n# by me\n" + CSV, "2 lines above the table skipped, the first: '# fet"),
        ("# user,item,rating\n" + BODY, "the comment in line 1 read as the header"),
        ("# mine\n# user,item,rating\n" + BODY, "the comment in line 2 read as the header"),
        ("sep=;\n" + CSV.replace(",", ";"), "1 line above the table skipped, the first: 'sep=;'"),
        ("My ratings\n\n" + CSV, "1 line above the table skipped, the first: 'My ratings'"),
        ("% bip weighted\n" + BODY.replace(",", " "), "first line read as data, not a header"),
    ],
)
def test_what_stands_above_the_table_is_skipped_and_said(text: str, note: str, write) -> None:
    ratings = read_ratings(write(text))
    assert ratings.to_frame().rows() == ROWS
    assert any(said.startswith(note) for said in ratings.source.notes), ratings.source.notes


def test_the_sizes_of_a_matrix_market_file_are_no_rating(write) -> None:
    text = "%%MatrixMarket matrix coordinate real general\n% mine\n9 9 3\n1 7 4.5\n2 7 2\n1 9 3\n"
    assert read_ratings(write(text)).to_frame().rows() == [(1, 7, 4.5), (2, 7, 2.0), (1, 9, 3.0)]


def test_ids_that_begin_like_comments_are_no_comments() -> None:
    lines = lines_of("#1,a,3", "#2,a,3", "x,a,3", "#3,b,4")
    assert top_of(lines)[1] == lines
    assert top_of(lines_of("#a", "#b"))[1] == lines_of("#a", "#b")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("user,item,rating\nann,7,3", True),
        ("who,what,mark\nann,Heat,3", True),
        ("ann,7,3\nbo,7,2", False),
        ("ann,Heat,good\nbo,Heat,bad", False),
        ("user,item,liked\nann,Heat,yes", True),
        ("user,item,2024\nann,Heat,5\nbo,Heat,3", False),
        ("a,b,2024\n1,2,5\n2,2,3", True),
        ("ann,2024-05-01,3,5\nbo,2024-06-01,2,4", False),
        ("userId,1,2,3\nann,5,,\nbo,,3,4", True),
        ("ann;Heat;3,5\nbo;Heat;4,0", False),
    ],
)
def test_a_header_has_words_above_values(text: str, answer: bool) -> None:
    first, *body = [line.split(";" if ";" in line else ",") for line in text.split("\n")]
    assert is_header(first, body) is answer


def test_numbers_with_commas_and_dates_are_values() -> None:
    assert all(map(is_value, ["3,5", "-1", "1e3", "2024-05-31", "31.05.2024", "5/31/24 10:00"]))
    assert not any(map(is_value, ["", "ann", "1-2", "item_1", "2024-05/31"]))


@pytest.mark.parametrize(
    "text",
    [
        ",user,item,rating\n0,ann,7,4.5\n1,bo,7,2\n2,ann,9,3\n",  # pandas
        "user,item,rating\n1,ann,7,4.5\n2,bo,7,2\n3,ann,9,3\n",  # R
        "user,item,rating,\nann,7,4.5,\nbo,7,2,\nann,9,3,\n",
        "user,item,rating\nann,7,4.5,\nbo,7,2,\nann,9,3,\n",
        "user,item,rating,\nann,7,4.5\nbo,7,2\nann,9,3\n",
        "ann,7,4.5,\nbo,7,2,\nann,9,3,\n",
        "user,note,item,rating,note\nann,x,7,4.5,x\nbo,y,7,2,y\nann,,9,3,\n",
    ],
)
def test_columns_without_a_name_or_with_the_same_do_no_harm(text: str, write) -> None:
    assert read_ratings(write(text)).to_frame().rows() == ROWS


def test_a_doubled_name_that_is_needed_is_named(write) -> None:
    text = "user,item,item,rating,note,note\nann,7,8,4,a,b\n"
    message = r"line 1; expected each column name once; received item, note more than once; ren"
    with pytest.raises(DataError, match=message):
        read_ratings(write(text))
    ratings = read_ratings(write(text), item="column_3")
    assert ratings.to_frame().rows() == [("ann", 8, 4)]


def test_names_of_columns() -> None:
    names, notes = fitted(["user:token", "a", "a", ""], [["x", "1", "2", ""]], named=True)
    assert names.columns == ("user", "column_2", "column_3", "column_4")
    assert (names.names, names.doubled, notes) == (("user",), ("a",), [])
    names, _ = fitted(["ann", "7", "3", ""], [["bo", "7", "2", ""]], named=False)
    assert names.columns == ("column_1", "column_2", "column_3", "column_4")
    assert names.names == names.columns[:3]
