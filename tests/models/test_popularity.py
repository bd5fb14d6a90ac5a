"""Popularity: by hand."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import UnsupportedError
from tastemap.models.popularity import Popularity


def test_the_share_of_users(tiny: Ratings) -> None:
    # Three users; each of the three items has two ratings, and one loses one.
    model = Popularity().fit(tiny.take(np.arange(5)))
    np.testing.assert_allclose(model.share, [2 / 3, 2 / 3, 1 / 3])
    # ann has rated 10 and 20.
    assert model.recommend("ann", k=1)["item_id"].to_list() == [30]


def test_everyone_gets_the_same(ratings: Ratings) -> None:
    model = Popularity().fit(ratings)
    first = model.recommend(1, k=5, exclude_seen=False)
    assert first["item_id"].equals(model.recommend(ratings={80: 1}, k=5)["item_id"])
    counts = ratings.by_item.counts
    assert counts[ratings.items.index(first["item_id"])].tolist() == sorted(counts)[:-6:-1]


def test_a_share_is_no_rating(ratings: Ratings) -> None:
    with pytest.raises(UnsupportedError, match="Popularity cannot predict ratings"):
        Popularity().fit(ratings).predict(1, 1)


def test_of_interactions_those_above_zero_count_once_for_each_user() -> None:
    rows = [("ann", 7, 1), ("ann", 7, 1), ("bo", 8, 1), ("bo", 7, -1), ("cy", 8, 1), ("cy", 9, 0.5)]
    table = pl.DataFrame(rows, schema=["user_id", "item_id", "weight"], orient="row", strict=False)
    model = Popularity().fit(Interactions.from_frame(table))
    np.testing.assert_allclose(model.share, [1 / 3, 2 / 3, 1 / 3])
    # bo has disliked 7, and a list leaves out what is disliked, too.
    assert model.recommend("bo")["item_id"].to_list() == [9]
