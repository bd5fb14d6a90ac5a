"""The size of an expansion; the expansion itself: tests/data/datasets/test_fractal.py."""

import pytest

from tastemap.data.datasets.fractal import SIZES
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.jobs.synthesize import expanded_size


def test_a_release_gives_its_size_but_for_the_numbers_that_are_given(ratings: Ratings) -> None:
    assert expanded_size("ml-25m", ratings, None) == SIZES["ml-25m"]
    size = expanded_size("ml-25m", ratings, 4000.0, n_items=100)
    expected = (SIZES["ml-25m"].n_users, 100, 4000)
    assert (size.n_users, size.n_items, size.n_ratings) == expected


def test_a_size_grows_in_proportion_to_the_base(ratings: Ratings) -> None:
    size = expanded_size("a table", ratings, 4.0 * len(ratings))
    # Four times the ratings: four times the users, and twice the items, by the root.
    assert (size.n_users, size.n_items, size.n_ratings) == (480, 160, 12_000)


def test_a_number_of_ratings_is_whole_and_given(ratings: Ratings) -> None:
    with pytest.raises(ArgumentError, match="a whole number such as 25e6"):
        expanded_size("a table", ratings, 0.5)
    with pytest.raises(ArgumentError, match="or --like ml-25m or ml-32m"):
        expanded_size("a table", ratings, None)
