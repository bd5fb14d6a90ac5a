"""Ratings that a person brings along: what is read, and which item each row is taken for."""

import io
import math
import zipfile

import polars as pl
import pytest
from small_models import save_small

from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.errors import DataError
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.reload import load
from tastemap.serve.people.import_ratings import chosen, on_scale, read_export, read_list, review

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
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
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
    ratings = Ratings.from_frame(frame, item_table=table)
    return load(save_small(ratings, tmp_path_factory.mktemp("films") / "model"))


def reviewed(model: LoadedModel, content: bytes):
    return review(model, *read_export(content, MOST))


def test_letterboxd_is_matched_by_title_and_year(model: LoadedModel) -> None:
    found = reviewed(model, LETTERBOXD.encode())
    assert found.source == "Letterboxd"
    sure = {match.entry.title: (match.candidates[0].item_id, match.rating) for match in found.sure}
    assert sure == {"The Godfather": (0, 5.0), "Amelie": (2, 1.0)}
    asked = {match.entry.title: [c.item_id for c in match.candidates] for match in found.unsure}
    assert set(asked) == {"Hamlet", "Star Wrs"}
    assert sorted(asked["Hamlet"]) == [3, 4]
    assert asked["Star Wrs"][0] == 5
    assert [match.entry.title for match in found.unknown] == ["Nothing Like It"]


def test_imdb_has_ten_points_that_are_brought_to_five(model: LoadedModel) -> None:
    found = reviewed(model, IMDB.encode())
    assert (found.source, found.converted) == ("IMDb", "1–10")
    assert [match.rating for match in found.sure] == [5.0, 1.0]


def test_our_own_export_comes_back_by_its_ids(model: LoadedModel) -> None:
    own = "item_id,title,year,rating,timestamp\n4,Hamlet,1996,2,0\n3,Hamlet,1990,4,0\n"
    found = reviewed(model, own.encode())
    assert [(m.candidates[0].item_id, m.rating) for m in found.sure] == [(4, 2.0), (3, 4.0)]


def test_the_ratings_in_a_zip_are_found(model: LoadedModel) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("profile.csv", "a,b\n1,2\n")
        archive.writestr("deleted/ratings.csv", "Name,Year,Letterboxd URI,Rating\nX,1,u,1\n")
        archive.writestr("ratings.csv", LETTERBOXD)
    assert len(reviewed(model, file.getvalue()).sure) == 2


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


def test_a_written_list_is_read_line_by_line(model: LoadedModel) -> None:
    entries = read_list("The Godfather = 5\nStar Wars (1977); 1\nno rating\nUnheard Of = 3\n", MOST)
    ratings, unread = chosen(model, entries)
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
