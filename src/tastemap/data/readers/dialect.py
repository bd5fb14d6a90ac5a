"""Infer how a text file is laid out: encoding, delimiter, header."""

import codecs
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from tastemap.data.readers.archive import DataFile
from tastemap.data.readers.text import DELIMITER_NAMES, NUMBER, Layout, TextFile, records
from tastemap.errors import ArgumentError, DataError

HEAD_BYTES = 2**18
N_SAMPLED_LINES = 1000
_BYTE_ORDER_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Codecs of Python that no file is written in; some take the square of a text's length.
_OTHER_CODECS = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"}
# RecBole's atomic files write "user_id:token" for a column user_id of tokens.
_TYPED_NAME = re.compile(r"(\w+):(token|token_seq|float|float_seq)")


class Dialect(NamedTuple):
    """What is given of the layout of a text file; what is None is inferred."""

    delimiter: str | None = None
    encoding: str | None = None
    has_header: bool | None = None


INFERRED = Dialect()


def sniff(file: DataFile, dialect: Dialect) -> tuple[TextFile, list[str]]:
    """Infer how a text file is laid out, as far as its dialect is not given.

    The encoding of a long file is inferred from its beginning. If that is UTF-8, it is not
    ``certain``, and the parts of the file are checked when they are read.

    Returns:
        The file with its layout, and a note for each inference.

    Raises:
        DataError: If the file is empty, is not text in columns, or holds a header alone.
        ArgumentError: If there is no such encoding, or the delimiter is empty.
    """
    delimiter, encoding, has_header = dialect
    if delimiter == "":
        raise ArgumentError("delimiter", expected="one character or more", received="none")
    notes, certain = [], True
    if encoding is None:
        encoding, certain = _encoding_so_far(file)
        notes.append(f"encoding inferred: {encoding}")
    _check_encoding(encoding)
    lines = _first_lines(file, encoding)
    if delimiter is None:
        delimiter = _guess_delimiter(file.name, lines)
        notes.append(f"delimiter inferred: {DELIMITER_NAMES[delimiter]}")
    layout = Layout((), delimiter, encoding=encoding, quoted=delimiter in (",", ";", "\t"))
    first = [field.strip() for field in next(iter(records(lines[:1], layout)))]
    if has_header is None:
        has_header = not any(NUMBER.fullmatch(field) for field in first)
        notes.append("first line read as " + ("the header" if has_header else "data, not a header"))
    if has_header and len(lines) < 2:
        raise DataError(
            file.name,
            expected="ratings below the header",
            received=f"one line: {lines[0][:60]!r}",
            do="check the file, or say has_header=False",
        )
    columns = _column_names(first, has_header)
    if len(set(columns)) < len(columns):
        raise DataError(
            f"{file.name}, line 1",
            expected="each column name once",
            received=", ".join(columns),
            do="rename one, or say has_header=False",
        )
    layout = replace(layout, columns=columns, has_header=has_header, certain=certain)
    return TextFile(file, layout), notes


def sample(text: TextFile) -> list[list[str]]:
    """The fields of the first lines, without the header."""
    lines = _first_lines(text.file, text.layout.encoding)
    return list(records(lines[text.layout.has_header :], text.layout))


def guess_encoding(file: DataFile) -> str:
    """UTF-16 by its mark, UTF-8 if the whole file is valid in it, else Latin-1."""
    return _guess(file.name, file.chunks(), whole=True)


def _encoding_so_far(file: DataFile) -> tuple[str, bool]:
    """The encoding of the first chunk of a file, and whether it is that of the whole file."""
    head = next(file.chunks(), b"")
    whole = len(head) >= (file.size() or 0)
    encoding = _guess(file.name, [head], whole=whole)
    return encoding, whole or encoding != "utf-8"


def _guess(name: str, chunks: Iterable[bytes], *, whole: bool) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    empty = True
    for chunk in chunks:
        if empty and chunk[:2] in _BYTE_ORDER_MARKS:
            return _BYTE_ORDER_MARKS[chunk[:2]]
        empty = False
        if b"\0" in chunk:
            raise DataError(
                name,
                expected="text in columns, Parquet or Arrow",
                received="bytes that are none of these",
                do="convert it to CSV, or name its encoding",
            )
        # Most files are ASCII throughout, which is quicker to recognise than to decode.
        if chunk.isascii() and not decoder.getstate()[0]:
            continue
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            return "latin-1"
    # Half a character at the end is an error only if nothing follows.
    return "latin-1" if whole and decoder.getstate()[0] else "utf-8"


def _check_encoding(encoding: str) -> None:
    """Refuse what Python cannot decode text from (``rot13``, ``hex``), and codecs of other uses."""
    try:
        b"1".decode(encoding, "ignore")
        is_text = codecs.lookup(encoding).name not in _OTHER_CODECS
    except (LookupError, ValueError):
        is_text = False
    if not is_text:
        raise ArgumentError(
            "encoding", expected="a text encoding such as 'utf-8'", received=repr(encoding)
        )


def _first_lines(file: DataFile, encoding: str) -> list[str]:
    """The first lines that are not blank, at least one."""
    head = next(file.chunks(), b"")[:HEAD_BYTES]
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    lines = text.removeprefix("\ufeff").splitlines()
    if len(head) == HEAD_BYTES and len(lines) > 1:
        lines.pop()  # it may be cut in the middle
    lines = [line for line in lines[:N_SAMPLED_LINES] if line.strip()]
    if not lines:
        raise DataError(
            file.name, expected="ratings", received="an empty file", do="check how it was written"
        )
    return lines


def _guess_delimiter(name: str, lines: list[str]) -> str:
    """The delimiter that most lines hold as often as the first; of several, the most frequent."""
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines]

    def score(delimiter: str) -> tuple[int, int]:
        counts = [line.count(delimiter) for line in bare]
        return (counts.count(counts[0]), counts[0]) if counts[0] else (0, 0)

    best = max(DELIMITER_NAMES, key=score)
    if score(best) == (0, 0):
        raise DataError(
            f"{name}, line 1",
            expected="fields with a delimiter between them",
            received=repr(lines[0][:60]),
            do="name it (delimiter=...)",
        )
    return best


def _column_names(first: list[str], has_header: bool) -> tuple[str, ...]:
    if not has_header:
        return tuple(f"column_{place + 1}" for place in range(len(first)))
    typed = [_TYPED_NAME.fullmatch(name) for name in first]
    return tuple(match[1] if match else name for match, name in zip(typed, first, strict=True))
