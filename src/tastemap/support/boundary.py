"""The boundary to other libraries: what they raise on damaged files becomes an error of ours.

A damaged file makes a library raise what it likes: errors of its own, built-in ones, and from code
in Rust a ``PanicException``, which is not even an `Exception`. No list of them is ever complete, so
the boundary lets through what it names and turns everything else into one kind.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tastemap.errors import TastemapError

# The user or the system ended the work.
_ENDINGS = (KeyboardInterrupt, SystemExit, GeneratorExit)
# What says nothing about the file.
_NOT_DAMAGE = (*_ENDINGS, MemoryError)
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
def failures(note: Callable[[str], object]) -> Iterator[None]:
    """Go on after a block that fails, whatever it raises, except where a person ended it.

    Args:
        note: Called with the failure in one line: why, and what to do.

    Example:
        >>> with failures(print):
        ...     1 / 0
        ZeroDivisionError: division by zero; leave this model out, and report it with this line
    """
    try:
        yield
    except _ENDINGS:
        raise
    except BaseException as error:
        note(_failure(error))


def _failure(error: BaseException) -> str:
    """Why a piece of work failed, and what to do, in one line."""
    if isinstance(error, TastemapError):
        return shortened(str(error).rstrip("."))
    why, name = reason(error), type(error).__name__
    if isinstance(error, MemoryError):
        return f"{why}; give this model fewer factors, or take another"
    why = why if why.startswith(name) else f"{name}: {why}"
    return f"{why}; leave this model out, and report it with this line"


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
    r"""What an exception says, in one line of bounded length; its class where it says little.

    Example:
        >>> reason(KeyError("rating")), reason(ValueError("no table\nat all")), reason(EOFError())
        ("KeyError: 'rating'", 'no table', 'EOFError')
    """
    text = getattr(error, "strerror", None) or (str(error).strip().splitlines() or [""])[0]
    name = type(error).__name__
    is_vague = isinstance(error, LookupError) and not isinstance(error, TastemapError)
    text = f"{name}: {text}" if text and is_vague else text or name
    return shortened(text.rstrip("."))


def shortened(value: object) -> str:
    r"""A value as one line of bounded length, which any terminal and log can take.

    Example:
        >>> shortened("two\nlines")
        'two lines'
    """
    line = " ".join(str(value).encode("utf-8", "replace").decode().split())
    return line if len(line) <= MAX_REASON_CHARACTERS else f"{line[:MAX_REASON_CHARACTERS]} …"
