"""The errors of the libraries that read what strangers give, by kind, and in one line."""

import csv
import lzma
import struct
import zipfile
import zlib

from polars.exceptions import PanicException, PolarsError

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
