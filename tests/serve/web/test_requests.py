"""What the API takes."""

import pytest
from pydantic import ValidationError

from tastemap.serve.model.catalogue import Filters
from tastemap.serve.web.requests import ManyRatings, OneRating, RecommendBody, known_errors


def test_of_an_item_that_stands_twice_the_last_rating_counts() -> None:
    rated = [
        {"item_id": 1, "rating": 2},
        {"item_id": "x", "rating": 3},
        {"item_id": "1", "rating": 5},
    ]
    assert ManyRatings(ratings=rated).by_item() == {"1": 5.0, "x": 3.0}


@pytest.mark.parametrize("item_id", [True, 1.0, None, "\ud800"])
def test_an_id_is_a_whole_number_or_text(item_id: object) -> None:
    with pytest.raises(ValidationError):
        ManyRatings(ratings=[{"item_id": item_id, "rating": 3}])


@pytest.mark.parametrize("rating", [float("nan"), float("inf")])
def test_a_rating_is_a_finite_number(rating: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        OneRating(rating=rating)


def test_filters_that_are_left_out_ask_for_nothing() -> None:
    assert RecommendBody(ratings=[]).where.filters() == Filters()
    where = {"genre": "Drama", "year_to": 1999}
    assert RecommendBody(ratings=[], where=where).where.filters() == Filters("Drama", None, 1999)


def test_every_error_of_a_route_has_a_meaning() -> None:
    assert {400, 404, 429} == set(known_errors(400, 404, 429))
    with pytest.raises(KeyError):
        known_errors(418)
