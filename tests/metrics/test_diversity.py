"""Diversity of lists: worked out by hand, and against a slow twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.errors import ArgumentError
from tastemap.metrics import diversity as module
from tastemap.metrics.diversity import divergence, diversity

# Items 0 and 1 have the same two users, 2 has one of them, 3 has nobody.
USERS, ITEMS = np.array([0, 1, 0, 1, 1]), np.array([0, 0, 1, 1, 2])


def test_items_of_the_same_users_are_alike_and_items_of_nobody_are_not() -> None:
    assert diversity(np.array([[0, 1]]), USERS, ITEMS) == pytest.approx(0)
    assert diversity(np.array([[0, 3]]), USERS, ITEMS) == 1
    assert diversity(np.array([[2, 0]]), USERS, ITEMS) == pytest.approx(1 - 1 / np.sqrt(2))
    twice = (np.append(USERS, 1), np.append(ITEMS, 2))
    assert diversity(np.array([[2, 0]]), *twice) == pytest.approx(1 - 1 / np.sqrt(2))


def test_lists_count_alike_however_long_they_are_and_one_item_is_no_list() -> None:
    lists = np.array([[0, 1, 3], [0, 3, -1], [2, -1, -1], [-1, -1, -1]])
    assert diversity(lists, USERS, ITEMS) == pytest.approx((2 / 3 + 1) / 2)
    assert np.isnan(diversity(lists[2:], USERS, ITEMS))
    assert np.isnan(diversity(lists[3:], USERS, ITEMS))


@pytest.mark.parametrize("block", [1, 10**6])
@given(seed=st.integers(0, 50))
def test_it_is_that_of_the_slow_twin(block: int, seed: int) -> None:
    """One user after the other, or all at once: blocks of 64 users, of which there are 150."""
    rng = np.random.default_rng(seed)
    users, items = rng.integers(150, size=400) * 3, rng.integers(12, size=400)
    lists = np.stack([rng.permutation(14)[:4] for _ in range(5)])
    takers = [set(users[items == item]) for item in range(14)]
    cosines = [
        len(takers[i] & takers[j]) / max(np.sqrt(len(takers[i]) * len(takers[j])), 1)
        for row in lists
        for a, i in enumerate(row)
        for j in row[a + 1 :]
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_SIZE", block)
        patch.setattr(module, "BLOCK_WORDS", block)
        assert diversity(lists, users, items) == pytest.approx(1 - np.mean(cosines))


def test_columns_of_one_length_are_needed() -> None:
    with pytest.raises(ArgumentError, match=r"received \(1, 2\), \(5,\) and \(4,\)"):
        diversity(np.array([[0, 1]]), USERS, ITEMS[1:])


def test_divergence_is_0_for_the_same_shares_and_finite_without_a_category() -> None:
    p = [[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]]
    q = [[0.5, 0.5], [0.0, 1.0], [0.5, 0.5]]
    by_hand = [0.0, np.log(1 / 0.01), 0.25 * np.log(0.25 / 0.4975) + 0.75 * np.log(0.75 / 0.5025)]
    np.testing.assert_allclose(divergence(p, q), by_hand, atol=1e-12)
    with pytest.raises(ArgumentError, match="smoothing; expected a number above 0"):
        divergence(p, q, smoothing=0)
    with pytest.raises(ArgumentError, match=r"p and q; .*; received \(3, 2\) and \(2, 2\)"):
        divergence(p, q[:2])
