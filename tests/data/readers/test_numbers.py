"""Numbers of a column in any form: one form a column, and what is not clear is refused."""

import polars as pl
import pytest

from tastemap.data.readers.numbers import (
    PLAIN,
    as_numbers,
    common_form,
    number_form,
    truth_values,
    value_check,
)
from tastemap.data.readers.read import read_ratings
from tastemap.errors import DataError


@pytest.mark.parametrize(
    ("texts", "values", "note"),
    [
        (["3", "4.5", "-1e0"], [3, 4.5, -1], None),
        (["3,5", "4", "0,25"], [3.5, 4, 0.25], "decimal comma"),
        (["1,234", "0,500"], [1.234, 0.5], "decimal comma"),
        (["4/5", "3,5 / 5".replace(" / ", "/")], [4, 3.5], "4/5 read as 4"),
        (["4 out of 5", "5 out of 5"], [4, 5], "4/5 read as 4"),
        (["★★★½", "★☆☆☆☆", "½"], [3.5, 1, 0.5], "stars"),
        (["4 stars", "1 star"], [4, 1], "4 stars read as 4"),
        (["80%", "92,5 %"], [80, 92.5], "80 % read as 80"),
        (["3", "NA", "—", "", None], [3, None, None, None, None], None),
        (["\N{MINUS SIGN}2", "3"], [-2, 3], None),
    ],
)
def test_a_column_has_one_form(texts, values, note) -> None:
    numbers, notes = as_numbers("x", pl.Series("stars", texts))
    assert numbers.to_list() == values
    assert [note in text for text in notes] == ([] if note is None else [True])


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["3,5", "4.5", "4,5"], "row 2, column stars; expected a number as the others, writ"),
        (["1.234,5", "3"], "without marks between thousands; received '1.234,5'"),
        (["1,234", "2,500"], "without marks between thousands; received '1,234'"),
        (["4/5", "8/10"], "row 1, column stars; expected a number"),
        (["3", "three"], "row 2, column stars; expected a number; received 'three'"),
        (["1_0"], "received '1_0'"),
        (["٣"], "received '٣'"),
    ],
)
def test_what_is_not_clear_is_refused(texts, expected) -> None:
    with pytest.raises(DataError, match=expected):
        as_numbers("x", pl.Series("stars", texts))


def test_other_types() -> None:
    assert as_numbers("x", pl.Series([1, None]))[0].to_list() == [1.0, None]
    assert as_numbers("x", pl.Series([1.5, float("nan")]))[0].to_list() == [1.5, None]
    with pytest.raises(DataError, match="expected numbers; received List"):
        as_numbers("x", pl.Series("r", [[1], [2]]))


def test_words_for_true_and_false() -> None:
    assert truth_values(pl.Series(["True", "no", None])).to_list() == [1.0, 0.0, None]
    assert truth_values(pl.Series([True, False])).to_list() == [1.0, 0.0]
    assert truth_values(pl.Series(["true", "maybe"])) is None
    assert truth_values(pl.Series([1, 0])) is None


def test_forms_and_checks_of_single_values() -> None:
    assert number_form(["3", "", "4.5"]) == PLAIN
    assert number_form(["3", "x"]) is None
    assert common_form(["3,5", "4,5", "x"]).note == "written with a decimal comma"
    is_any, is_plain = value_check(None), value_check(PLAIN)
    assert is_any("3,5")
    assert is_any("★")
    assert is_plain("NA")
    assert not is_plain("3,5")
    assert not is_plain("1e39")  # 32 bits do not hold it


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_commas_of_a_file(delimiter, write) -> None:
    lines = ["user,item,rating", "ann,Heat,3.5", "bo,Heat,4.0", "ann,Alien,2.5"]
    text = "\n".join(lines).replace(",", delimiter).replace(".", ",")
    ratings = read_ratings(write(text))
    assert ratings.rating.tolist() == [3.5, 4.0, 2.5]
    assert "column rating: numbers written with a decimal comma" in ratings.source.notes
    # In quotes, and only far below the first lines.
    rows = [f"{n},1,{n % 5}" for n in range(2000)]
    ratings = read_ratings(write("\n".join(["user,item,rating", *rows, '2000,1,"3,5"'])))
    assert ratings.scale.step == 0.5
    assert len(ratings) == 2001


def test_rows_without_a_rating_are_left_out_and_said(write) -> None:
    path = write("user,item,rating\n1,2,3\n1,3,\n1,4,NA\n1,5,nan\n2,2,4\n")
    ratings = read_ratings(path)
    assert len(ratings) == 2
    assert "3 of 5 rows have no rating and are kept as seen" in ratings.source.notes
