"""Recall and NDCG by inverse propensities: claims worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.errors import ArgumentError
from tastemap.metrics.debiased import debiased_ndcg, debiased_recall, inverse_propensities
from tastemap.metrics.ranking import ndcg, recall


def test_an_item_of_nobody_weighs_as_one_of_a_single_user() -> None:
    assert inverse_propensities(np.array([8, 1, 0]), n_users=8).tolist() == [1, 8, 8]


def test_a_hit_of_a_rare_item_counts_by_how_rare_it_is() -> None:
    """Two people with one relevant item each: that of 9 of 10 people is found, or that of one."""
    weights, single = inverse_propensities(np.array([9, 1]), n_users=10), np.array([1, 1])
    popular, rare = np.array([[weights[0]], [0]]), np.array([[0], [weights[1]]])
    assert debiased_recall(popular, weights, single) == pytest.approx(0.1)
    assert debiased_recall(rare, weights, single) == pytest.approx(0.9)
    assert debiased_ndcg(rare, weights, single) == pytest.approx(0.9)


def test_the_best_list_begins_with_the_rarest_and_has_one() -> None:
    relevant, n_relevant = np.array([1.0, 4.0, 2.0]), np.array([3])
    assert debiased_ndcg(np.array([[4.0, 2.0]]), relevant, n_relevant) == pytest.approx(1)
    second = (2 + 4 / np.log2(3)) / (4 + 2 / np.log2(3))
    assert debiased_ndcg(np.array([[2.0, 4.0]]), relevant, n_relevant) == pytest.approx(second)
    assert debiased_recall(np.array([[4.0, 2.0]]), relevant, n_relevant) == pytest.approx(6 / 7)


@given(seed=st.integers(0, 100))
def test_of_items_that_are_equally_popular_they_are_the_plain_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hits = rng.random((6, 4)) < 0.4
    n_relevant = hits.sum(axis=1) + rng.integers(1, 4, 6)
    relevant = np.full(n_relevant.sum(), 3.0)
    for debiased, plain in ((debiased_recall, recall), (debiased_ndcg, ndcg)):
        expected = plain(hits, n_relevant).mean()
        assert debiased(3.0 * hits, relevant, n_relevant) == pytest.approx(expected)


def test_shapes_that_do_not_fit_are_refused() -> None:
    for score in (debiased_recall, debiased_ndcg):
        with pytest.raises(ArgumentError, match=r"received \(1, 2\), \(1,\) and \(1,\)"):
            score(np.zeros((1, 2)), np.ones(1), np.array([2]))
