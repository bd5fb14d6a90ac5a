"""Any file that people bring: an export as it comes, also zipped, or a list that they write."""

import io
import math
import zipfile
import zlib
from itertools import takewhile

from tastemap.data.readers.archive import ZIP, is_readable
from tastemap.errors import DataError
from tastemap.explore.imports.documents import read_json, read_xml
from tastemap.explore.imports.entries import (
    MAX_CHARACTERS,
    MAX_ENTRIES,
    YOUR_LIST,
    Entry,
    Export,
    title_and_year,
    unreadable,
)
from tastemap.explore.imports.tables import (
    WATCHLIST,
    is_table,
    named,
    read_table,
    titles_of,
    with_header,
)
from tastemap.support.boundary import refusing
from tastemap.support.numerals import number

#: A zip has at most so many files.
MAX_FILES = 1_000
GZIP = b"\x1f\x8b"
_TABLES = (".csv", ".json", ".xml", ".txt", ".tsv")
# Folders of Letterboxd's zip with what the person has taken back.
_DELETED = ("deleted/", "orphaned/")
MOVIES, LINKS = "movies.csv", "links.csv"


def read_file(
    content: bytes, max_bytes: int, max_entries: int = MAX_ENTRIES, *, name: str = ""
) -> Export:
    r"""What any file that people bring holds.

    Args:
        content: The file: an export of a service, as it comes or zipped, a table with a column of
            titles, or a list of lines ``title = 5``.
        max_bytes: Bytes that may be unpacked.
        max_entries: Entries that it may hold.
        name: The name of the file; one that has "watchlist" in it holds what is still to be seen.

    Returns:
        Whose export it is, and its entries. An entry of a list has the rating NaN where its line
        has none.

    Raises:
        DataError: If it cannot be read.

    Example:
        >>> export = read_file(b"Heat (1995) = 4\nAlien = 5\n", 1_000)
        >>> export.source, [(entry.name, entry.rating) for entry in export.entries]
        ('Your list', [('Heat (1995)', 4.0), ('Alien', 5.0)])
    """
    if content[:4] == ZIP:
        export = _read_members(_unzipped(content, max_bytes), max_entries)
    else:
        export = _read_part(_inflated(content, max_bytes), name, max_entries)
    if len(export.entries) > max_entries:
        raise unreadable(f"more than {max_entries:,} entries", "bring them in parts")
    return export


def read_list(text: str, max_entries: int = MAX_ENTRIES) -> list[Entry]:
    r"""What a person has written or pasted: lines ``title = 5``, or a table.

    Raises:
        DataError: If it looks like a table and cannot be read.

    Example:
        >>> [(entry.name, entry.rating) for entry in read_list("Heat (1995) = 4\nAlien, 5")]
        [('Heat (1995)', 4.0), ('Alien', 5.0)]
    """
    if is_table(text):
        return read_table(text, max_entries).entries[:max_entries]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [_of_line(line) for line in lines[: max_entries + 1]]


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 by its mark, else what Windows writes.

    Example:
        >>> decoded("Amélie".encode("cp1252")), decoded("Amélie".encode("utf-16"))
        ('Amélie', 'Amélie')
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _read_part(content: bytes, name: str, max_entries: int) -> Export:
    """A file that is not packed."""
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        raise unreadable("nothing: the file is empty", "export it again")
    for document in (read_json(content), read_xml(content, max_entries)):
        if document is not None:
            return document
    text = with_header(decoded(content))
    if is_table(text):
        return read_table(text, max_entries, name)
    if "\0" in text:
        raise unreadable(
            "a file of no such kind", "bring the CSV, JSON, XML or zip as it was exported"
        )
    return Export(YOUR_LIST, read_list(text, max_entries))


def _read_members(members: dict[str, bytes], max_entries: int) -> Export:
    """The members of a zip, together; the titles of MovieLens are beside its ratings."""
    tables = {name.rpartition("/")[2]: decoded(members.pop(name)) for name in _companions(members)}
    exports = [_read_part(content, name, max_entries) for name, content in members.items()]
    entries = [entry for export in exports for entry in export.entries]
    if MOVIES in tables:
        entries = named(entries, titles_of(tables[MOVIES], tables.get(LINKS, "")))
    services = [export.service for export in exports]
    return Export(next((s for s in services if s is not YOUR_LIST), YOUR_LIST), entries)


def _companions(names: dict[str, bytes]) -> list[str]:
    return [name for name in names if name.rpartition("/")[2] in (MOVIES, LINKS)]


def _of_line(line: str) -> Entry:
    title, rating = _row(line) if len(line) <= MAX_CHARACTERS else (line[:MAX_CHARACTERS], "")
    title, year = title_and_year(title.strip("\"' "))
    value = number(rating)
    return Entry(title, year, math.nan if value is None else value)


def _row(line: str) -> tuple[str, str]:
    """The title and the rating of a line ``title = 5``; without a rating, the line and "".

    Example:
        >>> _row("Alien, 4.5"), _row("M = 3"), _row("Alien 3")
        (('Alien', '4.5'), ('M', '3'), ('Alien 3', ''))
    """
    n_digits = sum(1 for _ in takewhile(lambda c: c in "0123456789.", reversed(line)))
    before, rating = line[: len(line) - n_digits], line[len(line) - n_digits :]
    title = before.rstrip()
    if not rating or not (title.endswith(("=", ";", ",")) or "\t" in before[len(title) :]):
        return line, ""
    return (title[:-1].rstrip() if title.endswith(("=", ";", ",")) else title), rating


def _inflated(content: bytes, max_bytes: int) -> bytes:
    """A file without its compression by gzip, as MyAnimeList sends it; no bomb is unpacked."""
    if content[:2] != GZIP:
        return content
    unpacker = zlib.decompressobj(wbits=31)
    with refusing(unreadable, DataError):
        inflated = unpacker.decompress(content, max_bytes + 1)
    if len(inflated) > max_bytes:
        raise unreadable("too much in it", "bring it in parts")
    if not unpacker.eof:
        raise unreadable("a file that is cut off", "export it again")
    return inflated


def _unzipped(content: bytes, max_bytes: int) -> dict[str, bytes]:
    """The files of a zip that are read; nothing is written to disk, and no bomb is unpacked."""
    # Opening a zip reads the whole of its directory, in which each entry has this mark.
    if content.count(b"PK\x01\x02") > MAX_FILES:
        raise unreadable(f"more than {MAX_FILES:,} files in the zip")
    with refusing(unreadable, DataError), zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {file.filename: file for file in archive.infolist()}
        meant = [files[name] for name in _meant([*files])]
        if not meant:
            raise unreadable(
                f"no ratings.csv in the zip, but {len(files):,} other files",
                "bring the file of the ratings alone",
            )
        if sum(file.file_size for file in meant) > max_bytes:
            raise unreadable("too much in it", "bring the file of the ratings alone")
        if not all(map(is_readable, meant)):
            raise unreadable("ratings that are encrypted, or compressed in an unusual way")
        # Of each at most what its directory names is read.
        return {file.filename.lower(): archive.read(file) for file in meant}


def _meant(names: list[str]) -> list[str]:
    """The names in a zip that hold ratings, what was watched, liked or is wanted, and titles.

    Of several tables of one kind the one that lies least deep counts. A zip of a single table holds
    that one.

    Example:
        >>> _meant(["a/ratings.csv", "a/old/ratings.csv", "a/deleted/watched.csv"])
        ['a/ratings.csv']
    """
    tables = [name for name in names if name.lower().endswith(_TABLES)]
    tables = [name for name in tables if not any(part in name.lower() for part in _DELETED)]
    kinds: dict[str, list[str]] = {}
    for name in tables:
        if kind := _kind(name.lower()):
            kinds.setdefault(kind, []).append(name)
    meant = [min(same, key=lambda name: name.count("/")) for same in kinds.values()]
    if not any(_kind(name.lower()) not in (MOVIES, LINKS) for name in meant):
        return tables if len(tables) == 1 else []
    return meant


def _kind(name: str) -> str:
    """What a file in a zip holds, as its name says; "" for what is not read."""
    base = name.rpartition("/")[2]
    if base in (MOVIES, LINKS):
        return base
    if base.endswith(".json"):
        is_meant = any(word in base for word in ("rating", "watched", WATCHLIST, "simkl"))
        return base if is_meant else ""
    if "rating" in base and base.endswith((".csv", ".xml")):
        return "ratings"
    if f"/{name}".endswith("/likes/films.csv"):
        return "likes"
    return base if base in ("watched.csv", "watchlist.csv") else ""
