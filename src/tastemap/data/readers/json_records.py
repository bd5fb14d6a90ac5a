"""Read JSON: an object a line, or an array of objects; a field is a column."""

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
import polars as pl

from tastemap.data.readers.archive import DataFile
from tastemap.data.readers.chunked_text import BadRows, Reading
from tastemap.data.readers.encoding import decoded, guess_encoding, usual_name
from tastemap.data.readers.roles import find_columns, item_columns
from tastemap.data.readers.text import whole_lines
from tastemap.errors import DataError
from tastemap.support.boundary import reason
from tastemap.support.memory import require

#: An object of JSON.
Record: TypeAlias = dict[str, Any]

# Objects in memory take so many times the bytes of an array in a file.
MAX_EXPANSION = 10
# Peak of the memory for an object, of which few fields are needed.
BYTES_PER_RECORD = 300
START_BYTES = 2**18
# So many objects say which fields there are and which of them are needed.
N_SAMPLED_RECORDS = 1000
# An object, with names in double or (in Python's own form) single quotes, or an array of objects.
_START = re.compile(r"\{\s*(?:[\"'}]|$)|\[\s*\{")
_DO = "write an object a line: frame.to_json(path, orient='records', lines=True)"
_NESTED = (dict, list)
# Integers of more digits are text, as they are in files of columns.
MAX_INTEGER = 2**63 - 1


class Records(NamedTuple):
    """A file of JSON as a table.

    Attributes:
        frame: The fields as columns.
        notes: What was inferred, and what left out.
        nested: The note on fields that hold objects or arrays, or "" where there are none.
    """

    frame: pl.DataFrame
    notes: list[str]
    nested: str


def is_json(head: bytes) -> bool:
    """Whether a file that begins with these bytes holds JSON."""
    for encoding in ("utf-16-le", "utf-16-be", "utf-8"):
        text = head[:200].decode(encoding, "ignore").lstrip("\ufeff \t\r\n")
        if _START.match(text):
            return True
    return False


def read_json(
    file: DataFile, encoding: str | None, chosen: Mapping[str, str | None], reading: Reading
) -> Records:
    """The fields of a file of JSON as columns, and notes.

    Fields that hold objects or arrays are left out and named in a note. Where names say which
    fields make up the ratings, only these are read, and those that describe items.

    Args:
        file: The file.
        encoding: Its encoding; inferred if None.
        chosen: For a role, the field that the caller has named.
        reading: What becomes of lines that hold no object, and the progress.

    Raises:
        DataError: If a line is no object (it is named), or the file is JSON of another form.
    """
    notes, left_out = ["read as JSON"], ""
    encoding, given = usual_name(encoding or guess_encoding(file)), encoding
    if encoding != "utf-8":
        notes += [] if given else [f"encoding inferred: {encoding}"]
        raw = decoded(file.name, file.read(), encoding).encode()
        file = DataFile(file.name, lambda: raw, n_bytes=len(raw))
    bad = BadRows()
    frames: list[pl.DataFrame] = []
    names: list[str] | None = None
    for part in _parts(file, reading, bad):
        if not frames:
            fields, nested = _fields(part[:N_SAMPLED_RECORDS])
            if nested and not fields:
                received = f"objects in each of its fields {', '.join(nested)[:200]}"
                raise DataError(
                    file.name, expected="an object in each line", received=received, do=_DO
                )
            names = _needed(file.name, fields, chosen)
            if nested:
                left_out = f"nested fields left out: {', '.join(nested)[:200]}"
                notes.append(left_out)
        columns = names or dict.fromkeys(name for record in part for name in record)
        frames.append(pl.DataFrame([_column(name, part) for name in columns]))
    if not frames:
        raise DataError(file.name, expected="an object in each line", received="none", do=_DO)
    frame = pl.concat(frames, how="diagonal_relaxed")
    frame = frame.select(s for s in frame if s.dtype != pl.Null)
    return Records(frame, [*notes, *bad.notes], left_out)


def _parts(file: DataFile, reading: Reading, bad: BadRows) -> Iterator[list[Record]]:
    """The objects of a file, part by part."""
    first = next(file.chunks(), b"").removeprefix(codecs.BOM_UTF8).lstrip()
    if first[:1] == b"[":
        require(file.name, MAX_EXPANSION * (file.size() or 0), "to parse it", _DO)
        yield _array(file)
        return
    start, size = file.start(START_BYTES), file.size() or 0
    n_lines = (start.count(b"\n") + 1) * size // len(start)
    require(file.name, BYTES_PER_RECORD * n_lines, f"for some {n_lines:,} objects", _DO)
    number, done = 1, 0
    for lines in whole_lines(file, quoted=False):
        records = []
        for line in lines.splitlines():
            content = line.removeprefix(codecs.BOM_UTF8)
            try:
                records += [_parsed(content, dict)] if content.strip() else []
            except (ValueError, RecursionError) as error:
                do = "correct or remove the line" if records or bad.n else _DO
                fault = _fault(f"{file.name}, line {number}", line, error, do)
                if not reading.skips:
                    raise fault from error
                bad.add(fault)
            number += 1
        done += len(lines)
        reading.report(done, size)
        # What pandas writes unless it is told otherwise: one object, of columns.
        yield _unpacked(records[0]) if len(records) == 1 and number == 2 else records


def _array(file: DataFile) -> list[Record]:
    """The objects of a file that holds an array of them."""
    content = file.read()
    try:
        records = _parsed(content, list)
    except (ValueError, RecursionError) as error:
        raise _fault(file.name, content, error) from error
    if not all(isinstance(record, dict) for record in records):
        raise _fault(file.name, content, ValueError("it holds something else, too"))
    return records


def _parsed(content: bytes, kind: type) -> Any:
    """JSON of one kind; also with the NaN that Python's own writer writes.

    Raises:
        ValueError: If it is no such JSON.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        value = json.loads(content) if b"NaN" in content or b"Infinity" in content else None
        if isinstance(value, kind):
            return value
        raise ValueError(reason(error)) from error


def _unpacked(record: Record) -> list[Record]:
    """The rows of one object that holds a column in each field, by the number of the row."""
    columns = list(record.values())
    rows = list(columns[0]) if columns and isinstance(columns[0], dict) else []
    if not rows or not all(isinstance(c, dict) and list(c) == rows for c in columns):
        return [record]
    if rows != [str(number) for number in range(len(rows))]:
        return [record]
    return [{name: column[row] for name, column in record.items()} for row in rows]


def _fields(records: Sequence[Record]) -> tuple[list[str], list[str]]:
    """The names of the fields that hold single values, and of those that hold more."""
    names = dict.fromkeys(name for record in records for name in record)
    nested = {
        name for record in records for name, value in record.items() if isinstance(value, _NESTED)
    }
    return [name for name in names if name not in nested], [n for n in names if n in nested]


def _needed(name: str, fields: list[str], chosen: Mapping[str, str | None]) -> list[str] | None:
    """The fields of the ratings and of what describes items; None if names do not say which."""
    try:
        roles, _ = find_columns(name, fields, chosen)
    except DataError:
        return None
    needed = {*roles.values(), *item_columns(fields, roles).values()}
    return [field for field in fields if field in needed]


def _column(name: str, records: Sequence[Record]) -> pl.Series:
    """A field of objects: numbers if each value is one, else text."""
    values = [record.get(name) for record in records]
    kinds = {type(value) for value in values} - {type(None)}
    if kinds & {*_NESTED}:
        values = [None if isinstance(value, _NESTED) else value for value in values]
        kinds -= {*_NESTED}
    if not kinds:
        return pl.Series(name, values, pl.Null)
    if kinds == {bool}:
        return pl.Series(name, values, pl.Boolean)
    is_whole = kinds == {int} and all(abs(v) <= MAX_INTEGER for v in values if v is not None)
    if is_whole or kinds in ({int, float}, {float}):
        return pl.Series(name, values, pl.Int64 if is_whole else pl.Float64, strict=False)
    texts = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    return pl.Series(name, texts, pl.String)


def _fault(name: str, content: bytes, error: BaseException, do: str = _DO) -> DataError:
    """The error of what is no object of JSON."""
    start = content[:60].decode("utf-8", "replace")
    if start.lstrip("[{ \t").startswith(("'", "u'")):
        received, do = "an object in Python's own form, with single quotes", "write it as JSON"
    else:
        received = f"{start!r} ({reason(error)})"
    return DataError(name, expected="an object in each line", received=received, do=do)
