"""The first lines of a text file: what stands above the table, its header, and its columns."""

import re
from collections import Counter
from collections.abc import Container, Sequence
from typing import NamedTuple

from tastemap.data.readers.encoding import Line
from tastemap.data.readers.matrix import names_items
from tastemap.data.readers.text import NUMBER, Layout, records

MAX_LINES_ABOVE = 100
_COMMENT = ("#", "%")
_MATRIX_MARKET = "%%matrixmarket matrix coordinate"
# Excel's line that names the delimiter.
_SEPARATOR = re.compile(r"sep=(.|\\t)", re.IGNORECASE)
# RecBole's atomic files write "user_id:token" for a column user_id of tokens.
_TYPED_NAME = re.compile(r"(\w+):(token|token_seq|float|float_seq)")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([T ][\d:.,+Z -]*)?")


class ColumnNames(NamedTuple):
    """The names of the columns of a table.

    Attributes:
        columns: A name for each, no two the same.
        names: Those that a header names, once each; all of them where there is no header.
        doubled: The names that several columns have.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    doubled: tuple[str, ...] = ()


class Header(NamedTuple):
    """The columns of a table, and where it begins.

    Attributes:
        columns: Their names.
        is_line: Whether a line of the file holds the names.
        n_above: Number of lines above the header, or above the first row where there is none.
    """

    columns: ColumnNames
    is_line: bool
    n_above: int


class Top(NamedTuple):
    """What stands above a table.

    Attributes:
        lines: Comments and the like.
        delimiter: The delimiter that a line of Excel's names, or None.
    """

    lines: tuple[Line, ...] = ()
    delimiter: str | None = None

    def header(
        self, rows: list[list[str]], layout: Layout
    ) -> tuple[int, list[str], list[list[str]]] | None:
        """The last comment, if it names the columns: its line, the names, and the rows below."""
        if not self.lines or not self.lines[-1].text.lstrip().startswith(_COMMENT):
            return None
        line = self.lines[-1]
        words = line.text.strip().lstrip("".join(_COMMENT)).strip()
        names = [field.strip() for field in next(iter(records([words], layout)), [])]
        if len(names) != len(rows[0]) or len(names) < 2 or any(map(is_value, names)):
            return None
        # Words of a sentence, or the names of columns that another line repeats, are no header.
        return (line.number, names, rows) if words_above_values(names, rows) > 0 else None


def top_of(lines: list[Line]) -> tuple[Top, list[Line]]:
    """What stands above a table, as far as it is marked as no part of it, and the other lines."""
    match = _SEPARATOR.fullmatch(lines[0].text.strip())
    if match and len(lines) > 1:
        return Top((lines[0],), match[1].replace("\\t", "\t")), lines[1:]
    marks = [line.text.lstrip().startswith(_COMMENT) for line in lines[: MAX_LINES_ABOVE + 1]]
    n = marks.index(False) if False in marks else 0
    # Below a comment of this format stands a line with the numbers of rows, columns and values.
    if n and lines[0].text.lower().startswith(_MATRIX_MARKET):
        n += 1
    # Of a table whose ids begin with such a sign more lines do.
    if not n or n >= len(lines) or any(marks[n + 1 :]):
        return Top(), lines
    return Top(tuple(lines[:n])), lines[n:]


def is_value(field: str) -> bool:
    """Whether a field is a number or a date, and thus no name of a column."""
    is_number = NUMBER.fullmatch(field) or _DECIMAL_COMMA.fullmatch(field)
    return bool(is_number or _DATE.fullmatch(field))


def is_header(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether the first line names the columns of the others.

    It does where words stand above columns of numbers or dates, and not where numbers stand there.
    Where neither is so, it does unless one of its words comes again in its column.
    """
    if words_above_values(first, body) > 0:
        return True
    if any(map(is_value, first)):
        return names_items(first, body)
    return not any(
        field and place < len(row) and row[place] == field
        for row in body
        for place, field in enumerate(first)
    )


def words_above_values(first: Sequence[str], body: Sequence[Sequence[str]]) -> int:
    """Number of columns of numbers or dates with a word in the first line, less those without."""
    votes = 0
    for place, field in enumerate(first):
        values = [row[place] for row in body if place < len(row) and row[place]]
        if values and field and all(map(is_value, values)):
            votes += -1 if is_value(field) else 1
    return votes


def fitted(
    first: Sequence[str], body: Sequence[Sequence[str]], *, named: bool
) -> tuple[ColumnNames, list[str]]:
    """Names for all columns of a table, and notes.

    Args:
        first: The fields of the first line.
        body: Those of the lines below.
        named: Whether the first line holds names.
    """
    width = Counter(map(len, body)).most_common(1)[0][0] if body else len(first)
    rows = [row for row in body if len(row) == width]
    if not named:
        n = len(first)
        # Each line may end in a delimiter.
        while n > 1 and not any(row[n - 1] for row in [first, *rows] if len(row) >= n):
            n -= 1
        columns = tuple(f"column_{place}" for place in range(1, len(first) + 1))
        return ColumnNames(columns, columns[:n]), []
    fields, notes = [_untyped(field) for field in first], []
    if width == len(fields) + 1:
        if not any(row[-1] for row in rows):
            fields.append("")
        elif _are_numbers_of_rows(rows):
            fields.insert(0, "")
            notes.append("first column, without a name, read as numbers of the rows")
    elif width == len(fields) - 1 and not fields[-1]:
        fields.pop()
    counts = Counter(fields)
    names = tuple(field for field in fields if field and counts[field] == 1)
    unique = frozenset(names)
    doubled = tuple(field for field in counts if field and counts[field] > 1)
    columns = tuple(
        field if field in unique else _unused(f"column_{place}", counts)
        for place, field in enumerate(fields, start=1)
    )
    return ColumnNames(columns, names, doubled), notes


def _untyped(field: str) -> str:
    typed = _TYPED_NAME.fullmatch(field)
    return typed[1] if typed else field


def _unused(name: str, names: Container[str]) -> str:
    """A name that is none of others."""
    while name in names:
        name += "_"
    return name


def _are_numbers_of_rows(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first column counts the rows."""
    numbers = [row[0] for row in rows]
    start = int(numbers[0]) if re.fullmatch(r"\d{1,9}", numbers[0]) else 0
    return numbers == [str(number) for number in range(start, start + len(numbers))]
