"""Errors of libraries, in one line."""

import zipfile

import polars as pl
import pytest

from tastemap.errors import DataError
from tastemap.support.boundary import LIBRARY_ERRORS, MAX_CHARACTERS, first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("a\nb"), "a"),
        (ValueError("ends."), "ends"),
        (MemoryError(), "MemoryError"),
        (ValueError("\n"), "ValueError"),
        (FileNotFoundError(2, "No such file or directory", "x"), "No such file or directory"),
        (zipfile.BadZipFile("x" * 1_000), "x" * MAX_CHARACTERS),
    ],
)
def test_an_error_says_what_it_is_in_one_line(error: Exception, line: str) -> None:
    assert first_line(error) == line


def test_mistakes_of_programs_are_none_of_them() -> None:
    for error in (TypeError, AttributeError, NameError, AssertionError, KeyboardInterrupt):
        assert not issubclass(error, LIBRARY_ERRORS)
    for error in (pl.exceptions.ComputeError, pl.exceptions.PanicException, DataError, KeyError):
        assert issubclass(error, LIBRARY_ERRORS)
