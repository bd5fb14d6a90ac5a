import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.models.bias import BiasModel


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> BiasModel:
    return BiasModel().fit(ratings)


def test_a_user_may_name_items_by_title(model: BiasModel) -> None:
    frame = pl.DataFrame({"title": ["Comedy 3 (1962)", "Drama 2 (1961)"], "rating": [5, 1]})
    assert model.fold_in(frame).item_index.tolist() == [2, 1]
    assert model.recommend(ratings=frame).equals(model.recommend(ratings={3: 5, 2: 1}))


def test_ratings_of_a_user_must_be_numbers(model: BiasModel) -> None:
    for bad in (
        {1: float("nan")},
        {1: "five"},
        {1: 99},
        {1: 0},
        {},
        [5, 4],
        pl.DataFrame({"a": [1]}),
    ):
        with pytest.raises(ArgumentError, match="ratings"):
            model.recommend(ratings=bad)
