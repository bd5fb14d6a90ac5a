"""The boundary to other libraries: what they raise on damaged files becomes an error of ours.

A damaged file makes a library raise what it likes: errors of its own, built-in ones, and from code
in Rust a ``PanicException``, which is not even an `Exception`. No list of them is ever complete, so
the boundary lets through what it names and turns everything else into one kind.
"""

import csv
import lzma
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from polars.exceptions import PanicException, PolarsError

from tastemap.errors import TastemapError

# What says nothing about the file: the user or the machine ended the work.
_NOT_DAMAGE = (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError)
MAX_REASON_CHARACTERS = 300


@contextmanager
def refusing(
    refusal: Callable[[str], TastemapError], *allowed: type[BaseException]
) -> Iterator[None]:
    """Turn what the block raises into an error of tastemap.

    Args:
        refusal: Makes the error from the reason, one line.
        allowed: Exceptions that pass as they are.

    Raises:
        TastemapError: The result of ``refusal``.

    Example:
        >>> from tastemap.errors import DataError
        >>> with refusing(lambda reason: DataError("table", received=reason)):
        ...     [][0]
        Traceback (most recent call last):
        tastemap.errors.DataError: table; received IndexError: list index out of range.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, _NOT_DAMAGE + allowed):
            raise
        raise refusal(reason(error)) from error


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raise what a library in Rust says of a full disk as the `OSError` that it is."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error


def reason(error: BaseException) -> str:
    """What an exception says, in one line of bounded length, with its class where it says little.

    Example:
        >>> reason(KeyError("rating"))
        "KeyError: 'rating'"
    """
    text = str(error)
    if not isinstance(error, TastemapError | OSError | ValueError):
        text = f"{type(error).__name__}: {text}"
    return shortened(text)


def shortened(value: object) -> str:
    r"""A value as one line of bounded length, which any terminal and log can take.

    Example:
        >>> shortened("two\nlines")
        'two lines'
    """
    line = " ".join(str(value).encode("utf-8", "replace").decode().split())
    return line if len(line) <= MAX_REASON_CHARACTERS else f"{line[:MAX_REASON_CHARACTERS]} …"


#: What Python and the libraries raise where bytes or text are not what they expect. A mistake in a
#: program (TypeError, AttributeError, NameError) is none of these.
LIBRARY_ERRORS: tuple[type[BaseException], ...] = (
    ArithmeticError,
    BufferError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    ValueError,
    csv.Error,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    PolarsError,
    PanicException,  # of Rust, and no Exception
)
MAX_CHARACTERS = 200


def first_line(error: BaseException) -> str:
    r"""What an error says, in one line that is not long.

    Example:
        >>> first_line(ValueError("no table\nat all")), first_line(MemoryError())
        ('no table', 'MemoryError')
    """
    text = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")[:MAX_CHARACTERS]
