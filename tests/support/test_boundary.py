"""What other libraries raise becomes an error of tastemap."""

import polars as pl
import pytest

from tastemap.errors import ArtifactError, DataError
from tastemap.support.boundary import (
    MAX_REASON_CHARACTERS,
    disk_errors,
    failures,
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
        (PanicException("range end 9\nout of 3"), "range end 9."),
        (RecursionError("too deep"), "too deep."),
        (EOFError(), "EOFError."),
        (ValueError("\n"), "ValueError."),
        (FileNotFoundError(2, "No such file or directory", "x"), "No such file or directory."),
        (KeyError("rating"), "KeyError: 'rating'."),
        (ValueError("row 9 of 3"), "row 9 of 3."),
        (pl.exceptions.ComputeError("no\nparquet"), "no."),
        (ArtifactError("a model"), "a model."),
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


def test_a_failure_is_noted_with_what_to_do_and_the_work_goes_on() -> None:
    notes: list[str] = []
    for error in (
        DataError("table", expected="rows", do="add rows"),
        MemoryError(),
        KeyError("x"),
        PanicException("range end 9\nout of 3"),
    ):
        with failures(notes.append):
            raise error
    assert notes == [
        "table; expected rows; add rows",
        "MemoryError; give this model fewer factors, or take another",
        "KeyError: 'x'; leave this model out, and report it with this line",
        "PanicException: range end 9; leave this model out, and report it with this line",
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_who_ends_the_work_ends_it(error: type[BaseException]) -> None:
    with pytest.raises(error), failures(print):
        raise error
