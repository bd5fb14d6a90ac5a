"""Temporal effects: nodes of time, and moods that ratings of the same hour share."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.metrics.rating import rmse
from tastemap.models.bayesian.model import BayesianFactorization
from tastemap.models.bayesian.temporal import TimeNodes
from tastemap.models.registry import load_model


def test_nodes_are_the_distinct_times_of_each_user() -> None:
    user, time = np.array([2, 0, 2, 2, 0], np.int32), np.array([9, 5, 7, 9, 5])
    nodes = TimeNodes.of(user, time, n_users=3)
    assert nodes.indptr.tolist() == [0, 1, 1, 3]
    assert nodes.time.tolist() == [5, 7, 9]
    assert nodes.node.tolist() == [2, 0, 1, 2, 0]


def moody(seed: int = 0) -> Split:
    """Ratings whose user is in a good or a bad mood, which changes from hour to hour."""
    rng = np.random.default_rng(seed)
    U, M, N = 60, 80, 4000
    u, i = np.divmod(rng.choice(U * M, N, replace=False), M)
    hour = rng.integers(0, 8, N)
    mood = rng.normal(0, 1.0, (U, 8))[u, hour]
    z = rng.normal(0, 0.4, U)[u] + rng.normal(0, 0.4, M)[i] + mood + rng.normal(0, 0.6, N)
    frame = {"user_id": u, "item_id": i, "rating": np.digitize(z, [-1.5, -0.5, 0.5, 1.5]) + 1.0}
    frame["timestamp"] = 3600 * hour + rng.integers(0, 200, N)
    ratings = Ratings.from_frame(pl.DataFrame(frame))
    rows = rng.permutation(N)
    return Split(ratings.take(rows[800:]), ratings.take(rows[:800]))


def test_temporal_effects_are_learnt_where_there_are_times(tmp_path) -> None:
    train, test = moody()
    quick = {"n_factors": 2, "n_iterations": 60, "n_draws": 20}
    plain = BayesianFactorization(**quick).fit(train, progress=False)
    timed = BayesianFactorization(**quick, time="session").fit(
        train, validation=test, progress=False
    )
    error = rmse(test.rating, timed.predict_ratings(test))
    assert error < 0.85 * rmse(test.rating, plain.predict_ratings(test))
    assert timed.history_["validation_rmse"][-1] == pytest.approx(error, abs=1e-3)
    # Where the moment is not known, effects are averaged over and the two models agree.
    u, i = timed.rows_of(test)
    known = timed._predict_distribution(u, i, *timed._context(test)) @ np.arange(1, 6)
    np.testing.assert_allclose(known, timed.predict_ratings(test), atol=1e-6)
    assert rmse(test.rating, timed._predict(u, i)) < 1.03 * rmse(test.rating, plain._predict(u, i))
    median = timed.predict_ratings(test, point="median")
    assert np.isin(median, [1, 2, 3, 4, 5]).all()
    loaded = load_model(timed.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_ratings(test), timed.predict_ratings(test))


def test_a_user_without_ratings_has_the_effects_of_an_unknown_one() -> None:
    train = moody().train.take(np.arange(800))
    some = train.take(train.user_index > 5)
    model = BayesianFactorization(n_factors=2, n_iterations=30, n_draws=10, time="session")
    model.fit(some, progress=False)
    assert set(some.user_index.tolist()).isdisjoint(range(6))
    variances = model.draws.effect_variances
    np.testing.assert_array_equal(variances[:, :, :6], variances[:, :, -1:].repeat(6, axis=2))
    assert (variances[:, :, 6] != variances[:, :, -1]).any()
    assert np.isfinite(variances).all()
