"""The weighted Gram matrix and sum beside those of NumPy."""

import numpy as np
import pytest

from tastemap.kernels.gibbs.tile import weighted_gram, weighted_sum


@pytest.mark.parametrize("D", [16, 32, 48])
def test_sums_are_those_of_the_chosen_rows(D: int) -> None:
    rng = np.random.default_rng(D)
    X, w = (rng.normal(size=shape).astype(np.float32) for shape in ((9, D), 20))
    index = rng.integers(0, 9, 20).astype(np.int32)
    G, total = np.empty((D, D), np.float32), np.empty(D, np.float32)
    weighted_gram(X, index, w, G)
    weighted_sum(X, index, w, total)
    rows = X[index].astype(float)
    np.testing.assert_allclose(np.tril(G), np.tril((rows.T * w) @ rows), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(total, w @ rows, rtol=1e-4, atol=1e-4)


def test_gram_of_nothing_is_zero() -> None:
    G = np.ones((16, 16), np.float32)
    nothing = np.zeros(0, np.int32)
    weighted_gram(np.ones((3, 16), np.float32), nothing, np.zeros(0, np.float32), G)
    assert not G.any()
