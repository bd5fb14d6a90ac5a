"""Products with a matrix of likes against those with the dense matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array

from tastemap.kernels.ease import gram, scatter, sums_of_rows


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_gram_matrix_is_weighted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = (rng.random((8, 6)) < 0.5).astype(np.float32)
    by_item, by_user = csc_array(X), csc_array(X).tocsr()
    for w in (np.ones(8, np.float32), rng.random(8).astype(np.float32)):
        G = np.zeros((6, 6), np.float32)
        gram(by_item.indptr, by_item.indices, by_user.indptr, by_user.indices, w, G)
        np.testing.assert_allclose(G, np.tril(X.T @ np.diag(w) @ X), rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), m=st.integers(0, 6))
def test_a_matrix_of_some_rows_and_columns_is_put_in_its_place(seed: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    P, rows = rng.normal(size=(m, m)).astype(np.float32), np.sort(rng.choice(6, m, replace=False))
    B, expected = np.zeros((2, 6, 6), np.float32)
    expected[np.ix_(rows, rows)] = P
    scatter(P, rows, B)
    np.testing.assert_array_equal(B, expected)


@pytest.mark.parametrize("n_columns", [3, 64, 130])
def test_sums_of_rows_are_a_sparse_product(n_columns: int) -> None:
    rng = np.random.default_rng(0)
    chosen = rng.random((5, 9)) < 0.4
    chosen[2] = False
    B = rng.normal(size=(9, n_columns)).astype(np.float32)
    indptr = np.concatenate([[0], np.cumsum(chosen.sum(axis=1))])
    out = np.empty((5, n_columns), np.float32)
    sums_of_rows(indptr, np.nonzero(chosen)[1].astype(np.int32), B, out)
    np.testing.assert_allclose(out, chosen @ B.astype(float), rtol=1e-4, atol=1e-5)
