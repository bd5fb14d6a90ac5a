"""Similarities averaged over draws, against a slow twin; the model's answers are these."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import reference
from tastemap.data.ratings import Ratings
from tastemap.models.bayesian.model import BayesianFactorization
from tastemap.models.bayesian.similarity import average_cosines, direction_vectors, item_lengths


@given(seed=st.integers(0, 100), K=st.integers(1, 5), f=st.integers(1, 4))
def test_cosines_are_averaged(seed: int, K: int, f: int) -> None:
    items = np.random.default_rng(seed).normal(size=(K, 7, f + 2)).astype(np.float32)
    lengths = item_lengths(items)
    draws = items[:, :-1, 1:-1].astype(np.float64)
    expected = [np.mean([reference.cosine(V[2], V[j]) for V in draws]) for j in range(6)]
    np.testing.assert_allclose(average_cosines(items, lengths, 2), expected, atol=1e-5)
    vectors = direction_vectors(items, lengths)
    np.testing.assert_allclose(vectors @ vectors[2], expected, atol=1e-5)


def test_factors_of_zeros_are_similar_to_nothing() -> None:
    items = np.ones((2, 4, 4), dtype=np.float32)
    items[:, 1, 1:-1] = 0
    lengths = item_lengths(items)
    np.testing.assert_allclose(average_cosines(items, lengths, 0), [1, 0, 1], atol=1e-6)
    assert not average_cosines(items, lengths, 1).any()


def test_the_model_answers_with_them(ratings: Ratings) -> None:
    """An item that keeps two ratings is less similar to anything than by the posterior means."""
    table = ratings.take((ratings.item_index != 2) | (ratings.user_index < 8))
    model = BayesianFactorization(n_factors=2, n_iterations=20, n_draws=10)
    model.fit(table, progress=False)
    expected = average_cosines(model.draws.items, item_lengths(model.draws.items), 2)
    assert (model.similarity_rows(2) == expected).all()
    others = np.arange(80) != 2
    raw = np.abs(model.factors.item_cosines(2)[others]).mean()
    assert np.abs(expected[others]).mean() < 0.9 * raw
