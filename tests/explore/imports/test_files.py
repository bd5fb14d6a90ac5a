"""Files and lists of ratings that a person brings along: what is read of them."""

import contextlib
import csv
import gzip
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
from tastemap.explore.imports import files
from tastemap.explore.imports.entries import MAX_CHARACTERS, Entry, title_and_year
from tastemap.explore.imports.files import MAX_FILES, read_list
from tastemap.explore.imports.ratings import read_ratings
from tastemap.support.formulas import defused_text

MOST = 1_000_000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no,such,columns\na,b,c\n",
        b"title,rating\nAlien,inf\n",
        b"PK\x03\x04 and then nothing",
        b"\x00\xff\x00\xff",
        b'title,rating\n"Alien' + b"x" * 200_000 + b",5\n",
    ],
)
def test_what_holds_no_ratings_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(DataError, match="can be read"):
        read_ratings(content, MOST)


def test_a_zip_that_unpacks_to_too_much_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ratings.csv", "0" * (MOST + 1))
    with pytest.raises(DataError, match="too much"):
        read_ratings(file.getvalue(), MOST)


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
        read_ratings(DAMAGED_ZIPS[kind], MOST)


def test_zips_with_any_bytes_changed_are_read_or_refused() -> None:
    draw, sound = random.Random(1), zipped()  # noqa: S311 - no secret
    for _ in range(300):
        content = bytearray(sound)
        for _ in range(draw.randint(1, 4)):
            content[draw.randrange(4, len(content))] = draw.randrange(256)
        with contextlib.suppress(DataError):
            read_ratings(bytes(content), MOST)


def test_the_files_of_a_zip_are_counted_before_it_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for n in range(MAX_FILES + 1):
            archive.writestr(f"{n}.txt", "")
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it is opened"))
    with pytest.raises(DataError, match="more than 1,000 files in the zip"):
        read_ratings(file.getvalue(), MOST)


def test_columns_cells_and_rows_are_bounded() -> None:
    header = "title,rating" + "," * 20_000
    with pytest.raises(DataError, match="more than 100 columns"):
        read_ratings(f"{header}\n{'a,5' * 2_000}\n".encode(), MOST)
    (entry,) = read_ratings(b"title,rating\n" + b"x" * 100_000 + b",5\n", MOST).entries
    assert len(entry.title) == MAX_CHARACTERS


def test_cells_that_are_no_formulas_in_our_export_come_back_as_they_were() -> None:
    titles = ['=HYPERLINK("x")', "@SUM(1)", "-2+3", "+1", "'=x", "'Tis"]
    text = io.StringIO()
    rows = [["item_id", "title", "year", "rating", "timestamp"]]
    rows += [[defused_text(f"@{title}"), defused_text(title), "", 5, 0] for title in titles]
    csv.writer(text).writerows(rows)
    entries = read_ratings(text.getvalue().encode(), MOST).entries
    assert [(entry.item_id, entry.title) for entry in entries] == [(f"@{t}", t) for t in titles]


# What the expressions were that took the square of a line's length.
OLD_ROW = re.compile(r"^(.*?)\s*[=;,\t]\s*([0-9.]+)\s*$")
OLD_YEAR = re.compile(r"\s*\(([0-9]{4})\)\s*$")


@settings(max_examples=300)
@given(st.text("a =;,\t.5١()", max_size=12))
def test_lines_and_years_are_read_as_they_were(text: str) -> None:
    line, match = text.strip(), OLD_ROW.match(text.strip())
    assert files._row(line) == (match.groups() if match else (line, ""))
    for title in (text, f"{text}(1999)", f"{text} (1999) ", f"{text}(19١9)"):
        dated = OLD_YEAR.search(title)
        expected = (title[: dated.start()], int(dated[1])) if dated else (title, None)
        assert title_and_year(title) == expected


@pytest.mark.parametrize("rating", ["1_0", "٣", "３", "0x5", "5 stars"])
def test_only_plain_digits_are_ratings(rating: str) -> None:
    content = f"title,rating\nHamlet,{rating}\nSeven,4\n".encode()
    entries = read_ratings(content, MOST).entries
    assert [(entry.written, math.isnan(entry.rating)) for entry in entries] == [
        (rating, True),
        ("", False),
    ]
    (entry,) = read_list(f"Hamlet = {rating}")
    assert math.isnan(entry.rating)


GOODREADS = """Title,My Rating,Exclusive Shelf,Date Read
"Emma (Austen, #4)",5,read,2024/01/02
Dune,0,read,2023/12/31
Ulysses,0,to-read,
"""


def test_what_has_no_rating_is_seen_or_wanted() -> None:
    source, entries = read(GOODREADS.encode())
    assert source == "Goodreads"
    assert [(e.title, e.is_seen, e.shelf) for e in entries] == [
        ("Emma", False, "read"),
        ("Dune", True, "read"),
        ("Ulysses", True, "to-read"),
    ]
    assert [entry.is_wanted for entry in entries] == [False, False, True]


def read(content: bytes, name: str = "") -> tuple[str, list[Entry]]:
    export = read_ratings(content, MOST, name=name)
    return export.source, export.entries


def packed(files: dict[str, str]) -> bytes:
    """A zip of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file.getvalue()


def test_a_zip_of_letterboxd_has_what_was_rated_watched_liked_and_is_wanted() -> None:
    header = "Date,Name,Year,Letterboxd URI"
    files = {
        "ratings.csv": f"{header},Rating\n2024-01-02,Heat,1995,x,4.5\n",
        "watched.csv": f"{header}\n2024-01-02,Heat,1995,x\n2024-01-03,Alien,1979,y\n",
        "watchlist.csv": f"{header}\n2024-01-03,Dune,2021,y\n",
        "likes/films.csv": f"{header}\n2024-01-04,Up,2009,z\n",
        "deleted/watched.csv": f"{header}\n2024-01-04,Jaws,1975,w\n",
        **{f"lists/{n}.csv": "a,b\n1,2\n" for n in range(40)},
    }
    source, entries = read(packed(files))
    assert source == "Letterboxd"
    assert [(e.title, e.is_seen, e.is_wanted) for e in entries] == [
        *(("Heat", False, False), ("Heat", True, False), ("Alien", True, False)),
        *(("Dune", True, True), ("Up", True, False)),
    ]
    with pytest.raises(DataError, match="too much in it"):
        read_ratings(packed(files), 90)
    with pytest.raises(DataError, match=r"no ratings.csv in the zip, but 40 other files; bring"):
        read(packed({name: text for name, text in files.items() if name.startswith("lists")}))


def test_a_zip_of_movielens_names_its_numbers() -> None:
    files = {
        "ml/ratings.csv": "userId,movieId,rating,timestamp\n1,6,4.5,1700000000\n1,7,3,17\n",
        "ml/movies.csv": "movieId,title,genres\n6,Heat (1995),Action\n",
        "ml/links.csv": "movieId,imdbId,tmdbId\n6,0113277,949\n",
    }
    source, (heat, other) = read(packed(files))
    assert (source, heat.name, heat.imdb_id) == ("MovieLens", "Heat (1995)", "0113277")
    assert (other.title, other.item_id, other.is_numbered) == ("", "7", True)
    release = files | {"ml/ratings.csv": "userId,movieId,rating\n1,6,4\n2,6,5\n"}
    with pytest.raises(DataError, match="the ratings of 2 people; keep the rows of one"):
        read(packed(release))


def test_a_zip_of_one_table_is_that_table() -> None:
    assert read(packed({"mine.csv": "title,rating\nHeat,4\n"}))[1][0].name == "Heat"


def test_the_list_of_what_is_wanted_is_known_by_its_name() -> None:
    content = b"Date,Name,Year,Letterboxd URI\n2024-01-03,Dune,2021,y\n"
    assert [e.is_wanted for e in read(content, "letterboxd-watchlist-2024.csv")[1]] == [True]
    assert [e.is_wanted for e in read(content, "watched.csv")[1]] == [False]


def test_encodings_and_ends_of_lines() -> None:
    text = "Name;Year;Rating\r\nAmélie;2001;5\r\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        (entry,) = read(text.encode(encoding))[1]
        assert (entry.name, entry.rating) == ("Amélie (2001)", 5.0), encoding


def test_what_is_packed_by_gzip_is_read_and_no_bomb() -> None:
    text = b"title,rating\nHeat,4\n"
    assert read(gzip.compress(text))[1][0].name == "Heat"
    for content, why in ((gzip.compress(b"0" * (MOST + 1)), "too much"), (b"\x1f\x8bx", "cut off")):
        with pytest.raises(DataError, match=why):
            read(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty; export it again"),
        (b"\xef\xbb\xbf \n", "the file is empty"),
        (b"title,rating\nHeat,x\n", "no ratings in it; write a line"),
        (b"title\nHeat\n", "received Heat; write a line"),
        (b"\x89PNG\0\0", "a file of no such kind; bring the CSV, JSON, XML or zip"),
        (b"title,rating\n" + b"x,5\n" * 9, "more than 5 entries; bring them in parts"),
    ],
)
def test_a_bad_file_is_refused_in_a_line_that_says_what_to_do(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        read_ratings(content, MOST, max_entries=5)
    assert "\n" not in str(error.value)
