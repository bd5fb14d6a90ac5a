"""Draws turned to agree, and fewer of them with the mean of all."""

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.models.bayesian.alignment import MOVED
from tastemap.models.bayesian.model import BayesianFactorization


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> BayesianFactorization:
    model = BayesianFactorization(n_factors=3, n_iterations=12, n_draws=12, n_implicit=4)
    return model.fit(ratings, progress=False)


def test_turning_the_factors_changes_no_prediction(model: BayesianFactorization) -> None:
    turned, draws = model.posterior_draws(12), model.draws
    rows = np.einsum("kid,kd->ki", turned.items[:, :, 1:], turned.prior[:, 1:])
    exact = np.einsum("kid,kd->ki", draws.items[:, :, 1:], draws.user_prior[:, 1:])
    np.testing.assert_allclose(rows, exact, atol=1e-4)
    precision = np.linalg.eigvalsh(turned.precision[:, 1:-1, 1:-1])
    np.testing.assert_allclose(precision, np.sort(draws.user_precision[:, 1:-1]), rtol=1e-4)
    spread = [np.linalg.norm(x - x.mean(axis=0)) for x in (turned.items, draws.items)]
    assert spread[0] < 0.9 * spread[1], "turned draws of the factors agree more"


def test_a_few_draws_have_the_mean_of_all(model: BayesianFactorization) -> None:
    every, some = model.posterior_draws(99), model.posterior_draws(3)
    assert len(every.items) == 12
    for name in MOVED:
        means = (getattr(draws, name).mean(axis=0) for draws in (some, every))
        np.testing.assert_allclose(*means, atol=1e-5, err_msg=name)
    assert not np.allclose(some.items[0], every.items[2], atol=1e-3), "they are moved for it"
    np.testing.assert_array_equal(some.item_scales, every.item_scales)


def test_a_model_of_numbers_has_no_cutpoints(ratings: Ratings) -> None:
    rating = ratings.rating + np.linspace(0, 0.4, len(ratings), dtype=np.float32)
    frame = ratings.to_frame().with_columns(rating=rating)
    numbers = Ratings.from_frame(frame)
    model = BayesianFactorization(n_factors=2, n_iterations=6, n_draws=4, n_implicit=0)
    draws = model.fit(numbers, progress=False).posterior_draws(4)
    assert draws.cuts.shape == (4, 0)
    assert draws.cut_precision.shape == (4, 0, 0)


def test_the_noise_of_an_unknown_time_is_that_of_a_new_user(ratings: Ratings) -> None:
    time = np.arange(len(ratings)) // 3
    timed = Ratings.from_frame(ratings.to_frame().with_columns(timestamp=time))
    options = {"n_factors": 2, "n_iterations": 6, "n_draws": 4, "n_implicit": 0}
    model = BayesianFactorization(**options, time="session").fit(timed, progress=False)
    user = model.fold_in_rows(np.array([3], np.int32), np.array([4], np.float32)).description
    np.testing.assert_allclose(model.posterior_draws(4).scales, user.scales[:, 0])
    assert (user.scales[:, 0] > model.draws.user_scales[:, -1]).all()
