"""Infer how a text file is laid out: encoding, ends of lines, delimiter, quotes, header."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from tastemap.data.readers.archive import DataFile
from tastemap.data.readers.encoding import (
    Encoding,
    Line,
    encoding_so_far,
    first_lines,
    plain,
    usual_name,
)
from tastemap.data.readers.header import Header, Top, fitted, is_header, top_of
from tastemap.data.readers.text import DELIMITER_NAMES, Layout, TextFile, records
from tastemap.errors import ArgumentError, DataError

N_SAMPLED_LINES = 1000
# A delimiter stands equally often in so many of the lines; in the others it may be part of a text.
MIN_SHARE_OF_LINES = 0.9
_QUOTED_FIELD = re.compile(r'"[^"]*"')
_SPACES = re.compile(r" +")
_BLANKS = re.compile(r"[ \t]+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


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
    delimiter = dialect.delimiter
    if delimiter == "":
        raise ArgumentError("delimiter", expected="one character or more", received="none")
    notes = []
    if dialect.encoding is None:
        encoding = encoding_so_far(file)
        notes.append(f"encoding inferred: {encoding.name}")
    else:
        encoding = Encoding(usual_name(dialect.encoding))
    file, name, of_lines = plain(file, encoding.name)
    notes += of_lines
    top, lines = top_of(first_lines(file, name, N_SAMPLED_LINES))
    delimiter = delimiter or top.delimiter
    if delimiter is None:
        delimiter = _guess_delimiter(file.name, lines)
        notes.append(f"delimiter inferred: {DELIMITER_NAMES[delimiter]}")
    lines, titles = _without_titles(lines, delimiter)
    texts = [line.text for line in lines]
    layout = Layout(
        (),
        delimiter,
        encoding=name,
        quoted=_is_quoted(texts, delimiter),
        certain=encoding.certain,
        blanks=delimiter == " " and any(text != _single_blanks(text) for text in texts),
    )
    header, of_header = _header(file.name, top, lines, layout, dialect.has_header)
    skipped = [line for line in (*top.lines, *titles) if line.number <= header.n_above]
    if skipped:
        s = "s" if len(skipped) > 1 else ""
        first = repr(skipped[0].text.strip()[:40])
        notes.append(f"{len(skipped)} line{s} above the table skipped, the first: {first}")
    layout = replace(
        layout,
        columns=header.columns.columns,
        names=header.columns.names,
        doubled=header.columns.doubled,
        has_header=header.is_line,
        n_above=header.n_above,
    )
    return TextFile(file, layout), [*notes, *of_header]


def sample(text: TextFile) -> list[list[str]]:
    """The fields of the first lines, without the header."""
    layout = text.layout
    above = layout.n_above + layout.has_header
    lines = first_lines(text.file, layout.encoding, N_SAMPLED_LINES)
    header = next((line.text for line in lines if line.number == above), None)
    below = (line.text for line in lines if line.number > above)
    return list(records((t for t in below if not layout.has_header or t != header), layout))


def _header(
    name: str, top: Top, lines: list[Line], layout: Layout, has_header: bool | None
) -> tuple[Header, list[str]]:
    """The columns, whether a line names them, and the notes on that."""
    rows = [[field.strip() for field in row] for row in records((x.text for x in lines), layout)]
    notes = []
    header = None if has_header is False else top.header(rows, layout)
    if header is not None:
        number, first, body = header
        notes.append(f"the comment in line {number} read as the header")
    else:
        number, first = lines[0].number, rows[0]
        body = [row for row in rows[1:] if row != first]
        if has_header is None:
            has_header = is_header(first, body)
            line = "first line" if number == 1 or not has_header else f"line {number}"
            what = "the header" if has_header else "data, not a header"
            notes.append(f"{line} read as {what}")
        if has_header and not body:
            raise DataError(
                name,
                expected="ratings below the header",
                received=f"one line: {lines[0].text[:60]!r}",
                do="check the file, or say has_header=False",
            )
    is_named = header is not None or bool(has_header)
    columns, of_columns = fitted(first, body, named=is_named)
    return Header(columns, is_named, number - 1), notes + of_columns


def _without_titles(lines: list[Line], delimiter: str) -> tuple[list[Line], list[Line]]:
    """The lines from the first on that is part of the table, and the lines above it."""
    counts = [_bare(line.text, delimiter).count(delimiter) for line in lines]
    n = next((n for n, count in enumerate(counts) if count), 0)
    # A single line without a delimiter may as well be a table that is cut off.
    if not n or counts[n:].count(counts[n]) < max(2, MIN_SHARE_OF_LINES * len(counts[n:])):
        return lines, []
    return lines[n:], lines[:n]


def _guess_delimiter(name: str, lines: list[Line]) -> str:
    """The delimiter that most lines hold equally often; of several, the most frequent."""
    texts = [line.text for line in lines]
    counts = {d: [_bare(text, d).count(d) for text in texts] for d in DELIMITER_NAMES}

    def score(delimiter: str) -> tuple[bool, float, int]:
        usual = Counter(n for n in counts[delimiter] if n).most_common(1)
        if not usual:
            return False, 0.0, 0
        share = usual[0][1] / len(texts)
        return share >= MIN_SHARE_OF_LINES, share < MIN_SHARE_OF_LINES and share, usual[0][0]

    best = max(DELIMITER_NAMES, key=score)
    if not score(best)[2]:
        raise DataError(
            f"{name}, line {lines[0].number}",
            expected="fields with a delimiter between them",
            received=repr(lines[0].text[:60]),
            do="name it (delimiter=...)",
        )
    if best == "," and score(";")[0] and _has_decimal_commas(texts):
        return ";"
    return best


def _bare(text: str, delimiter: str) -> str:
    """A line without what is in quotes; for blanks, without those beside other delimiters."""
    bare = _QUOTED_FIELD.sub("x", text) if '"' in text else text
    if delimiter == " " and " " in bare:
        bare = _SPACES.sub(" ", bare).strip()
        for other in DELIMITER_NAMES:
            if other != " ":
                bare = bare.replace(f" {other}", other).replace(f"{other} ", other)
    return bare


def _single_blanks(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()


def _has_decimal_commas(texts: Sequence[str]) -> bool:
    """Whether each comma stands in a number between semicolons."""
    fields = (field.strip().strip('"') for text in texts for field in text.split(";"))
    return all(_DECIMAL_COMMA.fullmatch(field) for field in fields if "," in field)


def _is_quoted(texts: Sequence[str], delimiter: str) -> bool:
    """Whether fields may be in quotes: where the first lines say no more, by the delimiter."""
    usual = delimiter in (",", ";", "\t")
    if delimiter in (",", ";") or not any('"' in text for text in texts):
        return usual
    plain_rows = list(records(texts, Layout((), delimiter)))
    try:
        rows = list(records(texts, Layout((), delimiter, quoted=True), strict=True))
    except csv.Error:
        return usual and _evenness(plain_rows) < 1
    return _evenness(rows) >= _evenness(plain_rows)


def _evenness(rows: list[list[str]]) -> float:
    """The share of the rows that have the usual number of fields."""
    return Counter(map(len, rows)).most_common(1)[0][1] / len(rows)
