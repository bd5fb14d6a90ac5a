"""How rare a gap is, and what a user's own gaps say of the next."""

import numpy as np
import pytest

from tastemap.models.pauses import N_AVERAGE_GAPS, N_QUANTILES, Pauses, quantiles


def test_a_gap_is_as_rare_as_few_are_longer() -> None:
    gaps = np.repeat([0, 60, 3600, 86_400], 100)
    rarity = Pauses.of(quantiles(gaps)).rarity(np.array([0, 60, 3600, 86_400, 1e9]))
    # Of those as long half count as longer: 7/8, 5/8, 3/8, 1/8 are, and at last 1 in 1,001.
    np.testing.assert_allclose(np.exp(-rarity), [7 / 8, 5 / 8, 3 / 8, 1 / 8, 1 / 1001], rtol=0.01)


def test_the_own_gaps_count_beside_average_ones() -> None:
    pauses = Pauses.of(quantiles(np.arange(10_000)))
    assert pauses.average == pytest.approx(1, abs=0.01)  # the mean of -log of a uniform share
    assert pauses.usual_rarity(np.zeros(0, dtype=np.int64)) == pytest.approx(pauses.average)
    own = np.array([9000, 9000, 1], dtype=np.int64)
    expected = (pauses.rarity(own).sum() + 2 * pauses.average) / (3 + N_AVERAGE_GAPS)
    assert pauses.usual_rarity(own) == pytest.approx(expected)


def test_without_times_nothing_is_rare() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert not len(quantiles(none))
    pauses = Pauses.of(quantiles(none))
    assert pauses.average == pauses.usual_rarity(none) == 0
    assert not pauses.rarity(np.array([1e9])).any()
    assert len(quantiles(np.array([7]))) == N_QUANTILES
