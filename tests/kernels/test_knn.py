"""Correlations of items, and sums over nearest neighbours, against their slow twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import twins_fast as twins
from tastemap.data.feedback import Groups
from tastemap.kernels.knn import pair_similarities, weighted_neighbours


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A matrix of eight users and six items: what is rated, and the residuals."""
    rng = np.random.default_rng(seed)
    rated = rng.random((8, 6)) < 0.5
    return rated, rng.normal(size=(8, 6)).astype(np.float32) * rated


def columns(rated: np.ndarray, residual: np.ndarray) -> tuple[np.ndarray, ...]:
    """The matrix as the kernels take it: by item, then by user in the order of the items."""
    u, i = (index.astype(np.int32) for index in np.nonzero(rated))
    by_item, by_user = Groups.of(i, 6), Groups.of(u, 8)
    e = residual[u, i]
    return by_item.indptr, u[by_item.indices], e[by_item.indices], by_user.indptr, i, e


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), shrinkage=st.sampled_from([0.0, 2.0, 100.0]))
def test_similarities_equal_their_slow_twin(seed: int, shrinkage: float) -> None:
    rated, residual = drawn(seed)
    similarity = np.zeros((6, 6), np.float32)
    pair_similarities(*columns(rated, residual), shrinkage, similarity)
    slow = twins.pair_similarities(rated, residual, shrinkage)
    np.testing.assert_allclose(similarity, slow, rtol=1e-5, atol=1e-6)
    assert np.abs(similarity).max() <= 1 + 1e-6


def test_two_common_users_by_hand() -> None:
    # e_0 = (1, 2), e_1 = (2, 1): (2 + 2) / sqrt(5 * 5) = 0.8, shrunk by 2 / (2 + 2).
    rated = np.zeros((8, 6), dtype=bool)
    residual = np.zeros((8, 6), dtype=np.float32)
    rated[:2, :2], residual[:2, :2] = True, [[1, 2], [2, 1]]
    similarity = np.zeros((6, 6), np.float32)
    pair_similarities(*columns(rated, residual), 2.0, similarity)
    assert similarity[0, 1] == similarity[1, 0] == pytest.approx(0.4)
    assert np.count_nonzero(similarity) == 2


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 8), damping=st.sampled_from([0.0, 0.5]))
def test_neighbours_equal_their_slow_twin(seed: int, k: int, damping: float) -> None:
    rng = np.random.default_rng(seed)
    # Few distinct values, so that there are ties.
    similarity = rng.integers(-3, 4, (6, 6)).astype(np.float32) / 4
    similarity = np.tril(similarity) + np.tril(similarity, -1).T
    rated = rng.permutation(6)[: rng.integers(0, 7)].astype(np.int32)
    residual = rng.normal(size=len(rated)).astype(np.float32)
    asked = np.array([0, 3, -1, 5], np.int32)
    moves = np.zeros(4, np.float32)
    weighted_neighbours(asked, rated, residual, similarity, k, damping, moves)
    slow = twins.weighted_neighbours(asked, rated, residual, similarity, k, damping)
    np.testing.assert_allclose(moves, slow, rtol=1e-5, atol=1e-6)
