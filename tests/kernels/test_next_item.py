"""Products of decayed histories against those of the matrices of their rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemap.kernels.next_item import add_pairs, add_weighted_rows, products_of_weights


def rows_and_targets(
    sequences: list[np.ndarray], w: np.ndarray, n_items: int
) -> tuple[np.ndarray, np.ndarray]:
    """S and Y, a row for each place but the first: S_ti = w[k - 1] for the item k places back."""
    S, Y = [], []
    for items in sequences:
        for t in range(1, len(items)):
            s, y = np.zeros(n_items), np.zeros(n_items)
            y[items[t]] = 1
            for k in range(1, min(t, len(w)) + 1):
                s[items[t - k]] += w[k - 1]
            S.append(s)
            Y.append(y)
    return np.array(S).reshape(-1, n_items), np.array(Y).reshape(-1, n_items)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), window=st.integers(1, 12))
def test_pairs_give_the_products_of_all_rows(seed: int, window: int) -> None:
    rng = np.random.default_rng(seed)
    sequences = [rng.integers(0, 9, rng.integers(0, 10)).astype(np.int32) for _ in range(5)]
    w, v = rng.random((2, window)).astype(np.float32)
    indptr = np.concatenate([[0], np.cumsum([*map(len, sequences)])]).astype(np.int64)
    G, R = np.zeros((9, 9), np.float32), np.zeros((9, 9), np.float32)
    add_pairs(indptr, np.concatenate(sequences), v, products_of_weights(w), G, R)
    S, _ = rows_and_targets(sequences, w, 9)
    np.testing.assert_allclose(G, np.tril(S.T @ S), atol=1e-5)
    by_place, Y = rows_and_targets(sequences, v, 9)
    np.testing.assert_allclose(R, Y.T @ by_place, atol=1e-5)


@pytest.mark.parametrize("n_rows", [0, 1, 5])
def test_sums_of_weighted_rows_are_a_product(n_rows: int) -> None:
    rng = np.random.default_rng(n_rows)
    B, w = rng.normal(size=(7, 4)).astype(np.float32), rng.random(n_rows).astype(np.float32)
    rows, out = rng.integers(0, 7, n_rows), np.ones(4, np.float32)
    add_weighted_rows(rows, w, B, out)
    np.testing.assert_allclose(out, 1 + w @ B[rows], rtol=1e-5)
