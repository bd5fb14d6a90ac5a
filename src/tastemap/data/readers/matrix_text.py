"""Read a text file that holds a matrix of ratings, line by line: its width costs no memory."""

import numpy as np

from tastemap.arrays import F64, I32
from tastemap.data.readers.chunked_text import BadRows, Parsed, Reading
from tastemap.data.readers.matrix import Cells, Matrix, long_frame
from tastemap.data.readers.text import TextFile
from tastemap.errors import DataError


def read_matrix(text: TextFile, matrix: Matrix, reading: Reading) -> Parsed:
    """The ratings of a matrix as columns ``user_id, item_id, rating``, and notes.

    Raises:
        DataError: For the first bad line, unless bad rows are skipped.
    """
    bad, cells, done = BadRows(), Cells(), 0
    keys: list[str] = []
    columns: list[I32] = []
    values: list[F64] = []
    for part in text.parts():
        bad.n_repeated += part.n_repeated
        rows = part.rows()
        if part.layout.has_header:
            next(rows)
        for line, record in rows:
            try:
                key, ratings = _row(part, matrix, cells, line, record)
            except DataError as fault:
                if not reading.skips:
                    raise
                bad.add(fault)
                continue
            rated = np.flatnonzero(~np.isnan(ratings))
            keys.append(key or str(len(keys) + 1))
            columns.append(rated.astype(np.int32))
            values.append(ratings[rated])
        done += part.file.size() or 0
        reading.report(done, text.file.size())
    lengths = [len(rated) for rated in columns]
    row = np.repeat(np.arange(len(keys), dtype=np.int32), lengths)
    column = np.concatenate([*columns, np.empty(0, np.int32)])
    rating = np.concatenate([*values, np.empty(0)])
    marks = reading.unrated is None
    frame, notes = long_frame(matrix, keys, row, column, rating, marks=marks)
    commas = ["numbers written with a decimal comma"] if cells.has_commas else []
    return frame, [*notes, *commas, *bad.notes]


def _row(
    text: TextFile, matrix: Matrix, cells: Cells, line: int, record: list[str]
) -> tuple[str, F64]:
    """The id of a row, "" where rows are numbered, and its numbers (n_columns,)."""
    fault = text.fault(line, record)
    if fault is not None:
        raise fault
    key = ""
    if matrix.key is not None:
        key = record[matrix.key].strip()
        if not key:
            raise _fault(text, line, matrix.key, "an id", "nothing")
    try:
        return key, np.array([cells[record[place]] for place in matrix.places])
    except KeyError as error:
        place = next(place for place in matrix.places if record[place] == error.args[0])
        expected = "a number, or nothing where there is no rating"
        raise _fault(text, line, place, expected, repr(record[place])) from error


def _fault(text: TextFile, line: int, place: int, expected: str, received: str) -> DataError:
    return DataError(
        f"{text.name}, line {line}, column {text.layout.columns[place]}",
        expected=expected,
        received=received,
        do="correct or remove the line",
    )
