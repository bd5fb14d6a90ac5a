"""Genres in the order of how much they say, and covers for all kinds of items."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.vocabulary import Vocabulary
from tastemap.explore.covers import inks
from tastemap.explore.faces import (
    Faces,
    genres_of,
    places_of,
    telling_genres,
    with_places_of_genres,
)
from tastemap.models.registry import make_model

NOWHERE = np.full((200, 2), np.nan)


def test_a_genre_that_neighbours_share_goes_first_then_the_rarer() -> None:
    rng = np.random.default_rng(0)
    places = np.vstack([rng.normal((0, 0), 1, (100, 2)), rng.normal((50, 0), 1, (100, 2))])
    # Half are space operas among others of the kind; war is as rare, and everywhere.
    genres = [("Action", "Sci-Fi", "War")] * 10 + [("Sci-Fi",)] * 40 + [("Action",)] * 50
    genres += [("Drama", "War")] * 40 + [("Drama",)] * 60
    assert telling_genres(genres, places)[0] == ("Sci-Fi", "Action", "War")
    assert telling_genres(genres, NOWHERE)[0] == ("Sci-Fi", "War", "Action")


def test_no_genres_no_places_and_few_items_are_no_trouble() -> None:
    assert telling_genres([(), ()], NOWHERE[:2]) == [(), ()]
    assert telling_genres([("B", "A"), ("A",), ()], np.zeros((3, 2))) == [("A", "B"), ("A",), ()]
    assert telling_genres([], NOWHERE[:0]) == []
    table = pl.DataFrame({"item_id": [1, 2], "genres": [["Drama", None], None]})
    assert genres_of(Vocabulary(table["item_id"], "item", table)) == [("Drama",), ()]
    odd = table.with_columns(genres=pl.lit("Drama"))
    assert genres_of(Vocabulary(odd["item_id"], "item", odd)) == [(), ()]


def test_items_that_are_nowhere_stand_amid_their_genre() -> None:
    places = np.array([[0.0, 1.0], [0.0, 3.0], [np.nan, np.nan], [np.nan, np.nan]])
    filled = with_places_of_genres(places, [("A",), ("A",), ("A",), ()])
    assert filled[2].tolist() == [0.0, 2.0]
    assert np.isnan(filled[3]).all()
    alone = with_places_of_genres(NOWHERE[:4], [("A",), ("B",), ("A",), ()])
    assert alone[0].tolist() == alone[2].tolist() != alone[1].tolist()
    assert np.isnan(alone[3]).all()


@pytest.mark.parametrize("name", ["mf", "popularity"])
def test_every_item_of_a_model_has_a_cover(name: str) -> None:
    ratings = synthetic_ratings()
    options = {"n_factors": 4, "n_epochs": 2} if name == "mf" else {}
    model = make_model(name, **options).fit(ratings, progress=False)
    assert np.isfinite(places_of(model)).any() == (name == "mf")
    faces = Faces.of(model)
    assert {*faces.inks} <= {*range(len(inks()))}
    assert len({*faces.inks}) > 1
    assert "Cover: Comedy 1<" not in faces.cover(0)
    assert 'aria-label="Cover: ' in faces.cover(ratings.n_items - 1)


def test_an_item_without_a_title_is_called_by_its_noun() -> None:
    jokes = Vocabulary(pl.Series([7, 8]), "item")
    assert 'aria-label="Cover: joke 8"' in Faces(jokes, NOWHERE[:2], "joke").cover(1)
