"""Predictive distributions beside their slow twin."""

import numpy as np
import slow_twins
from gibbs_case import M

from tastemap.kernels.gibbs.predictive import predictive


def _predict(K: int, first: int, last: int, out: tuple[np.ndarray, np.ndarray]) -> dict:
    rng = np.random.default_rng(5)
    D = 5
    given = {
        "target_indptr": np.array([0, 3, 3, 8]),
        "targets": rng.integers(0, M, 8).astype(np.int32),
        "rated_indptr": np.array([0, 4, 9, 9]),
        "rated": rng.integers(0, M, 9).astype(np.int32),
        "means": rng.normal(size=(K, 3, D)).astype(np.float32),
        "cuts": np.sort(rng.normal(size=(K, 3, 4)), axis=2).astype(np.float32),
        "scales": rng.uniform(0.8, 1.2, (K, 3)).astype(np.float32),
        "roots": np.zeros((K, 0), np.float32),
        "items": rng.normal(size=(K, M, D)).astype(np.float32),
        "item_scales": rng.uniform(0.8, 1.2, (K, M)).astype(np.float32),
        "lam": rng.uniform(1, 3, (K, D)).astype(np.float32),
        "effects": rng.uniform(0, 1, (K, 8, 2)).astype(np.float32),
    }
    predictive(*given.values(), first, last, *out)
    return given


def test_predictive_distribution() -> None:
    centre, cumulative = np.zeros(8), np.zeros((4, 8))
    given = _predict(2, 0, 3, (centre, cumulative))
    for p in range(3):
        rows = slice(given["target_indptr"][p], given["target_indptr"][p + 1])
        rated = given["rated"][given["rated_indptr"][p] : given["rated_indptr"][p + 1]]
        both = [
            slow_twins.predictive(
                given["means"][q, p], rated, given["targets"][rows], given["items"][q],
                given["item_scales"][q], given["scales"][q, p], given["lam"][q],
                given["cuts"][q, p], given["effects"][q, rows],
            )
            for q in range(2)
        ]  # fmt: skip
        np.testing.assert_allclose(centre[rows], np.mean([f for f, _ in both], axis=0), atol=1e-4)
        np.testing.assert_allclose(
            cumulative[:, rows].T, np.mean([c for _, c in both], 0), atol=1e-4
        )


def test_users_apart_are_users_together() -> None:
    together, apart = ((np.zeros(8), np.zeros((4, 8))) for _ in range(2))
    _predict(2, 0, 3, together)
    for p in range(3):
        _predict(2, p, p + 1, apart)
    np.testing.assert_array_equal(together[0], apart[0])
    np.testing.assert_array_equal(together[1], apart[1])


def test_of_a_new_user_the_cutpoints_vary_with_the_row() -> None:
    rng, D, C = np.random.default_rng(7), 3, 2
    B = rng.normal(size=(D + C, 12))
    L = np.linalg.cholesky(B @ B.T)
    items, scales = rng.normal(size=(1, M, D)).astype(np.float32), np.ones((1, M), np.float32)
    mean, cuts = rng.normal(size=D).astype(np.float32), np.array([-0.5, 0.4], np.float32)
    targets = np.arange(M, dtype=np.int32)
    indptr, rated_indptr = np.array([0, M]), np.zeros(2, np.int64)
    users = (rated_indptr, targets[:0], mean[None, None], cuts[None, None])
    roots = L[np.tril_indices(D + C)].astype(np.float32)[None]
    effects = np.zeros((1, 1, 2), np.float32)
    draws = (roots, items, scales, np.ones((1, D), np.float32), effects)
    centre, cumulative = np.zeros(M), np.zeros((C, M))
    sigma = np.full((1, 1), 0.7, np.float32)
    predictive(indptr, targets, *users, sigma, *draws, 0, 1, centre, cumulative)
    V, X = np.linalg.inv(L @ L.T), slow_twins.design(items[0])
    np.testing.assert_allclose(centre, items[0, :, 0] + X @ mean, atol=1e-5)
    for c in range(C):
        along = np.hstack([-X, np.eye(C)[[c] * M]])
        width = np.sqrt(0.7**2 + np.einsum("ij,jk,ik->i", along, V, along))
        expected = slow_twins.phi((cuts[c] - centre) / width)
        np.testing.assert_allclose(cumulative[c], expected, atol=1e-5)
