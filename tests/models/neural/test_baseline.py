"""The bias model below the networks: the distribution around it, and the share of a network."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.metrics import calibration
from tastemap.models.neural.baseline import Baseline, network_share


def square(truth: np.ndarray) -> object:
    return lambda output: np.square(output[:, 0] - truth)


def test_the_distribution_has_the_mean_and_the_spread_of_ratings_to_come(split: Split) -> None:
    train, test = split
    baseline, pairs = Baseline.of(train), (test.user_index, test.item_index)
    p = baseline.distribution(*pairs)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-9)
    assert p.min() > 0
    level = calibration.places(test.rating, train.scale.levels)
    promised = calibration.promised_coverage(p, 0.8)
    assert calibration.coverage(level, p, 0.8) == pytest.approx(promised, abs=0.05)
    predicted = train.scale.clip(baseline.predict(*pairs))
    np.testing.assert_allclose(p @ train.scale.levels, predicted, atol=0.01)
    share = np.bincount(level, minlength=5) / len(level)
    assert calibration.log_loss(level, p) < -share @ np.log(share)


def test_levels_that_biases_do_not_tell_apart_occur_as_often_as_they_did() -> None:
    """Each user gives 1, 1, 2, 5 to four items in turn, and each item gets them all."""
    rating = np.array([1.0, 1.0, 2.0, 5.0])
    users, items = np.indices((40, 4))
    columns = {"user_id": users.ravel(), "item_id": items.ravel()}
    columns |= {"rating": rating[(users + items).ravel() % 4]}
    ratings = Ratings.from_frame(pl.DataFrame(columns))
    baseline = Baseline.of(ratings)
    assert baseline.correlation < 0.01
    expected = np.array([80, 40, 0, 0, 40]) + 0.5
    (p,) = baseline.distribution(np.array([3]), np.array([2]))
    np.testing.assert_allclose(p, expected / expected.sum(), atol=0.005)


def test_whoever_is_unknown_has_the_distribution_of_the_average(split: Split) -> None:
    baseline = Baseline.of(split.train)
    items = np.arange(split.train.n_items, dtype=np.int32)
    unknown = baseline.distribution(np.full_like(items, -1), items) @ split.train.scale.levels
    bias = baseline.bias
    np.testing.assert_allclose(unknown, bias.global_mean + bias.item_bias, atol=0.01)


def test_constant_ratings_and_scales_without_levels() -> None:
    columns = {"user_id": [1, 2, 3], "item_id": [1, 2, 3]}
    same = Ratings.from_frame(pl.DataFrame(columns | {"rating": [4.0, 4.0, 4.0]}))
    assert np.isfinite(Baseline.of(same).distribution(np.array([0, -1]), np.array([1, 1]))).all()
    free = Ratings.from_frame(pl.DataFrame(columns | {"rating": [0.1, 2.7183, 9.9]}))
    assert np.isfinite(Baseline.of(free).predict(np.array([0, -1]), np.array([1, 1]))).all()


def test_a_network_has_the_largest_share_with_which_it_gains() -> None:
    rng = np.random.default_rng(0)
    truth, noise = rng.normal(0, 1, 2000), rng.normal(0, 1, (2000, 1))
    nothing = np.zeros((2000, 1))
    assert network_share(square(truth), truth[:, None], nothing) == 1.0
    # With an error of 2.25 times the variance, a share s costs (1 - s)^2 + 2.25 s^2: less than 1
    # for s below 0.6.
    assert network_share(square(truth), truth[:, None] + 1.5 * noise, nothing) == 0.5
    assert network_share(square(truth), noise, nothing) == 0.0


def test_a_gain_by_chance_counts_for_nothing() -> None:
    rng = np.random.default_rng(0)
    truth, nothing = rng.normal(0, 1, 30), np.zeros((30, 1))
    shares = [network_share(square(truth), rng.normal(0, 0.3, (30, 1)), nothing) for _ in range(50)]
    assert np.mean(np.array(shares) > 0) < 0.15
