"""Text in columns (CSV, TSV, ``::`` ...): read it, and name the line that is bad."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import polars as pl
from polars.exceptions import PolarsError

from tastemap.data.readers.archive import CHUNK_BYTES, DataFile, reading
from tastemap.data.readers.encoding import READ_ENCODINGS, decoded
from tastemap.errors import DataError

if TYPE_CHECKING:
    from _csv import Reader

#: Whether a value is right, and what is expected of it.
Check: TypeAlias = tuple[Callable[[str], object], str]

NUMBER = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")
DELIMITER_NAMES = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "|", "::": "::", " ": "space"}
_BLANKS = re.compile(r"[ \t]+")
_BLANK_BYTES = re.compile(rb"[ \t]+")
_BLANK_LINES = re.compile(rb"[\r\n]+")
_BYTE_ORDER_MARK = codecs.BOM_UTF8
# Polars splits at one byte only. Longer delimiters become this byte, which text does not hold.
UNIT_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Layout:
    """How a text file is laid out.

    Attributes:
        columns: Their names; ``column_1``, ``column_2`` ... where the file has no header.
        delimiter: One character or more between two fields.
        has_header: Whether the first line of the table holds the names.
        encoding: A Python codec.
        quoted: Whether fields may be in double quotes.
        certain: Whether the encoding was inferred from the whole file, or given; not from the
            beginning of the file alone.
        names: The columns that the header names, once each; others are never meant. All of them
            where there is no header.
        doubled: Names that several columns have.
        n_above: Number of lines above the table.
        blanks: Whether any number of blanks is one delimiter.
    """

    columns: tuple[str, ...]
    delimiter: str
    has_header: bool = False
    encoding: str = "utf-8"
    quoted: bool = False
    certain: bool = True
    names: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    n_above: int = 0
    blanks: bool = False

    @property
    def separator(self) -> str:
        """The delimiter if it is one byte, else the byte that replaces it."""
        return self.delimiter if len(self.delimiter.encode()) == 1 else UNIT_SEPARATOR

    def separated(self, text: str) -> str:
        """A line with each delimiter replaced by the separator."""
        if self.blanks:
            return _BLANKS.sub(" ", text).strip(" \t\r\n")
        return text.replace(self.delimiter, self.separator)


class OtherEncodingError(Exception):
    """Text that is not in the encoding of the file's beginning."""


@dataclass(frozen=True)
class TextFile:
    """A text file and its layout.

    Args:
        file: The bytes.
        layout: How they are laid out.
        whole: If this is a part of a file, the whole file.
        start: Number of bytes of the whole file before this part.
        n_blank: Number of blank lines before this part that are left out.
        n_repeated: Number of lines in this part that repeated the header; they are blank in it.
    """

    file: DataFile
    layout: Layout
    whole: DataFile | None = None
    start: int = 0
    n_blank: int = 0
    n_repeated: int = 0

    @property
    def name(self) -> str:
        """What messages call the file."""
        return self.file.name

    @cached_property
    def first_line(self) -> int:
        """The number, from 1, of this part's first line in the whole file."""
        line, left = 1 + self.n_blank, self.start
        for chunk in self.whole.chunks() if self.whole and left else ():
            line += chunk.count(b"\n", 0, left)
            left -= len(chunk)
            if left <= 0:
                break
        return line

    @cached_property
    def _raw(self) -> bytes:
        return self.file.read()

    def parts(self) -> Iterator["TextFile"]:
        """The file in parts of whole lines; the last part may be long.

        A field in quotes may hold ends of lines: where fields may be quoted, all lines from the
        first double quote on are one part. Text in an encoding that the library does not read as
        it is is one part. A line that repeats the header, as files have that were joined, is made
        blank.

        Raises:
            OtherEncodingError: If the encoding is not certain, and wrong.
        """
        if self.layout.encoding not in READ_ENCODINGS:
            yield self
            return
        layout, start, header = self.layout, 0, b""
        for lines in whole_lines(self.file, layout.quoted):
            below = _end_of_lines(lines, layout.n_above + layout.has_header)
            if layout.has_header:
                header = _line(lines, layout.n_above)
            raw, n_repeated = _without_repeats(lines, header, below) if header else (lines, 0)
            # Polars expects as many fields in all lines as in the first, which must not be blank.
            text = raw.lstrip(b"\r\n") if start else raw
            n_blank = raw.count(b"\n", 0, len(raw) - len(text))
            raw, begin, start = text, start, start + len(lines)
            if not raw:
                continue
            # Most files are ASCII throughout, which is quicker to recognise than to decode.
            if not layout.certain and not raw.isascii():
                try:
                    raw.decode(layout.encoding)
                except UnicodeDecodeError as error:
                    raise OtherEncodingError from error
            part = DataFile(self.name, lambda raw=raw: raw, n_bytes=len(raw))  # type: ignore[misc]
            yield TextFile(part, layout, self.file, begin, n_blank, n_repeated)
            layout = replace(layout, has_header=False, n_above=0)

    def _decoded(self) -> str:
        return decoded(self.name, self._raw, self.layout.encoding, self.first_line)

    def _for_polars(self) -> Path | bytes:
        """The file itself where Polars can read it, else its text in UTF-8 with one separator."""
        layout, is_utf_8 = self.layout, self.layout.encoding == "utf-8"
        if layout.separator == layout.delimiter and not layout.blanks:
            return (self.file.path or self._raw) if is_utf_8 else self._decoded().encode()
        raw = self._raw if is_utf_8 else self._decoded().encode()
        if layout.blanks:
            single = _BLANK_BYTES.sub(b" ", raw).replace(b" \n", b"\n").replace(b"\n ", b"\n")
            return single.replace(b" \r\n", b"\r\n").strip(b" ")
        return raw.replace(layout.delimiter.encode(), layout.separator.encode())

    def _above(self) -> int:
        """Lines above the first rating: the header, those above it, and blank ones below it."""
        n = self.layout.n_above + self.layout.has_header
        if not n or self.file.path is not None:
            return n
        blank = _BLANK_LINES.match(self._raw, _end_of_lines(self._raw, n))
        return n + (0 if blank is None else blank[0].count(b"\n"))

    def scan(self, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
        """The columns named in ``types``, parsed as those types; empty fields are null.

        Raises:
            PolarsError: If the text does not fit the layout or a value its type.
        """
        layout = self.layout
        with reading(self.name):
            lazy = pl.scan_csv(
                self._for_polars(),
                separator=layout.separator,
                has_header=False,
                skip_lines=self._above(),
                schema={name: types.get(name, pl.String()) for name in layout.columns},
                quote_char='"' if layout.quoted else None,
                glob=False,
            )
            return lazy.select(list(types)).collect()

    def strings(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The columns (all by default) as text; empty fields are null, blank lines left out.

        Raises:
            DataError: If a line has too few or too many fields.
        """
        try:
            frame = self.scan({name: pl.String() for name in columns or self.layout.columns})
        except PolarsError as error:
            self.locate({})
            raise self._unparsable(error) from error
        if frame[:, -1].null_count():
            self.locate({})
        return frame.filter(~pl.all_horizontal(pl.all().is_null()))

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each record of which a field holds something, with the number of its first line, from 1.

        Spreadsheets write rows of delimiters alone below a table.
        """
        lines = io.StringIO(self._decoded(), newline="")
        for _ in range(self.layout.n_above):
            next(lines, "")
        reader = records(lines, self.layout, strict=True)
        line = first = self.first_line + self.layout.n_above
        try:
            for record in reader:
                if "".join(record).strip():
                    yield line, record
                line = first + reader.line_num
        except csv.Error as error:
            raise DataError(
                f"{self.name}, line {line}",
                expected="fields whose quotes are closed",
                received=str(error),
                do="close the quote, or write a quote inside a field twice",
            ) from error

    def locate(self, checks: Mapping[str, Check]) -> None:
        """Raise the `DataError` of the first bad line; return if every line is right.

        It reads in plain Python, which is slow: use it only to find a fault that is there.

        Args:
            checks: For the name of a column, the check of each of its values.
        """
        for _, error in self.judged(checks):
            if error is not None:
                raise error

    def judged(self, checks: Mapping[str, Check]) -> Iterator[tuple[list[str], DataError | None]]:
        """Each record below the header, with the error of its fault or None; as `locate`."""
        places = [(self.layout.columns.index(name), name, checks[name]) for name in checks]
        for number, (line, record) in enumerate(self.rows()):
            if not self.layout.has_header or number:
                yield record, self.fault(line, record, places)

    def fault(
        self, line: int, record: list[str], places: Sequence[tuple[int, str, Check]] = ()
    ) -> DataError | None:
        """The error of a record with too few or too many fields or a wrong value, else None.

        Args:
            line: The number of its line.
            record: Its fields.
            places: Place and name of columns, and the check of their values.
        """
        if len(record) != len(self.layout.columns):
            return DataError(
                f"{self.name}, line {line}",
                expected=f"{len(self.layout.columns)} fields",
                received=f"{len(record)}: {self.layout.delimiter.join(record)[:60]!r}",
                do="complete or remove the line; was the file cut off?",
            )
        for place, name, (is_right, expected) in places:
            if not is_right(record[place]):
                return DataError(
                    f"{self.name}, line {line}, column {name}",
                    expected=expected,
                    received=repr(record[place]) if record[place] else "nothing",
                    do="correct or remove the line",
                )
        return None

    def _unparsable(self, error: Exception) -> DataError:
        """The error of text that cannot be read although `locate` finds no fault."""
        return DataError(
            self.name,
            expected=f"text in columns, delimiter {DELIMITER_NAMES.get(self.layout.delimiter)}",
            received=str(error).splitlines()[0].rstrip("."),
            do="name delimiter=, encoding= or has_header=",
        )


def _end_of_lines(raw: bytes, n: int) -> int:
    """The place in some lines where so many of them end."""
    end = 0
    for _ in range(n):
        end = raw.find(b"\n", end) + 1 or len(raw)
    return end


def _line(raw: bytes, n_above: int) -> bytes:
    """The line below so many others, without its end and without the mark of an encoding."""
    start = _end_of_lines(raw, n_above)
    line = raw[start : _end_of_lines(raw, n_above + 1)]
    return line.removeprefix(_BYTE_ORDER_MARK).rstrip(b"\r\n")


def _without_repeats(raw: bytes, header: bytes, start: int) -> tuple[bytes, int]:
    """Lines of which those from a place on that are the header are made blank, and their number."""
    pieces, done, place = [], 0, start
    while (place := raw.find(header, place)) >= 0:
        begin = place - 3 if raw[max(0, place - 3) : place] == _BYTE_ORDER_MARK else place
        place += len(header)
        end = raw[place : place + 2]
        if (not begin or raw[begin - 1] == 10) and (not end or end.startswith((b"\n", b"\r\n"))):
            pieces.append(raw[done:begin])
            done = place
    return b"".join([*pieces, raw[done:]]) if pieces else raw, len(pieces)


def whole_lines(file: DataFile, quoted: bool) -> Iterator[bytes]:
    """Chunks of a file that end where a line ends, each read at once."""
    start = 0
    with file.open() as stream, reading(file.name):
        while True:
            stream.seek(start + CHUNK_BYTES)
            stream.readline()
            end = stream.tell()
            stream.seek(start)
            chunk = stream.read(end - start)
            if not chunk:
                return
            if quoted and b'"' in chunk:
                yield chunk + stream.read()
                return
            yield chunk
            start += len(chunk)


def records(lines: Iterable[str], layout: Layout, *, strict: bool = False) -> "Reader":
    """The fields of each line; if ``strict``, a quote that is not closed is a ``csv.Error``."""
    return csv.reader(
        map(layout.separated, lines),
        delimiter=layout.separator,
        quoting=csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE,
        strict=strict and layout.quoted,
    )
