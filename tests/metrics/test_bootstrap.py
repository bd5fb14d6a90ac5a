"""Paired differences: worked out by hand, against a slow twin, and as an interval ought to be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.errors import ArgumentError
from tastemap.metrics import bootstrap as paired
from tastemap.metrics.bootstrap import holm, paired_differences, user_sums


def test_sums_of_users_in_order() -> None:
    total, count = user_sums(np.array([9, 2, 9]), [1.0, 0.5, 2.0])
    assert total.tolist() == [0.5, 3.0]
    assert count.tolist() == [1, 2]


def test_the_value_is_the_difference_of_the_means_over_ratings_not_over_users() -> None:
    # 3 ratings with errors 1, 1, 4 against 0: mean 2, although the users' means are 1 and 4.
    found = paired_differences([[2.0, 4.0], [0.0, 0.0]], [2, 1], reference=1)
    assert found.value.tolist() == [2.0, 0.0]
    rooted = paired_differences([[8.0, 4.0], [0.0, 3.0]], [2, 1], reference=1, root=True)
    assert rooted.value.tolist() == [1.0, 0.0]  # sqrt(12 / 3) - sqrt(3 / 3)


@given(seed=st.integers(0, 100), n_users=st.integers(2, 9), root=st.booleans())
def test_resampling_is_that_of_the_slow_twin(seed: int, n_users: int, root: bool) -> None:
    rng = np.random.default_rng(seed)
    totals, counts = rng.random((3, n_users)), rng.integers(1, 5, n_users)
    found = paired_differences(totals, counts, 1, root=root, n_resamples=20, seed=seed)
    again, drawn = np.random.default_rng(seed), []
    for _ in range(20):
        who = again.integers(n_users, size=n_users)
        means = [sum(totals[m][u] for u in who) / sum(counts[u] for u in who) for m in range(3)]
        drawn.append([np.sqrt(mean) if root else mean for mean in means])
    apart = np.array(drawn) - np.array(drawn)[:, [1]]
    np.testing.assert_allclose(found.low, np.quantile(apart, 0.025, axis=0), atol=1e-12)
    np.testing.assert_allclose(found.high, np.quantile(apart, 0.975, axis=0), atol=1e-12)


def test_how_much_is_held_in_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    totals = np.random.default_rng(0).random((2, 7))
    whole = paired_differences(totals, np.ones(7), 0)
    monkeypatch.setattr(paired, "BLOCK_SIZE", 10)
    np.testing.assert_allclose(paired_differences(totals, np.ones(7), 0), whole)


def test_a_difference_that_is_the_same_for_all_is_certain_and_the_reference_has_none() -> None:
    counts = np.array([1.0, 2.0, 3.0])
    found = paired_differences([0.5 * counts, 0.75 * counts], counts, reference=0)
    np.testing.assert_allclose(found[:3], [[0, 0.25]] * 3, atol=1e-12)
    np.testing.assert_allclose(found.p, [1, 2 / 1001])


def test_intervals_cover_the_truth_and_know_that_a_users_ratings_are_alike() -> None:
    """Of 200 tables drawn anew about 95 % cover 0; resampled ratings would cover far fewer."""
    rng, n_users, each = np.random.default_rng(0), 60, 20
    covered, width, naive = 0, 0.0, 0.0
    for table in range(200):
        user = rng.normal(0, 1, n_users)
        errors = user[:, None] + rng.normal(0, 1, (n_users, each))
        totals = np.stack([np.zeros(n_users), errors.sum(axis=1)])
        found = paired_differences(totals, np.full(n_users, each), 0, n_resamples=200, seed=table)
        covered += found.low[1] <= 0 <= found.high[1]
        width += found.high[1] - found.low[1]
        naive += 2 * 1.96 * errors.std() / np.sqrt(errors.size)
    assert 0.88 <= covered / 200 <= 0.99
    assert width > 2 * naive


def test_a_p_value_is_that_of_the_interval_that_ends_at_0() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, 50)
    totals, counts = [np.zeros(50), values - values.mean() + 0.25], np.ones(50)
    p = paired_differences(totals, counts, 0).p[1]
    assert 0.01 < p < 0.2
    wide, narrow = (
        paired_differences(totals, counts, 0, confidence=1 - p + step) for step in (0.01, -0.01)
    )
    assert wide.low[1] <= 0 <= narrow.low[1]


def test_holm_multiplies_the_smallest_by_their_number_and_keeps_the_order() -> None:
    # 0.002 * 4, 0.02 * 3, 0.03 * 2, 0.9 * 1.
    np.testing.assert_allclose(holm([0.9, 0.002, 0.02, 0.03]), [0.9, 0.008, 0.06, 0.06])
    assert holm([0.01, 0.011, 0.6]).tolist() == [0.03, 0.03, 0.6]  # not less than the one before
    assert holm([0.6, 0.7]).tolist() == [1, 1]
    assert holm([]).tolist() == []
    assert np.isnan(holm([np.nan, np.nan])).all()


def test_one_user_has_no_interval() -> None:
    found = paired_differences([[1.0], [2.0]], [4], reference=0)
    assert found.value.tolist() == [0, 0.25]
    assert np.isnan([found.low, found.high, found.p]).all()


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ArgumentError, match=r"received \(1, 2\) and \(3,\)"):
        paired_differences([[1.0, 2.0]], [1, 1, 1], 0)
    with pytest.raises(ArgumentError, match="counts of at least 1"):
        paired_differences([[1.0, 2.0]], [1, 0], 0)
    with pytest.raises(ArgumentError, match="a share between 0 and 1"):
        paired_differences([[1.0]], [1], 0, confidence=95)
