"""Text in columns (CSV, TSV, ``::`` ...): read it, and name the line that is bad."""

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
from tastemap.errors import DataError

if TYPE_CHECKING:
    from _csv import Reader

#: Whether a value is right, and what is expected of it.
Check: TypeAlias = tuple[Callable[[str], object], str]

NUMBER = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")
DELIMITER_NAMES = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "|", "::": "::", " ": "space"}
_HEADER = re.compile(rb"[^\n]*\n(\r?\n)*")
# Polars splits at one byte only. Longer delimiters become this byte, which text does not hold.
UNIT_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Layout:
    """How a text file is laid out.

    Attributes:
        columns: Their names; ``column_1``, ``column_2`` ... where the file has no header.
        delimiter: One character or more between two fields.
        has_header: Whether the first line holds the names.
        encoding: A Python codec.
        quoted: Whether fields may be in double quotes.
        certain: Whether the encoding was inferred from the whole file, or given; not from the
            beginning of the file alone.
    """

    columns: tuple[str, ...]
    delimiter: str
    has_header: bool = False
    encoding: str = "utf-8"
    quoted: bool = False
    certain: bool = True

    @property
    def separator(self) -> str:
        """The delimiter if it is one byte, else the byte that replaces it."""
        return self.delimiter if len(self.delimiter.encode()) == 1 else UNIT_SEPARATOR

    def separated(self, text: str) -> str:
        """The text with each delimiter replaced by the separator."""
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
    """

    file: DataFile
    layout: Layout
    whole: DataFile | None = None
    start: int = 0

    @property
    def name(self) -> str:
        """What messages call the file."""
        return self.file.name

    @cached_property
    def first_line(self) -> int:
        """The number, from 1, of this part's first line in the whole file."""
        line, left = 1, self.start
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
        first double quote on are one part. Text in another encoding than UTF-8 and Latin-1 is one
        part.

        Raises:
            OtherEncodingError: If the encoding is not certain, and wrong.
        """
        if self.layout.encoding not in ("utf-8", "latin-1"):
            yield self
            return
        layout, start = self.layout, 0
        for lines in _whole_lines(self.file, layout.quoted):
            # Polars expects as many fields in all lines as in the first, which must not be blank.
            raw = lines.lstrip(b"\r\n") if start else lines
            first, start = start + len(lines) - len(raw), start + len(lines)
            if not raw:
                continue
            # Most files are ASCII throughout, which is quicker to recognise than to decode.
            if not layout.certain and not raw.isascii():
                try:
                    raw.decode(layout.encoding)
                except UnicodeDecodeError as error:
                    raise OtherEncodingError from error
            part = DataFile(self.name, lambda raw=raw: raw, n_bytes=len(raw))  # type: ignore[misc]
            yield TextFile(part, layout, self.file, first)
            layout = replace(layout, has_header=False)

    def _decoded(self) -> str:
        try:
            return self._raw.decode(self.layout.encoding)
        except UnicodeDecodeError as error:
            line = self._raw.count(b"\n", 0, error.start) + self.first_line
            raise DataError(
                f"{self.name}, line {line}",
                expected=f"text in {self.layout.encoding}",
                received=f"the byte 0x{self._raw[error.start]:02x}",
                do="name its encoding (encoding='latin-1', say)",
            ) from error

    def _for_polars(self) -> Path | bytes:
        """The file itself where Polars can read it, else its text in UTF-8 with one separator."""
        layout, is_utf_8 = self.layout, self.layout.encoding == "utf-8"
        if layout.separator == layout.delimiter:
            return (self.file.path or self._raw) if is_utf_8 else self._decoded().encode()
        raw = self._raw if is_utf_8 else self._decoded().encode()
        return raw.replace(layout.delimiter.encode(), layout.separator.encode())

    def _above(self) -> int:
        """Lines above the first rating: the header, and blank ones below it."""
        if not self.layout.has_header or self.file.path is not None:
            return int(self.layout.has_header)
        header = _HEADER.match(self._raw)
        return 1 if header is None else header[0].count(b"\n")

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
        """Each record that is not blank, with the number of its first line, from 1."""
        text = self._decoded().removeprefix("\ufeff")
        reader = records(io.StringIO(text, newline=""), self.layout, strict=True)
        line = first = self.first_line
        try:
            for record in reader:
                if len(record) > 1 or "".join(record).strip():
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
                yield record, self._fault(line, record, places)

    def _fault(
        self, line: int, record: list[str], places: Sequence[tuple[int, str, Check]]
    ) -> DataError | None:
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


def _whole_lines(file: DataFile, quoted: bool) -> Iterator[bytes]:
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
