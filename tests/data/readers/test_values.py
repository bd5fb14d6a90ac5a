"""Marks for nothing, and the error of a wrong value."""

import polars as pl

from tastemap.data.readers.values import bad_value, is_missing, present


def test_marks_for_nothing() -> None:
    for mark in ("", " ", "—", "-", "n/a", "NA", "null", "NaN", "\\N"):
        assert is_missing(mark)
    for value in ("0", "-1", "Nan Goldin", "none of them"):
        assert not is_missing(value)


def test_present_values_of_any_type() -> None:
    assert present(pl.Series([" 1 ", "—", None])).to_list() == ["1", None, None]
    assert present(pl.Series([1.0, float("nan"), None])).to_list() == [1.0, None, None]
    assert present(pl.Series([1, None])).to_list() == [1, None]


def test_the_first_wrong_value_is_named_by_its_row() -> None:
    series = pl.Series("stars", ["1", "x", None, "y"])
    error = bad_value("books", series, pl.Series([False, None, True, True]), "a number")
    assert str(error).startswith("books, row 3, column stars; expected a number; received nothing")
