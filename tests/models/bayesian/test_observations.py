"""The training ratings as the sampler takes them."""

import numpy as np
import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.models.bayesian.features import Features
from tastemap.models.bayesian.observations import MAX_LEVELS, Observations

NO_FEATURES = Features(np.zeros((0, 3), np.float32), 0, *np.zeros((2, 3, 0), np.float32))


def test_ratings_are_grouped_by_user_and_become_levels(tiny: Ratings) -> None:
    mixed = tiny.take(np.array([4, 0, 2, 5, 1, 3]))
    found = Observations.of(mixed, (NO_FEATURES, NO_FEATURES), timed=True)
    assert found.user.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.n_levels == len(mixed.scale.levels)
    rows = mixed.by_user.indices
    assert mixed.scale.levels[found.level].tolist() == mixed.rating[rows].tolist()
    assert (found.item == mixed.item_index[rows]).all()
    for j in range(3):
        assert (found.item[found.by_item[j]] == j).all()
    assert found.nodes is None  # there are no times


def test_many_levels_are_numbers() -> None:
    n = MAX_LEVELS + 2
    frame = pl.DataFrame({"user_id": [1] * n, "item_id": range(n), "rating": np.arange(n) / 2})
    found = Observations.of(Ratings.from_frame(frame), (NO_FEATURES, NO_FEATURES))
    assert found.n_levels == len(found.level) == 0
    np.testing.assert_allclose([found.value.mean(), found.value.std()], [0, 1], atol=1e-6)
