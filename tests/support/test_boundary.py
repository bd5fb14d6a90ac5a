"""What other libraries raise becomes an error of tastemap."""

import zipfile

import polars as pl
import pytest

from tastemap.errors import ArtifactError, DataError
from tastemap.support.boundary import (
    LIBRARY_ERRORS,
    MAX_CHARACTERS,
    MAX_REASON_CHARACTERS,
    disk_errors,
    first_line,
    reason,
    refusing,
    shortened,
)


class PanicException(BaseException):
    """As libraries in Rust raise it: no `Exception`."""


def refused(error: BaseException, *allowed: type[BaseException]) -> str:
    with pytest.raises(DataError) as raised, refusing(DataError, *allowed):
        raise error
    assert raised.value.__cause__ is error
    return str(raised.value)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PanicException("range end 9\nout of 3"), "PanicException: range end 9 out of 3."),
        (RecursionError("too deep"), "RecursionError: too deep."),
        (KeyError("rating"), "KeyError: 'rating'."),
        (ValueError("row 9 of 3"), "row 9 of 3."),
        (pl.exceptions.ComputeError("no\nparquet"), "ComputeError: no parquet."),
        (ArtifactError("a model"), "a model.."),
    ],
)
def test_whatever_is_raised_is_told_in_a_line(error: BaseException, text: str) -> None:
    assert refused(error) == text


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError])
def test_what_says_nothing_of_the_file_passes(error: type[BaseException]) -> None:
    with pytest.raises(error), refusing(DataError):
        raise error


def test_what_is_allowed_passes() -> None:
    with pytest.raises(OSError, match="disk"), refusing(DataError, OSError):
        raise OSError("disk")
    assert refused(ValueError("x"), OSError) == "x."


def test_a_reason_is_one_line_of_bounded_length() -> None:
    assert len(reason(ValueError("a" * 10**6))) == MAX_REASON_CHARACTERS + 2
    assert shortened("\ud800\n\tb").encode() == b"? b"


def test_a_full_disk_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="No space left") as raised, disk_errors():
        raise pl.exceptions.ComputeError("I/O error: No space left on device (os error 28)")
    assert raised.value.errno == 28
    with pytest.raises(pl.exceptions.ComputeError), disk_errors():
        raise pl.exceptions.ComputeError("another")


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
