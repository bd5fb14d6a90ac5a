"""Files and lists of ratings that a person brings along: what is read of them."""

import contextlib
import csv
import io
import math
import random
import re
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exported import LETTERBOXD
from tastemap.errors import DataError
from tastemap.explore import exports
from tastemap.explore.exports import (
    MAX_CHARACTERS,
    MAX_FILES,
    Entry,
    is_export,
    read_entries,
    read_export,
    read_list,
)
from tastemap.support.formulas import defused_text

MOST = 1_000_000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no,such,columns\n1,2,3\n",
        b"title,rating\nAlien,nan\nAlien,inf\nAlien,\n",
        b"PK\x03\x04 and then nothing",
        b"\x00\xff\x00\xff",
        b'title,rating\n"Alien' + b"x" * 200_000 + b",5\n",
    ],
)
def test_what_holds_no_ratings_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(DataError, match="can be read"):
        read_export(content, MOST)


def test_a_zip_that_unpacks_to_too_much_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ratings.csv", "0" * (MOST + 1))
    with pytest.raises(DataError, match="too much"):
        read_export(file.getvalue(), MOST)


def zipped(content: bytes = LETTERBOXD.encode(), compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("ratings.csv", content)
    return file.getvalue()


def changed(content: bytes, before: bytes, offset: int, value: bytes) -> bytes:
    """The bytes with others in place of some, so far after the last place of a mark."""
    place = content.rindex(before) + offset
    return content[:place] + value + content[place + len(value) :]


DIRECTORY = b"PK\x01\x02"
DAMAGED_ZIPS = {
    "deflated bytes": changed(zipped(), b"ratings.csv", -40, b"\xff" * 40),  # zlib.error
    "checksum": changed(zipped(), DIRECTORY, 16, b"\0\0\0\0"),
    "encrypted": changed(zipped(), DIRECTORY, 8, b"\x01"),
    "unknown compression": changed(zipped(), DIRECTORY, 10, b"\x63"),  # NotImplementedError
    "version": changed(zipped(), DIRECTORY, 6, b"\xff"),
    "lzma": zipped(compression=zipfile.ZIP_LZMA),
    "bzip2": zipped(compression=zipfile.ZIP_BZIP2),
    "truncated": zipped()[:-30],
    "no files": b"PK\x03\x04" + zipped()[-22:],
}


@pytest.mark.parametrize("kind", DAMAGED_ZIPS)
def test_a_damaged_zip_is_refused_in_words(kind: str) -> None:
    with pytest.raises(DataError, match="expected a file or list that can be read"):
        read_export(DAMAGED_ZIPS[kind], MOST)


def test_zips_with_any_bytes_changed_are_read_or_refused() -> None:
    draw, sound = random.Random(1), zipped()  # noqa: S311 - no secret
    for _ in range(300):
        content = bytearray(sound)
        for _ in range(draw.randint(1, 4)):
            content[draw.randrange(4, len(content))] = draw.randrange(256)
        with contextlib.suppress(DataError):
            read_export(bytes(content), MOST)


def test_the_files_of_a_zip_are_counted_before_it_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for n in range(MAX_FILES + 1):
            archive.writestr(f"{n}.txt", "")
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it is opened"))
    with pytest.raises(DataError, match="more than 1,000 files in the zip"):
        read_export(file.getvalue(), MOST)


def test_columns_cells_and_rows_are_bounded() -> None:
    header = "title,rating" + "," * 20_000
    with pytest.raises(DataError, match="more than 100 columns"):
        read_export(f"{header}\n{'a,5' * 2_000}\n".encode(), MOST)
    (entry,) = read_export(b"title,rating\n" + b"x" * 100_000 + b",5\n", MOST)[2]
    assert len(entry.title) == MAX_CHARACTERS
    with pytest.raises(DataError, match="more than 5,000 ratings"):
        read_export(b"title,rating\n" + b"Alien,5\n" * 400_000, 10 * MOST)


def test_cells_that_are_no_formulas_in_our_export_come_back_as_they_were() -> None:
    titles = ['=HYPERLINK("x")', "@SUM(1)", "-2+3", "+1", "'=x", "'Tis"]
    text = io.StringIO()
    rows = [["item_id", "title", "year", "rating", "timestamp"]]
    rows += [[defused_text(f"@{title}"), defused_text(title), "", 5, 0] for title in titles]
    csv.writer(text).writerows(rows)
    entries = read_export(text.getvalue().encode(), MOST)[2]
    assert [(entry.item_id, entry.title) for entry in entries] == [(f"@{t}", t) for t in titles]


# What the expressions were that took the square of a line's length.
OLD_ROW = re.compile(r"^(.*?)\s*[=;,\t]\s*([0-9.]+)\s*$")
OLD_YEAR = re.compile(r"\s*\(([0-9]{4})\)\s*$")
OLD_BRACKETS = re.compile(r"\s*\([^)]*\)")


@settings(max_examples=300)
@given(st.text("a =;,\t.5١()", max_size=12))
def test_lines_years_and_brackets_are_read_as_they_were(text: str) -> None:
    line, match = text.strip(), OLD_ROW.match(text.strip())
    assert exports._row(line) == (match.groups() if match else (line, ""))
    assert exports.without_brackets(text) == OLD_BRACKETS.sub("", text)
    for title in (text, f"{text}(1999)", f"{text} (1999) ", f"{text}(19١9)"):
        dated = OLD_YEAR.search(title)
        expected = (title[: dated.start()], int(dated[1])) if dated else (title, None)
        assert exports.title_and_year(title) == expected


@pytest.mark.parametrize("rating", ["1_0", "٣", "３", "0x5", "5 stars"])
def test_only_plain_digits_are_ratings(rating: str) -> None:
    content = f"title,rating\nHamlet,{rating}\nSeven,4\n".encode()
    entries = read_export(content, MOST)[2]
    assert [(entry.written, math.isnan(entry.rating)) for entry in entries] == [
        (rating, True),
        ("", False),
    ]
    (entry,) = read_list(f"Hamlet = {rating}", MOST)
    assert math.isnan(entry.rating)


GOODREADS = """Title,My Rating,Exclusive Shelf,Date Read
"Emma (Austen, #4)",5,read,2024/01/02
Dune,0,read,2023/12/31
Ulysses,0,to-read,
"""


def test_what_has_no_rating_is_seen_only_where_that_is_wanted() -> None:
    source, _, entries = read_entries(GOODREADS.encode(), 1_000, with_seen=True)
    assert source == "Goodreads"
    assert [(e.title, e.is_seen, e.shelf) for e in entries] == [
        ("Emma", False, "read"),
        ("Dune", True, "read"),
        ("Ulysses", True, "to-read"),
    ]
    assert [entry.is_wanted for entry in entries] == [False, False, True]
    assert [entry.title for entry in read_entries(GOODREADS.encode(), 1_000)[2]] == ["Emma"]


def test_a_zip_of_letterboxd_has_ratings_what_was_watched_and_what_was_liked() -> None:
    header = "Date,Name,Year,Letterboxd URI"
    files = {
        "ratings.csv": f"{header},Rating\n2024-01-02,Heat,1995,x,4.5\n",
        "watched.csv": f"{header}\n2024-01-02,Heat,1995,x\n2024-01-03,Alien,1979,y\n",
        "likes/films.csv": f"{header}\n2024-01-04,Up,2009,z\n",
        "deleted/watched.csv": f"{header}\n2024-01-04,Dune,2021,w\n",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    source, _, entries = read_entries(file.getvalue(), 10_000, with_seen=True)
    assert source == "Letterboxd"
    assert [(e.title, e.is_seen) for e in entries] == [
        *(("Heat", False), ("Heat", True), ("Alien", True), ("Up", True)),
    ]
    assert [entry.title for entry in read_entries(file.getvalue(), 10_000)[2]] == ["Heat"]
    assert is_export(file.getvalue())
    with pytest.raises(DataError, match="too much in it"):
        read_entries(file.getvalue(), 90, with_seen=True)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Letterboxd", "Date,Name,Year,Letterboxd URI\n2024-01-02,Heat,1995,x\n"),
        ("Trakt", "watched_at,type,title,year\n2024-01-02T10:00:00Z,movie,Heat,1995\n"),
        ("Trakt", '[{"watched_at": "2024-01-02", "movie": {"title": "Heat", "year": 1995}}]'),
        ("Last.fm", "uts,artist,album,track\n1704190000,Cher,Believe,Heat\n"),
        ("Last.fm", "Cher,Believe,Heat,02 Jan 2024 10:30\n"),
    ],
)
def test_histories_hold_no_rating(source: str, text: str) -> None:
    assert is_export(text.encode())
    origin, _, (entry,) = read_entries(text.encode(), 1_000, with_seen=True)
    assert origin == source
    assert (entry.title, entry.is_seen, bool(entry.at)) == ("Heat", True, True)
    assert (entry.year, entry.creator) in ((1995, ""), (None, "Cher"))
    assert not any(entry.is_seen for entry in entries_or_none(text))


def entries_or_none(text: str) -> list[Entry]:
    try:
        return read_entries(text.encode(), 1_000)[2]
    except DataError:
        return []
