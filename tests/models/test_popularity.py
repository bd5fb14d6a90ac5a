"""Popularity: by hand."""

import numpy as np
import pytest

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
