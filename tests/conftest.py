"""Fixtures that every test may use."""

import os

# Before anything imports Keras: the backend that tests use unless the caller chose one.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import polars as pl
import pytest

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, train_test_split
from trouble import trouble  # noqa: F401 - a fixture


@pytest.fixture(scope="session")
def ratings() -> Ratings:
    """Synthetic ratings with two tastes and two genres."""
    return synthetic_ratings()


@pytest.fixture(scope="session")
def split(ratings: Ratings) -> Split:
    """The same, split at random."""
    return train_test_split(ratings, test_size=0.2, seed=0)


@pytest.fixture
def tiny() -> Ratings:
    """Three users, three items, six ratings, worked out by hand where used."""
    frame = pl.DataFrame(
        {
            "user_id": ["ann", "ann", "ben", "ben", "cy", "cy"],
            "item_id": [10, 20, 10, 30, 20, 30],
            "rating": [5.0, 3.0, 4.0, 2.0, 1.0, 3.0],
        }
    )
    items = pl.DataFrame(
        {
            "item_id": [10, 20, 30],
            "title": ["Alien", "Brazil", "Casablanca"],
            "year": [1979, 1985, 1942],
        }
    )
    return Ratings.from_frame(frame, item_table=items)
