"""The average draw beside the average over draws."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.ratings import Ratings
from tastemap.models.bayesian.model import BayesianFactorization


@pytest.mark.parametrize("kind", ["stars", "numbers"])
def test_its_scores_are_nearly_those_of_all_draws(kind: str) -> None:
    data = synthetic_ratings(60, 200, 4000)
    if kind == "numbers":
        noise = np.random.default_rng(0).normal(0, 0.3, len(data))
        data = Ratings.from_frame(data.to_frame().with_columns(rating=data.rating + noise))
    options = {"n_factors": 2, "n_iterations": 40, "n_draws": 20}
    model = BayesianFactorization(**options).fit(data, progress=False)
    for row in range(5):
        user = model.user_at(row)
        quick, exact = model._quick_scores(user), model.score_rows(user)
        assert np.corrcoef(quick, exact)[0, 1] > 0.99
        assert np.abs(quick - exact).mean() < 0.1


def test_new_items_have_an_average_draw_of_their_own(ratings: Ratings) -> None:
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4)
    model.fit(ratings, progress=False)
    user = model.user_at(0)
    before = model._quick_scores(user)
    model.add_items(pl.DataFrame({"item_id": [900]}))
    after = model._quick_scores(user)
    assert len(after) == len(before) + 1
    np.testing.assert_allclose(after[:-1], before, atol=1e-3)
