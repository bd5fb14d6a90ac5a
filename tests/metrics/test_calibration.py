"""Each function of calibration is a claim worked out by hand, then its properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.errors import ArgumentError
from tastemap.metrics.calibration import (
    calibration_error,
    calibration_of,
    calibration_table,
    coverage,
    log_loss,
    places,
    promised_coverage,
    reliability,
    reliability_of_levels,
    shortest_interval,
)


def simulated(n: int = 40_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and levels drawn from just these."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([1.0, 2.0, 3.0, 4.0, 2.0], size=n)
    return (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1), p


def test_one_sure_hit_and_one_guess_lose_half_of_log_two() -> None:
    assert log_loss([2, 0], [[0, 0, 1], [0.5, 0.5, 0]]) == pytest.approx(np.log(2) / 2)


def test_the_impossible_costs_a_finite_amount() -> None:
    assert log_loss([0], [[0.0, 1.0]]) == pytest.approx(12 * np.log(10))


def interval(p: list[float], mass: float) -> tuple[int, int]:
    low, high = shortest_interval([p], mass)
    return int(low[0]), int(high[0])


def test_the_shortest_interval_of_levels_by_hand() -> None:
    # Equal tails would take levels 1 to 4 here, 0.9 in all; levels 3 and 4 hold 0.8.
    assert interval([0.05, 0.05, 0.1, 0.4, 0.4], 0.8) == (3, 4)
    assert interval([0.0, 1.0, 0.0], 0.99) == (1, 1)
    assert interval([1.0], 0.5) == (0, 0)
    # Neighbours only: the two likely levels are at the ends, and what lies between belongs to it.
    assert interval([0.45, 0.1, 0.45], 0.8) == (0, 2)


def test_of_equally_short_intervals_it_is_the_one_nearer_the_mean() -> None:
    assert interval([0.4, 0.0, 0.1, 0.5], 0.4) == (3, 3)  # the mean is 1.7
    assert interval([0.25, 0.25, 0.25, 0.25], 0.5) == (1, 2)
    assert interval([0.5, 0.5], 0.5) == (0, 0)  # equally near: the lower one


def equal_tails(p: np.ndarray, mass: float) -> np.ndarray:
    """The number of levels (n,) of the central intervals."""
    up_to = np.cumsum(p, axis=1)
    low, high = (np.argmax(up_to >= q - 1e-6, axis=1) for q in ((1 - mass) / 2, (1 + mass) / 2))
    return high - low + 1


@given(seed=st.integers(0, 1000), mass=st.floats(0.01, 0.99))
def test_intervals_hold_at_least_their_mass_and_none_is_shorter(seed: int, mass: float) -> None:
    p = np.random.default_rng(seed).dirichlet(np.ones(6), size=20)
    low, high = shortest_interval(p, mass)
    for row, first, last in zip(p, low, high, strict=True):
        assert row[first : last + 1].sum() >= mass - 1e-5
        width = last - first
        shorter = [row[start : start + width].sum() for start in range(7 - width)]
        assert max(shorter) < mass
    assert (high - low + 1 <= equal_tails(p, mass)).all()


def test_the_shortest_intervals_of_planted_levels_are_narrower_and_keep_their_word() -> None:
    level, p = simulated()
    low, high = shortest_interval(p, 0.8)
    assert np.mean(high - low + 1) < np.mean(equal_tails(p, 0.8)) - 0.3
    inside = coverage(level, p, 0.8)
    assert inside >= 0.8
    assert inside == pytest.approx(promised_coverage(p, 0.8), abs=0.01)


def test_levels_drawn_from_the_probabilities_are_covered_as_promised() -> None:
    level, p = simulated()
    table = calibration_table(level, p)
    assert table["mass"].to_list() == [0.5, 0.8, 0.95]
    np.testing.assert_allclose(table["observed"], table["promised"], atol=0.01)
    assert calibration_error(level, p) < 0.01


def test_exaggerated_probabilities_are_told_apart() -> None:
    level, p = simulated()
    sure = p**3 / np.sum(p**3, axis=1, keepdims=True)
    assert calibration_error(level, sure) > 0.05
    assert coverage(level, sure, 0.8) < promised_coverage(sure, 0.8) - 0.1
    assert log_loss(level, sure) > log_loss(level, p)


def test_reliability_of_two_coins() -> None:
    table = reliability([0, 0, 0, 1], [[0.75, 0.25]] * 4, n_bins=4)
    assert table["low"].to_list() == [0.25, 0.75]
    assert table["n"].to_list() == [4, 4]
    assert table["observed"].to_list() == [0.25, 0.75]
    assert calibration_error([0, 0, 0, 1], [[0.75, 0.25]] * 4) == 0.0
    # A probability of one is in the last bin, zero in the first.
    assert reliability([0], [[1.0, 0.0]])["low"].to_list() == [0.0, 0.9]


def test_places_of_ratings() -> None:
    assert places([0.5, 4.9, 2.5, 99], [0.5, 1, 2, 3, 5]).tolist() == [0, 4, 2, 4]


@pytest.mark.parametrize(
    ("level", "p", "message"),
    [
        ([0], [[0.5, 0.6]], "sum to 1"),
        ([0], [[1.5, -0.5]], "sum to 1"),
        ([0], [[np.nan, 0.5]], "sum to 1"),
        ([0, 1], [[0.5, 0.5]], "shape"),
        ([2], [[0.5, 0.5]], "from 0 to 1"),
        ([0.5], [[0.5, 0.5]], "whole numbers"),
        ([], np.zeros((0, 2)), "at least one"),
        ([0], [0.5, 0.5], "at least one"),
    ],
)
def test_what_is_no_distribution_is_refused(level, p, message) -> None:
    for function in (log_loss, calibration_error):
        with pytest.raises(ArgumentError, match=message):
            function(level, p)


def test_impossible_masses_and_bins() -> None:
    for mass in (0, 1, 80):
        with pytest.raises(ArgumentError, match="mass"):
            coverage([0], [[0.5, 0.5]], mass)
    with pytest.raises(ArgumentError, match="n_bins"):
        reliability([0], [[0.5, 0.5]], n_bins=0)


def test_levels_by_themselves_make_up_the_whole() -> None:
    level, p = simulated(4000)
    scale = [0.5, 1.0, 1.5, 2.0, 2.5]
    apart = reliability_of_levels(np.array(scale)[level], scale, p)
    together = reliability(level, p)
    assert apart["level"].unique().sort().to_list() == scale
    for low, n, predicted, observed in together.select("low", "n", "predicted", "observed").rows():
        own = apart.filter(low=low)
        assert own["n"].sum() == n
        weights = own["n"].to_numpy()
        assert np.average(own["predicted"], weights=weights) == pytest.approx(predicted)
        assert np.average(own["observed"], weights=weights) == pytest.approx(observed)
    found = calibration_of(np.array(scale)[level], scale, p)
    assert found.error == calibration_error(level, p)
    assert found.log_loss == log_loss(level, p)
    assert found.coverage.equals(calibration_table(level, p))
