"""A test table of its own beside the training ratings."""

from dataclasses import replace

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.data.splits import Split
from tastemap.errors import ArgumentError
from tastemap.jobs.held_out import held_out, parts_of


def test_a_test_table_stands_on_the_scale_of_the_training_ratings(split: Split) -> None:
    """Alone it shows neither the lowest nor the highest level."""
    rating = np.clip(split.test.rating, 2, 4)
    test = replace(split.test, rating=rating, scale=Scale.infer(rating))
    parts = held_out(split.train, test)
    assert parts.split.train is split.train
    assert parts.split.test.scale == split.train.scale
    assert parts.notes == ("tested on 600 ratings of synthetic",)
    outside = replace(test, rating=np.where(np.arange(600) < 3, 9, rating).astype(np.float32))
    assert "3 of 600 test ratings lie outside the scale" in held_out(split.train, outside).notes[1]


def test_without_one_the_ratings_are_split(ratings: Ratings, split: Split) -> None:
    parts = parts_of(ratings, None, "per-user", test_size=0.2, seed=0)
    assert (parts.name, parts.notes) == ("per-user", ())
    assert len(parts.split.train) + len(parts.split.test) == len(ratings)
    with pytest.raises(ArgumentError, match="--test, --split; expected one of the two"):
        parts_of(ratings, split.test, "per-user", test_size=0.2, seed=0)
    assert parts_of(ratings, split.test, "random", test_size=0.2, seed=0).name == "synthetic"


def test_a_test_pair_is_not_taken_as_seen(split: Split) -> None:
    train = split.train.with_seen(split.test.likes(-np.inf))
    parts = held_out(train, split.test.take(np.arange(100)))
    assert len(parts.split.train.seen) == 500
    assert parts.notes[-1] == "100 test pairs not taken as seen: that would give it away"
