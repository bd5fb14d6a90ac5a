"""Ratings that a person brings along."""

import io
import zipfile
from collections.abc import Iterator

import polars as pl
import pytest
from small_models import save_small

from tastemap.data.ratings import Ratings, Scale
from tastemap.serve import importing
from tastemap.serve.answers import OwnRating, OwnRatings
from tastemap.serve.importing import FORMATS, on_scale, own_export, review_export
from tastemap.serve.model import LoadedModel, load
from tastemap.serve.problems import Problem

FILMS = [
    ("Godfather, The", 1972),
    ("Seven (Se7en)", 1995),
    ("Amélie (Fabuleux destin d'Amélie Poulain, Le)", 2001),
    ("Hamlet", 1990),
    ("Hamlet", 1996),
    ("Star Wars", 1977),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedModel]:
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


LETTERBOXD = """Date,Name,Year,Letterboxd URI,Rating
2024-01-02,The Godfather,1972,https://boxd.it/2aNK,4.5
2024-01-02,Se7en,1995,https://boxd.it/29Hs,5
2024-01-02,Amelie,2001,https://boxd.it/2bbE,0.5
2024-01-02,Hamlet,1997,https://boxd.it/1,3
2024-01-02,Hamlet,1948,https://boxd.it/2,3
2024-01-02,Star Wrs,1977,https://boxd.it/3,2
2024-01-02,Nothing Like It,2003,https://boxd.it/4,2
2024-01-02,Star Wars,1977,https://boxd.it/5,
"""


def test_letterboxd_by_title_and_year(model: LoadedModel) -> None:
    review = review_export(model, LETTERBOXD.encode())
    assert review.source == "Letterboxd"
    found = [(m.item and m.item.item_id, m.how, m.sure, m.rating) for m in review.matches]
    assert found == [
        (0, "exact", True, 5.0),
        (1, "exact", True, 5.0),
        (2, "exact", True, 1.0),
        (4, "exact", True, 3.0),
        (3, "title", False, 3.0),
        (5, "spelling", False, 2.0),
        (None, "none", False, 2.0),
    ]
    assert review.unread == ["line 9: '' is no rating"]


def test_imdb_in_a_zip_and_in_latin_1(model: LoadedModel) -> None:
    text = (
        "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,Year\r\n"
        'tt1,9,2024-01-02,"Amélie","Le fabuleux destin",u,Movie,2001\r\n'
        "tt2,1,2024-01-02,Star Wars,Star Wars,u,Movie,1977\r\n"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("export/profile.csv", "a,b\n")
        archive.writestr("export/ratings.csv", text.encode("latin-1"))
    review = review_export(model, file.getvalue())
    assert review.source == "IMDb"
    assert [(m.item.item_id, m.given, m.rating) for m in review.matches] == [(2, 9, 5), (5, 1, 1)]


def test_movielens_with_titles_and_with_ids_alone(model: LoadedModel) -> None:
    own = (
        "movie_id,imdb_id,tmdb_id,rating,average_rating,title\n"
        "858,1,2,4.0,4.3,The Godfather (1972)\n"
    )
    (match,) = review_export(model, own.encode()).matches
    assert (match.item.item_id, match.how, match.sure, match.year) == (0, "exact", True, 1972)
    release = "userId,movieId,rating,timestamp\n1,5,4.5,964982703\n1,99,4.5,964982703\n"
    found = review_export(model, release.encode()).matches
    assert [(m.item and m.item.item_id, m.how, m.sure) for m in found] == [
        (5, "id", False),
        (None, "none", False),
    ]


def test_our_own_export_comes_back(model: LoadedModel) -> None:
    rated = [
        OwnRating(4, 'Hamlet "1996", the\nlong one', 1996, 3.0, 1_700_000_000, False),
        OwnRating(3, "Hamlet", 1990, 4.0, None, True),
    ]
    text = own_export(OwnRatings(rated))
    assert text.splitlines()[0] == "item_id,title,year,rating,rated_at"
    assert "2023-11-14T22:13:20+00:00" in text
    review = review_export(model, text.encode())
    assert review.source == "tastemap"
    assert [match.rating for match in review.matches] == [3.0, 4.0]
    assert review.matches[1].item.item_id == 3
    assert review.matches[1].sure


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01\x02",
        b"a,b\n1,2\n",
        b"PK\x03\x04 no zip",
        b'title,rating\n"open,1\n',
        b"\xff",
    ],
)
def test_what_is_no_export_says_so(model: LoadedModel, content: bytes) -> None:
    with pytest.raises(Problem, match="no export") as found:
        review_export(model, content)
    assert found.value.status == 422


def test_exports_have_limits(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_ROWS", 3)
    with pytest.raises(Problem, match="at most 3 ratings"):
        review_export(model, LETTERBOXD.encode())
    monkeypatch.setattr(importing, "MOST_BYTES", 1000)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ratings.csv", "0" * 10_000)
    with pytest.raises(Problem, match="bytes"):
        review_export(model, file.getvalue())


@pytest.mark.parametrize(
    ("given", "scale", "expected"),
    [
        (3.5, Scale(1, 5, 1), 4.0),
        (2.5, Scale(0.5, 5, 0.5), 2.5),
        (0.5, Scale(-10, 10), -10.0),
        (5.0, Scale(-10, 10), 10.0),
        (9.0, Scale(1, 5, 1), 5.0),
        (4.0, Scale(1, 10, 1), 8.0),
    ],
)
def test_ratings_are_brought_onto_the_scale(given: float, scale: Scale, expected: float) -> None:
    assert on_scale(given, FORMATS[0], scale) == pytest.approx(expected)


def test_a_rating_that_is_no_number_of_the_world_is_not_read(model: LoadedModel) -> None:
    review = review_export(model, b"title,year,rating\nAlien,1979,nan\nAlien,1979,inf\n")
    assert review.matches == []
    assert len(review.unread) == 2
