"""A matrix in a text file: bad cells are named, wide ones cost no more than their cells."""

import pytest

from tastemap.data.readers.read import read_ratings
from tastemap.errors import DataError

HEADED = "user,Toy Story,Heat,Alien\nann,5,,3\nbo,4,2,\ncy,,1,5\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("dee,5,x,3", "line 5, column Heat; expected a number, or nothing where there is no rat"),
        ("dee,5,1_0,3", "line 5, column Heat; expected a number, .* received '1_0'"),
        ("dee,5,1e999,3", "line 5, column Heat; expected a number, .* received '1e999'"),
        (",5,1,3", "line 5, column user; expected an id; received nothing"),
        ("dee,5,3", "line 5; expected 4 fields; received 3"),
    ],
)
def test_a_bad_row_is_named_or_skipped(line: str, message: str, write) -> None:
    path = write(HEADED + line + "\ned,1,,\n")
    with pytest.raises(DataError, match=message):
        read_ratings(path, layout="wide", user="user")
    ratings = read_ratings(path, layout="wide", user="user", on_bad_row="skip")
    assert (ratings.n_users, len(ratings)) == (4, 7)
    assert any("1 bad rows skipped, the first: " in note for note in ratings.source.notes)


def test_parts_blocks_and_decimal_commas(write, monkeypatch) -> None:
    monkeypatch.setattr("tastemap.data.readers.text.CHUNK_BYTES", 30)
    text = (
        (HEADED + HEADED.replace("ann", "dee").replace("bo", "ed").replace("cy", "flo"))
        .replace(",", ";")
        .replace("4", "3,5")
    )
    ratings = read_ratings(write(text))
    assert ratings.to_frame()["rating"].to_list() == [5, 3, 3.5, 2, 1, 5] * 2
    assert "1 line that repeats the header skipped" in ratings.source.notes
    assert "numbers written with a decimal comma" in ratings.source.notes


def test_columns_without_numbers_are_left_out_where_it_is_said_to_be_a_matrix(write) -> None:
    path = write("name,town,Heat,Alien,\nann,Bern,5,3,\nbo,Rome,4,,\n")
    ratings = read_ratings(path, layout="wide")
    assert ratings.items.ids.to_list() == ["Alien", "Heat"]
    assert any("columns left out that hold no numbers: town" in n for n in ratings.source.notes)


def test_twenty_thousand_columns(write) -> None:
    n = 20_000
    names = ",".join(f"i{n}" for n in range(n))
    rows = [f"u{row}" + "," * (10 * row + 1) + "4" + "," * (n - 1 - 10 * row) for row in range(4)]
    ratings = read_ratings(write("\n".join(["user," + names, *rows]) + "\n"))
    assert ratings.to_frame().rows() == [(f"u{row}", f"i{10 * row}", 4) for row in range(4)]
    with pytest.raises(DataError, match="expected at most 1,000 columns, or a matrix of ratings"):
        read_ratings(write("\n".join(["user," + names, *rows]) + "\n"), layout="long")
