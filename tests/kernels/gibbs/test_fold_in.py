"""The fold-in of numbers, whose posterior mean is known."""

import numpy as np
import slow_twins
from gibbs_case import M

from tastemap.kernels.gibbs.fold_in import fold_in


def test_folding_in_numbers_is_ridge_regression() -> None:
    rng = np.random.default_rng(6)
    K, D = 2, 4
    items, prior = (rng.normal(size=(K, n, D)).astype(np.float32) for n in (M, 1))
    z, rated = rng.normal(size=5).astype(np.float32), np.array([0, 3, 4, 7, 8], np.int32)
    scales, lam = np.ones((K, 5), np.float32), np.full((K, D), 2.0, np.float32)
    sigma = np.array([0.5, 0.7], np.float32)
    means, none = np.empty((K, D), np.float32), np.zeros((K, 0, 0))
    latent = np.empty((K, 5), np.float32)
    rated_items = np.ascontiguousarray(items[:, rated])
    fold_in(
        np.zeros(0, np.int32), z, prior[:, 0], rated_items, scales, lam, sigma, np.zeros((K, 0)),
        np.zeros((K, 2, 0, 0)), none, 1, np.uint64(0), means, np.zeros((K, 0)),
        latent,
    )  # fmt: skip
    for q in range(K):
        X = slow_twins.design(items[q])[rated]
        A = np.diag(lam[q]) + X.T @ X / sigma[q] ** 2
        b = lam[q] * prior[q, 0] + X.T @ (z - items[q, rated, 0]) / sigma[q] ** 2
        np.testing.assert_allclose(means[q], np.linalg.solve(A, b), rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(latent, np.stack([z, z]))
