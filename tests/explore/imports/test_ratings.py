"""Ratings that a person brings along: which item each of them is taken for."""

import contextlib
import io
import math
import time
import zipfile

import polars as pl
import pytest

from exported import LETTERBOXD
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.errors import DataError
from tastemap.explore.imports import matching
from tastemap.explore.imports.entries import Entry, Export, Service
from tastemap.explore.imports.files import read_list
from tastemap.explore.imports.matching import MAX_WORDS_GUESSED
from tastemap.explore.imports.ratings import Review, chosen, on_scale, read_ratings, review
from tastemap.explore.title_search import search_titles

MOST = 1_000_000
FILMS = [
    ("Godfather, The", 1972),
    ("Seven (Se7en)", 1995),
    ("Amélie (Fabuleux destin d'Amélie Poulain, Le)", 2001),
    ("Hamlet", 1990),
    ("Hamlet", 1996),
    ("Star Wars", 1977),
]
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


def listed(entries: list[Entry], scale: Scale | None = None) -> Export:
    """Entries as a list has them, or a service with a scale."""
    return Export(Service("", scale), entries)


def reviewed(data: Ratings, content: bytes) -> Review:
    return review(data, read_ratings(content, MOST))


def test_letterboxd_is_matched_by_title_and_year(data: Ratings) -> None:
    result = reviewed(data, LETTERBOXD.encode())
    assert result.source == "Letterboxd"
    sure = {match.entry.title: (match.rows[0], match.rating) for match in result.sure}
    assert sure == {"The Godfather": (0, 5.0), "Amelie": (2, 1.0)}
    unsure = {match.entry.title: match.rows for match in result.unsure}
    assert set(unsure) == {"Hamlet", "Star Wrs"}
    assert sorted(unsure["Hamlet"]) == [3, 4]
    assert unsure["Star Wrs"][0] == 5
    assert [match.entry.title for match in result.unknown] == ["Nothing Like It"]


def test_imdb_has_ten_points_that_are_brought_to_five(data: Ratings) -> None:
    result = reviewed(data, IMDB.encode())
    assert (result.source, result.converted) == ("IMDb", "1–10")
    assert [match.rating for match in result.sure] == [5.0, 1.0]


def test_goodreads_has_zeros_for_what_is_not_rated_and_series_in_brackets(data: Ratings) -> None:
    export = (
        "Book Id,Title,Author,ISBN,My Rating,Average Rating,Year Published\n"
        '1,"Godfather, The (The Corleones, #1)",x,,5,4.4,1972\n'
        "2,Star Wars,x,,0,4.1,1977\n"
    )
    result = reviewed(data, export.encode())
    assert (result.source, result.converted) == ("Goodreads", "")
    assert [(match.rows, match.rating) for match in result.sure] == [([0], 5.0)]
    assert not result.unsure
    assert not result.unknown


def test_our_own_export_comes_back_by_its_ids(data: Ratings) -> None:
    own = "item_id,title,year,rating,timestamp\n4,Hamlet,1996,2,0\n3,Hamlet,1990,4,0\n"
    result = reviewed(data, own.encode())
    assert [(m.rows[0], m.rating) for m in result.sure] == [(4, 2.0), (3, 4.0)]


def test_the_ratings_in_a_zip_are_found(data: Ratings) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("profile.csv", "a,b\n1,2\n")
        archive.writestr("deleted/ratings.csv", "Name,Year,Letterboxd URI,Rating\nX,1,u,1\n")
        archive.writestr("ratings.csv", LETTERBOXD)
    assert len(reviewed(data, file.getvalue()).sure) == 2


LONG = [
    *" a1()[]'\"`,.;=\t\n-_&＝é\u0315",
    *("\u0315\u0300", "() ", "a ", "1.", "(1995)", "=5\n", "a\n"),
]


@pytest.mark.parametrize("unit", LONG)
def test_long_text_is_read_in_linear_time(data: Ratings, unit: str) -> None:
    """10^5 characters, alone and between two letters; the square of that would take minutes."""
    long, start = unit * (100_000 // len(unit)), time.monotonic()
    for text in (long, f"a{long}b", f"a{long}= 5", f"{long}(1995)"):
        entries = read_list(text, max_entries=1_000)
        assert len(entries) <= 1_001
        chosen(data, entries[:200])
        review(data, listed([Entry(e.title, e.year, 5.0) for e in entries[:200]]))
        cell = text.replace('"', '""')
        with contextlib.suppress(DataError):
            reviewed(data, f'title,rating\n"{cell}",5\n'.encode())
        for content in (f"{text}\nrating,title\n", f"<{text}", f"[{text}"):
            with contextlib.suppress(DataError):
                read_ratings(content.encode(), MOST, max_entries=1_000)
    assert time.monotonic() - start < 20


def test_close_spellings_are_looked_for_within_bounds(
    data: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = []
    monkeypatch.setattr(
        matching, "search_titles", lambda _, q, k: searches.append(q) or search_titles(_, q, k)
    )
    review(data, listed([Entry("no such film " * 30, None, 5.0)] * 1_000))
    assert 0 < sum(len(query.split()) for query in searches) <= MAX_WORDS_GUESSED + 90


def test_a_written_list_is_read_line_by_line(data: Ratings) -> None:
    entries = read_list("The Godfather = 5\nStar Wars (1977); 1\nno rating\nUnheard Of = 3\n")
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


def test_ratings_off_the_scale_are_listed_and_not_moved(data: Ratings) -> None:
    entries = read_list("Hamlet = 400\nSeven = 0\nStar Wars = 5\nAmélie\nHeat = ٣\n")
    ratings, unread = chosen(data, entries)
    assert ratings == {"5": 5.0}
    ends = "(ratings go from 1 to 5)"
    assert unread == [f"Hamlet = 400 {ends}", f"Seven = 0 {ends}", "Amélie", "Heat = ٣"]
    result = review(data, listed(entries[:3]))
    assert [entry.title for entry in result.off_scale] == ["Hamlet", "Seven"]
    assert [match.entry.title for match in result.sure] == ["Star Wars"]
    # 0 is a rating where the scale has it.
    assert not review(data, listed(entries[:3], Scale(0, 400, 1))).off_scale


def test_every_entry_has_its_place_and_its_remark(data: Ratings) -> None:
    rows = "Seven,5\nSeven,2\nHamlet,3\nNo Such,4\nStar Wars,9\nThe Godfather,good\nAmelie,\n"
    result = reviewed(data, f"title,rating\n{rows}".encode())
    assert result.n_entries == 7
    assert [match.entry.title for match in result.seen] == ["Amelie"]
    assert [(match.rows, match.rating) for match in result.sure] == [([1], 2.0)]
    assert [remark.shown() for remark in result.remarks] == [
        "1 title is not known: No Such",
        "1 rating is not from 1 to 5: Star Wars = 9",
        "1 line has no rating that can be read: The Godfather = good",
        "1 further rating of an item that is rated twice, the last counts: Seven = 5",
    ]
