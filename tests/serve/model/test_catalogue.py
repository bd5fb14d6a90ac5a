"""The items: found by title, genre and id, and the entropy of their ratings."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Vocabulary
from tastemap.serve.model.catalogue import NO_FILTERS, Catalogue, Filters, RowsOfIds

FILMS = pl.DataFrame(
    {
        "item_id": [1, 2, 3, 4, 5],
        "title": ["Alien (1979)", "Horror of Dracula (1958)", "Airplane! (1980)", "Scream", "Dune"],
        "genres": [["Horror", "Sci-Fi"], ["Horror"], ["Comedy"], ["Horror", "Comedy"], None],
    }
)


@pytest.fixture
def films() -> Catalogue:
    """Five films; the fourth has most ratings."""
    item = [1, 2, 3, 4, 4, 4, 5, 1]
    frame = pl.DataFrame({"user_id": range(8), "item_id": item, "rating": [3.0] * 8})
    return Catalogue(Ratings.from_frame(frame, item_table=FILMS))


def test_no_filter_lets_placeholders_through() -> None:
    titles = ["unknown", *(f"Film {n}" for n in range(2, 21))]
    table = pl.DataFrame({"item_id": range(1, 21), "title": titles})
    frame = pl.DataFrame({"user_id": range(20), "item_id": range(1, 21), "rating": [3.0] * 20})
    catalogue = Catalogue(Ratings.from_frame(frame, item_table=table))
    for filters in (NO_FILTERS, Filters(min_ratings=1), Filters(max_ratings=5)):
        assert np.flatnonzero(~catalogue.allowed(filters)).tolist() == [0]
    assert catalogue.allowed(NO_FILTERS).flags.writeable


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("horror", [2, 4, 1]),
        ("sci-fi", [1]),
        ("Horror comedy", [4]),
        ("horror 1979", [1]),
        ("science fiction", [1]),
        ("comedies", [4, 3]),
        ("horror airplane", []),
        ("dracula", [2]),
        ("airplan", [3]),
        ("sceam", [4]),
        ("comdy", []),
        ("", [4, 1, 2, 3, 5]),
    ],
)
def test_titles_come_first_then_the_genre(films: Catalogue, query: str, found: list[int]) -> None:
    finds = films.search(query)
    assert films.items.ids_at(finds.rows).to_list() == found
    assert finds.are_guesses == (query == "sceam")


def test_what_is_known_comes_before_what_is_not() -> None:
    titles = ["Star Kid (1997)", "Star", "Star Wars (1977)", "Starship Troopers (1997)"]
    table = pl.DataFrame({"item_id": [1, 2, 3, 4], "title": titles})
    item = [1, 2, *[3] * 50, *[4] * 40]
    frame = pl.DataFrame({"user_id": range(92), "item_id": item, "rating": [3.0] * 92})
    catalogue = Catalogue(Ratings.from_frame(frame, item_table=table))
    for query, order in (("star", [2, 3, 4, 1]), ("star w", [3]), ("sta", [3, 4, 2, 1])):
        assert catalogue.items.ids_at(catalogue.search(query).rows).to_list() == order, query


def test_a_title_is_found_with_its_article_first_or_last() -> None:
    table = pl.DataFrame({"item_id": [1], "title": ["Postino, Il"], "year": [1994]})
    frame = pl.DataFrame({"user_id": [1], "item_id": [1], "rating": [3.0]})
    catalogue = Catalogue(Ratings.from_frame(frame, item_table=table))
    for title in ("Postino, Il", "il postino", "Il Postino (1994)", "POSTINO, IL (1994)"):
        assert catalogue.row_of_title(title) == 0
    assert catalogue.example == "Il Postino"


ODD = ["5", "05", " 3", "1_0", "x", "", "-3", str(2**70), "١", "3.0"]


@pytest.mark.parametrize("ids", [[5, 3, 9, -3, 10], ["5", "x", "", "05"]])
def test_many_ids_are_found_like_each(ids: list[int] | list[str]) -> None:
    rows_of = RowsOfIds(Vocabulary(pl.Series("item_id", ids), "item"))
    known = [str(one) for one in ids]
    assert rows_of.rows(known).tolist() == list(range(len(ids)))
    for asked in (ODD, [*known, "7"], [], *([one] for one in ODD)):
        assert rows_of.rows(asked).tolist() == [rows_of.row(one) for one in asked]


def test_entropy_is_that_of_each_item_alone(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemap.data.chunks.CHUNK_ROWS", 100)
    found = Catalogue(ratings).entropy
    for row in range(ratings.n_items):
        given = ratings.rating[ratings.by_item[row]]
        share = np.unique(given, return_counts=True)[1] / max(len(given), 1)
        assert found[row] == pytest.approx(-(share * np.log2(share)).sum())


def test_columns_of_other_kinds_are_shown_too() -> None:
    """Titles that are numbers, years as text, genres joined by a bar."""
    frame = pl.DataFrame({"user_id": [1, 1], "item_id": [7, 8], "rating": [4.0, 2.0]})
    about = {"title": [1984, 2001], "year": ["1956", "?"], "genres": ["Drama|War", None]}
    items = pl.DataFrame({"item_id": [7, 8]} | about)
    catalogue = Catalogue(Ratings.from_frame(frame, item_table=items))
    assert [tuple(catalogue[row]) for row in (0, 1)] == [
        (7, "1984", 1956, ("Drama", "War")),
        (8, "2001", None, ()),
    ]
    assert catalogue.genre_mask("war").tolist() == [True, False]
