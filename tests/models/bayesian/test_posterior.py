"""Predictions from draws: new users, the average user, and the arrays of saved models."""

import numpy as np

from tastemap.data.splits import Split
from tastemap.models.bayesian.model import BayesianFactorization
from tastemap.models.bayesian.posterior import Draws, ItemLists


def test_lists_stand_end_to_end() -> None:
    lists = ItemLists.of([np.array(rows, np.int32) for rows in ([4, 2], [], [1])])
    assert lists.indptr.tolist() == [0, 2, 2, 3]
    assert lists.items.tolist() == [4, 2, 1]


def test_arrays_of_saved_models_have_their_names_and_come_back(split: Split) -> None:
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4)
    arrays = model.fit(split.train, progress=False).draws.arrays()
    assert {"draws_moods", "draws_variances", "draws_user_means", "draws_centre"} <= set(arrays)
    assert arrays["draws_items"].dtype == np.float16
    again = Draws.from_arrays(dict(arrays), split.train).arrays()
    assert again.keys() == arrays.keys()
    assert all((again[name] == arrays[name]).all() for name in arrays)


def test_a_new_user_has_a_distribution_whose_mean_is_the_prediction(split: Split) -> None:
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4)
    model.fit(split.train, progress=False)
    rows, rating = np.array([0, 3, 5], np.int32), np.array([5, 1, 4], np.float32)
    user = model.fold_in_rows(rows, rating).description
    items = np.arange(20, dtype=np.int32)
    p = model._distribution_of(user, items)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(p @ np.arange(1.0, 6.0), model._score(user)[:20], atol=1e-5)


def test_a_user_without_ratings_is_the_average_user(split: Split) -> None:
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4)
    model.fit(split.train, progress=False)
    none = model.fold_in_rows(np.zeros(0, np.int32), np.zeros(0, np.float32))
    no_ratings = model.score_rows(none)
    average = model._predict(np.full(80, -1, np.int32), np.arange(80, dtype=np.int32))
    np.testing.assert_allclose(no_ratings, average, atol=1e-6)
