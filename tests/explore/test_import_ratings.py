"""Ratings that a person brings along: what is read, and which item each row is taken for."""

import contextlib
import csv
import io
import math
import random
import re
import time
import zipfile

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.errors import DataError
from tastemap.explore import import_ratings as importing
from tastemap.explore.import_ratings import (
    MAX_CHARACTERS,
    MAX_ENTRIES,
    MAX_FILES,
    MAX_WORDS_GUESSED,
    Entry,
    chosen,
    on_scale,
    read_export,
    read_list,
    review,
    within,
)
from tastemap.explore.title_search import search_titles
from tastemap.support.formulas import defused_text

MOST = 1_000_000
FILMS = [
    ("Godfather, The", 1972),
    ("Seven (Se7en)", 1995),
    ("Amélie (Fabuleux destin d'Amélie Poulain, Le)", 2001),
    ("Hamlet", 1990),
    ("Hamlet", 1996),
    ("Star Wars", 1977),
]
LETTERBOXD = """Date,Name,Year,Letterboxd URI,Rating
2024-01-02,The Godfather,1972,https://boxd.it/2aNK,4.5
2024-01-02,Amelie,2001,https://boxd.it/2bbE,0.5
2024-01-02,Hamlet,1948,https://boxd.it/2,3
2024-01-02,Star Wrs,1977,https://boxd.it/3,2
2024-01-02,Nothing Like It,2003,https://boxd.it/4,2
2024-01-02,Star Wars,1977,https://boxd.it/5,
"""
IMDB = """Const,Your Rating,Date Rated,Title,URL,Title Type,Year
tt0068646,10,2024-01-02,The Godfather,https://x,Movie,1972
tt0076759,1,2024-01-02,Star Wars,https://x,Movie,1977
"""


@pytest.fixture(scope="module")
def data() -> Ratings:
    n = len(FILMS)
    frame = pl.DataFrame(
        {
            "user_id": [u for u in range(10) for _ in range(n)],
            "item_id": [i for _ in range(10) for i in range(n)],
            "rating": [float((u * i) % 5 + 1) for u in range(10) for i in range(n)],
        }
    )
    titles, years = zip(*FILMS, strict=True)
    table = pl.DataFrame({"item_id": range(n), "title": titles, "year": years})
    return Ratings.from_frame(frame, item_table=table)


def reviewed(data: Ratings, content: bytes):
    return review(data, *read_export(content, MOST))


def test_letterboxd_is_matched_by_title_and_year(data: Ratings) -> None:
    found = reviewed(data, LETTERBOXD.encode())
    assert found.source == "Letterboxd"
    sure = {match.entry.title: (match.rows[0], match.rating) for match in found.sure}
    assert sure == {"The Godfather": (0, 5.0), "Amelie": (2, 1.0)}
    asked = {match.entry.title: match.rows for match in found.unsure}
    assert set(asked) == {"Hamlet", "Star Wrs"}
    assert sorted(asked["Hamlet"]) == [3, 4]
    assert asked["Star Wrs"][0] == 5
    assert [match.entry.title for match in found.unknown] == ["Nothing Like It"]


def test_imdb_has_ten_points_that_are_brought_to_five(data: Ratings) -> None:
    found = reviewed(data, IMDB.encode())
    assert (found.source, found.converted) == ("IMDb", "1–10")
    assert [match.rating for match in found.sure] == [5.0, 1.0]


def test_goodreads_has_zeros_for_what_is_not_rated_and_series_in_brackets(data: Ratings) -> None:
    export = (
        "Book Id,Title,Author,ISBN,My Rating,Average Rating,Year Published\n"
        '1,"Godfather, The (The Corleones, #1)",x,,5,4.4,1972\n'
        "2,Star Wars,x,,0,4.1,1977\n"
    )
    found = reviewed(data, export.encode())
    assert (found.source, found.converted) == ("Goodreads", "")
    assert [(match.rows, match.rating) for match in found.sure] == [([0], 5.0)]
    assert not found.unsure
    assert not found.unknown


def test_our_own_export_comes_back_by_its_ids(data: Ratings) -> None:
    own = "item_id,title,year,rating,timestamp\n4,Hamlet,1996,2,0\n3,Hamlet,1990,4,0\n"
    found = reviewed(data, own.encode())
    assert [(m.rows[0], m.rating) for m in found.sure] == [(4, 2.0), (3, 4.0)]


def test_the_ratings_in_a_zip_are_found(data: Ratings) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("profile.csv", "a,b\n1,2\n")
        archive.writestr("deleted/ratings.csv", "Name,Year,Letterboxd URI,Rating\nX,1,u,1\n")
        archive.writestr("ratings.csv", LETTERBOXD)
    assert len(reviewed(data, file.getvalue()).sure) == 2


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
    assert importing._row(line) == (match.groups() if match else (line, ""))
    assert importing._without_brackets(text) == OLD_BRACKETS.sub("", text)
    for title in (text, f"{text}(1999)", f"{text} (1999) ", f"{text}(19١9)"):
        dated = OLD_YEAR.search(title)
        expected = (title[: dated.start()], int(dated[1])) if dated else (title, None)
        assert importing._dated(title) == expected


LONG = [
    *" a1()[]'\"`,.;=\t\n-_&＝é\u0315",
    *("\u0315\u0300", "() ", "a ", "1.", "(1995)", "=5\n", "a\n"),
]


@pytest.mark.parametrize("unit", LONG)
def test_long_text_is_read_in_linear_time(data: Ratings, unit: str) -> None:
    """10^5 characters, alone and between two letters; the square of that would take minutes."""
    long, start = unit * (100_000 // len(unit)), time.monotonic()
    for text in (long, f"a{long}b", f"a{long}= 5", f"{long}(1995)"):
        entries = read_list(text, MOST)
        assert len(entries) <= MAX_ENTRIES
        chosen(data, entries[:200])
        review(data, "", None, [Entry(e.title, e.year, 5.0) for e in entries[:200]])
        cell = text.replace('"', '""')
        with contextlib.suppress(DataError):
            review(data, *read_export(f'title,rating\n"{cell}",5\n'.encode(), MOST))
        with contextlib.suppress(DataError):
            read_export(f"{text}\nrating,title\n".encode(), MOST)
    assert time.monotonic() - start < 20


def test_close_spellings_are_looked_for_within_bounds(
    data: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = []
    monkeypatch.setattr(
        importing, "search_titles", lambda _, q, k: searches.append(q) or search_titles(_, q, k)
    )
    review(data, "", None, [Entry("no such film " * 30, None, 5.0)] * 1_000)
    assert 0 < sum(len(query.split()) for query in searches) <= MAX_WORDS_GUESSED + 90


def test_a_written_list_is_read_line_by_line(data: Ratings) -> None:
    entries = read_list("The Godfather = 5\nStar Wars (1977); 1\nno rating\nUnheard Of = 3\n", MOST)
    ratings, unread = chosen(data, entries)
    assert ratings == {"0": 5.0, "5": 1.0}
    assert unread == ["no rating", "Unheard Of"]
    assert math.isnan(entries[2].rating)


@pytest.mark.parametrize("rating", [0.5, 3.0, 5.0])
def test_ratings_land_on_the_scale(rating: float) -> None:
    for target in (Scale(1, 5, 1), Scale(0, 1, 1), Scale(-10, 10, None), Scale(0.5, 5, 0.5)):
        moved = on_scale(rating, Scale(0.5, 5, 0.5), target)
        assert target.lowest <= moved <= target.highest
        if target.levels is not None:
            assert moved in target.levels


def test_ratings_off_the_scale_are_listed_and_not_moved() -> None:
    entries = read_list("Hamlet = 400\nSeven = 0\nStar Wars = 5\nAmélie\nHeat = ٣\n", MOST)
    inside, outside = within(entries, Scale(1, 5, 1))
    assert [entry.title for entry in outside] == ["Hamlet", "Seven"]
    assert [entry.title for entry in inside] == ["Star Wars", "Amélie", "Heat = ٣"]
    assert within(entries, Scale(0, 400, 1))[1] == []  # 0 is a rating where the scale has it


@pytest.mark.parametrize("rating", ["1_0", "٣", "３", "0x5", "5 stars"])
def test_only_plain_digits_are_ratings(rating: str) -> None:
    content = f"title,rating\nHamlet,{rating}\nSeven,4\n".encode()
    assert [entry.title for entry in read_export(content, MOST)[2]] == ["Seven"]
    (entry,) = read_list(f"Hamlet = {rating}", MOST)
    assert math.isnan(entry.rating)
