"""Which of the files in a folder or zip holds the ratings."""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import polars as pl

from tastemap.data.readers.archive import GZIP, DataFile, boundary, open_files, zip_around
from tastemap.data.readers.chunked_text import Reading
from tastemap.data.readers.dialect import Dialect, sniff
from tastemap.data.readers.json_records import is_json, read_json
from tastemap.data.readers.roles import find_columns
from tastemap.errors import DataError, TastemapError

# Of a file so much says whether names make its columns those of ratings.
START_BYTES = 2**18
# What stands beside tables.
_OTHER_ENDINGS = {
    *(".md", ".rst", ".pdf", ".html", ".htm", ".xml", ".yaml", ".yml", ".toml", ".ini", ".log"),
    *(".png", ".jpg", ".jpeg", ".gif", ".svg", ".py", ".ipynb", ".r", ".sh", ".sql", ".docx"),
    *(".doc", ".pkl", ".npy", ".npz", ".md5", ".sha256"),
}
_OTHER_STEMS = ("readme", "license", "licence", "copying", "changelog", "citation")
MAX_LISTED = 10


def table_in(
    path: Path,
    files: Mapping[PurePosixPath, DataFile],
    chosen: Mapping[str, str | None],
    dialect: Dialect,
) -> tuple[DataFile, list[str]]:
    """The one table of ratings among the files of a folder or zip, and a note if there are others.

    It is the only table, or the only one whose columns are those of ratings by their names.

    Args:
        path: The folder or zip.
        files: The files in it; see `open_files`.
        chosen: For a role, the column that the caller has named.
        dialect: What is given of the layout of text.

    Raises:
        DataError: If there is no table, or it is not clear which one is meant.
    """
    if any(inside.name == "workbook.xml" for inside in files):
        raise DataError(
            str(path), expected="a table", received="an Excel workbook", do="save it as CSV"
        )
    tables = {str(inside): file for inside, file in files.items() if _may_be_table(inside)}
    rated = [
        name for name in tables if len(tables) == 1 or _has_ratings(tables[name], chosen, dialect)
    ]
    if len(rated) == 1:
        others = [name for name in tables if name not in rated]
        note = f"read {rated[0]}; not read: {_listed(others)}" if others else f"read {rated[0]}"
        return tables[rated[0]], [note]
    several = rated or [*tables]
    raise DataError(
        str(path),
        expected="one table of ratings, or a MovieLens release",
        received=f"several: {_listed(several)}" if several else "no table",
        do=f"name one of them: {path / several[0]}" if several else "check the path",
    )


def member(path: Path) -> DataFile | None:
    """The file that a path such as ``data.zip/ratings.csv`` leads to; None if it leads into no zip.

    Raises:
        DataError: If the zip does not hold it.
    """
    archive = zip_around(path)
    if archive is None:
        return None
    files = {str(inside): file for inside, file in open_files(archive).items()}
    inside = path.relative_to(archive).as_posix()
    if inside not in files:
        raise DataError(
            str(path),
            expected=f"one of the files of {archive.name}: {_listed([*files])}",
            received=inside,
            do="check the path",
        )
    return files[inside]


def _may_be_table(inside: PurePosixPath) -> bool:
    """Whether a file may be a table, by its name; macOS adds hidden ones of its own."""
    if any(part.startswith((".", "__MACOSX")) for part in inside.parts):
        return False
    is_other = inside.name.casefold().startswith(_OTHER_STEMS)
    return not is_other and inside.suffix.casefold() not in _OTHER_ENDINGS


def _has_ratings(file: DataFile, chosen: Mapping[str, str | None], dialect: Dialect) -> bool:
    """Whether a file is a table whose columns are those of ratings, by their names."""
    try:
        with boundary(file.name):
            return bool(find_columns(file.name, _column_names(file, dialect), chosen))
    except TastemapError:
        return False


def _column_names(file: DataFile, dialect: Dialect) -> Sequence[str]:
    """The names of the columns of a table; none where it has no header."""
    start = file.start(START_BYTES)
    if start.startswith(GZIP):
        start = zlib.decompressobj(wbits=31).decompress(start, START_BYTES)
    if start.startswith((b"PAR1", b"ARROW1")):
        scan = pl.scan_parquet if start.startswith(b"PAR1") else pl.scan_ipc
        return scan(file.path or file.read()).collect_schema().names()
    if is_json(start):
        return read_json(file.unpacked(), dialect.encoding, {}, Reading("skip")).frame.columns
    # The last line may be cut in the middle.
    lines = start if len(start) < START_BYTES else start[: start.rfind(b"\n") + 1]
    layout = sniff(DataFile(file.name, lambda: lines), dialect)[0].layout
    return layout.names if layout.has_header else ()


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more
