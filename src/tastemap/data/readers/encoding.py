"""How the bytes of a text file become lines: its encoding, and the ends of its lines."""

import codecs
import io
import re
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from tastemap.data.readers.archive import DataFile
from tastemap.errors import ArgumentError, DataError

# What is inferred comes from so much of the beginning of a file, and from more where that holds
# few lines: a table may have 100,000 columns.
HEAD_BYTES, MAX_HEAD_BYTES, MIN_HEAD_LINES = 2**18, 2**25, 5
# Encodings of which the library reads the bytes as they are; text in others is written anew.
READ_ENCODINGS = ("utf-8", "latin-1", "cp1252")
_BYTE_ORDER_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Codecs of Python that no file is written in; some take the square of a text's length.
_OTHER_CODECS = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"}
# Letters of Windows' cp1252 where Latin-1 has control characters: quotes, dashes, the euro.
_WINDOWS_LETTER = re.compile(rb"[\x80-\x9f]")
# In UTF-16 without a mark so many of every second bytes of a text in Latin letters are zero.
MIN_SHARE_OF_ZEROS = 0.4


class Encoding(NamedTuple):
    """The encoding of a file.

    Attributes:
        name: A Python codec.
        certain: Whether it was inferred from the whole file, or given; not from the beginning of
            the file alone.
    """

    name: str
    certain: bool = True


class Line(NamedTuple):
    """A line that is not blank: its number, from 1, and its text."""

    number: int
    text: str


def guess_encoding(file: DataFile) -> str:
    """The encoding of a file, from all of it.

    UTF-16 by its mark or its zeros, UTF-8 if the whole file is valid in it, else Windows' cp1252
    if it uses letters that Latin-1 does not have, else Latin-1.
    """
    return _guess(file, file.chunks(), whole=True)


def encoding_so_far(file: DataFile) -> Encoding:
    """The encoding as the first chunk of a file says; of what is not UTF-8, as all of it says."""
    head = next(file.chunks(), b"")
    whole = len(head) >= (file.size() or 0)
    encoding = _guess(file, [head], whole=whole)
    return Encoding(encoding, whole or encoding != "utf-8")


def usual_name(encoding: str) -> str:
    """The name of an encoding, however it is spelt, as far as the library reads it as it is.

    Raises:
        ArgumentError: If Python cannot decode text from it (``rot13``, ``hex``), or it is a codec
            of other use.
    """
    try:
        b"1".decode(encoding, "ignore")
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        name = ""
    if not name or name in _OTHER_CODECS:
        raise ArgumentError(
            "encoding", expected="a text encoding such as 'utf-8'", received=repr(encoding)
        )
    usual = {codecs.lookup(usual).name: usual for usual in READ_ENCODINGS}
    return usual.get(name, encoding)


def plain(file: DataFile, encoding: str) -> tuple[DataFile, str, list[str]]:
    """A file whose lines end in a line feed, in an encoding that is read as it is.

    Text of another kind (UTF-16; lines that end in a carriage return alone, as old Macs wrote them,
    or in two of them) is written anew in memory, as UTF-8.

    Returns:
        The file, its encoding, and a note if the ends of its lines were unusual.
    """
    head = _head(file)
    is_usual = (b"\n" in head or b"\r" not in head) and b"\r\r\n" not in head
    if is_usual and encoding in READ_ENCODINGS:
        return file, encoding, []
    text = decoded(file.name, file.read(), encoding)
    is_usual = ("\n" in text or "\r" not in text) and "\r\r\n" not in text
    notes = [] if is_usual else ["lines end in carriage returns"]
    raw = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n").encode()
    return DataFile(file.name, lambda: raw, n_bytes=len(raw)), "utf-8", notes


def decoded(name: str, raw: bytes, encoding: str, first_line: int = 1) -> str:
    """Bytes as text, without the mark that may precede it.

    Args:
        name: What messages call the file.
        raw: The bytes.
        encoding: Their encoding.
        first_line: The number, from 1, of their first line in the file.

    Raises:
        DataError: If they are not of that encoding; it names the line.
    """
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + first_line
        raise DataError(
            f"{name}, line {line}",
            expected=f"text in {encoding}",
            received=f"the byte 0x{raw[error.start]:02x}",
            do="name its encoding (encoding='latin-1', say)",
        ) from error
    except UnicodeError as error:  # UTF-16 without a mark, say
        raise DataError(
            name,
            expected=f"text in {encoding}",
            received=str(error),
            do="name its encoding (encoding='utf-16-le', say)",
        ) from error


def first_lines(file: DataFile, encoding: str, n: int) -> list[Line]:
    """The first lines that are not blank, at least one and at most ``n``.

    Raises:
        DataError: If there are none.
    """
    head = _head(file)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    # Files that were joined have the mark of their encoding more than once.
    if len(head) >= HEAD_BYTES:
        text = text[: text.rfind("\n") + 1] or text  # the last line may be cut in the middle
    lines = (line.removeprefix("\ufeff").rstrip("\r\n") for line in io.StringIO(text, newline="\n"))
    full = (Line(number, line) for number, line in enumerate(lines, 1) if line.strip())
    numbered = list(islice(full, n))
    if not numbered:
        raise DataError(
            file.name, expected="ratings", received="an empty file", do="check how it was written"
        )
    return numbered


def _head(file: DataFile) -> bytes:
    """The beginning of a file: some whole lines, however long they are."""
    head = b""
    for chunk in file.chunks():
        head += chunk
        if head.count(b"\n") >= MIN_HEAD_LINES or len(head) >= MAX_HEAD_BYTES:
            break
    place = 0
    for _ in range(MIN_HEAD_LINES):
        place = head.find(b"\n", place) + 1 or len(head)
    return head[: max(HEAD_BYTES, place)]


def _guess(file: DataFile, chunks: Iterable[bytes], *, whole: bool) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    empty = True
    for chunk in chunks:
        if empty and chunk[:2] in _BYTE_ORDER_MARKS:
            return _BYTE_ORDER_MARKS[chunk[:2]]
        if b"\0" in chunk:
            return _with_zeros(file.name, chunk if empty else b"")
        empty = False
        # Most files are ASCII throughout, which is quicker to recognise than to decode.
        if chunk.isascii() and not decoder.getstate()[0]:
            continue
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            return _one_byte_encoding(file)
    # Half a character at the end is an error only if nothing follows.
    return _one_byte_encoding(file) if whole and decoder.getstate()[0] else "utf-8"


def _one_byte_encoding(file: DataFile) -> str:
    """Windows' cp1252 or Latin-1, which differ in 32 bytes."""
    has_letters = False
    for chunk in file.chunks():
        if _WINDOWS_LETTER.search(chunk):
            has_letters = True
            try:
                chunk.decode("cp1252")
            except UnicodeDecodeError:
                return "latin-1"
    return "cp1252" if has_letters else "latin-1"


def _with_zeros(name: str, head: bytes) -> str:
    """UTF-16 without a mark, if every second byte of the beginning is mostly zero."""
    pairs = head[: HEAD_BYTES - HEAD_BYTES % 2]
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        zeros, others = pairs[first::2], pairs[1 - first :: 2]
        if zeros.count(0) > MIN_SHARE_OF_ZEROS * len(zeros) and not others.count(0):
            return encoding
    raise DataError(
        name,
        expected="text in columns, JSON, Parquet or Arrow",
        received="bytes that are none of these",
        do="convert it to CSV, or name its encoding",
    )
