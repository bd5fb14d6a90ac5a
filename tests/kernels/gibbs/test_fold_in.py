"""The fold-in beside what is known: ridge regression of numbers, integrals on a grid of levels."""

import numpy as np
import pytest
import slow_twins
from gibbs_case import M
from numpy.testing import assert_allclose

from tastemap.kernels.gibbs.fold_in import factorise, fold_in, solve


def described(level, z, priors, items, scales, lam, sigma, shared, inverse):
    """Means, cutpoints, precisions and latent values of a user in each draw."""
    K, n, D = items.shape
    C = shared.shape[1]
    shapes = ((D,), (C,), ((D + C) * (D + C + 1) // 2,), (n,))
    means, cuts, roots, latent = (np.full((K, *shape), np.nan, np.float32) for shape in shapes)
    arrays = [np.asarray(a, np.float32) for a in (priors, items, scales, lam, sigma)]
    fold_in(level, z, *arrays, shared, inverse, means, cuts, roots, latent)
    L = np.zeros((K, D + C, D + C))
    L[:, *np.tril_indices(D + C)] = roots
    return means, cuts, L @ L.transpose(0, 2, 1), latent


def test_folding_in_numbers_is_ridge_regression() -> None:
    rng = np.random.default_rng(6)
    K, D = 2, 4
    items, priors = rng.normal(size=(K, M, D)), rng.normal(size=(K, D))
    z, rated = rng.normal(size=5).astype(np.float32), np.array([0, 3, 4, 7, 8])
    sigma, lam = np.array([0.5, 0.7]), np.full((K, D), 2.0)
    ordinal = np.zeros((K, 0)), np.zeros((K, 0, 0))
    rows = (priors, items[:, rated], np.ones((K, 5)), lam, sigma, *ordinal)
    means, cuts, precision, latent = described(np.zeros(0, np.int32), z, *rows)
    for q in range(K):
        X = slow_twins.design(items[q])[rated]
        A = np.diag(lam[q]) + X.T @ X / sigma[q] ** 2
        b = lam[q] * priors[q] + X.T @ (z - items[q, rated, 0]) / sigma[q] ** 2
        assert_allclose(means[q], np.linalg.solve(A, b), rtol=1e-4, atol=1e-5)
        assert_allclose(precision[q], A, rtol=1e-4, atol=1e-4)
    assert_allclose(latent, np.stack([z, z]), atol=1e-5)
    assert cuts.size == 0


def test_folding_in_levels_is_the_posterior_on_a_grid() -> None:
    """Two draws, of which the second has the factor the other way round: the same person."""
    rng = np.random.default_rng(1)
    n, s, lam, S = 7, 0.7, np.array([3.0, 4.0]), 0.2
    items = np.stack([rng.normal(0, 0.5, (n, 2))] * 2)
    items[1, :, 1] *= -1
    level, shared = np.array([0, 1, 1, 0, 1, 1, 1], np.int32), np.array([[-0.2]] * 2)
    prior = np.array([[0.1, 0.3], [0.1, -0.3]])
    rows = (prior, items, np.full((2, n), s), np.stack([lam] * 2), np.ones(2))
    inverse = np.full((2, 1, 1), 1 / S)
    means, cuts, precision, latent = described(
        level, np.zeros(n, np.float32), *rows, shared, inverse
    )
    axis = np.linspace(-2.5, 2.5, 61)
    w0, w1, delta = np.meshgrid(axis, axis, axis, indexing="ij")
    log = -0.5 * (lam[0] * (w0 - 0.1) ** 2 + lam[1] * (w1 - 0.3) ** 2 + delta**2 / S)
    for j in range(n):
        f = w0 + items[0, j, 0] + w1 * items[0, j, 1]
        below = slow_twins.phi((shared[0, 0] + delta - f) / s)
        log += np.log(np.maximum(np.where(level[j], 1 - below, below), 1e-30))
    p = np.exp(log - log.max())
    points = np.stack([w0, w1, delta]).reshape(3, -1)
    mean, covariance = np.average(points, 1, p.ravel()), np.cov(points, aweights=p.ravel())
    folded = np.concatenate([means[0], cuts[0] - shared[0]])
    deviation = np.sqrt(np.diag(covariance))
    assert (np.abs(folded - mean) < 0.03 * deviation).all()
    assert_allclose(np.sqrt(np.diag(np.linalg.inv(precision[0]))), deviation, rtol=0.06)
    assert_allclose(means[1] * [1, -1], means[0], atol=5e-3)
    assert_allclose(latent[1], latent[0], atol=5e-3)
    assert (np.sign(latent[0] - cuts[0]) == np.where(level, 1, -1)).mean() > 0.8


@pytest.mark.parametrize("prior", [-30.0, 0.0, 30.0])
def test_somebody_unlike_all_others_has_a_mean(prior: float) -> None:
    rng = np.random.default_rng(3)
    n, C = 40, 4
    items = rng.normal(0, 0.3, (3, n, 5))
    shared = np.tile(np.linspace(-2, 1, C), (3, 1))
    shared[0, 1] = shared[0, 2] + 0.1  # out of order, as shared cutpoints may be
    rows = (np.full((3, 5), prior), items, np.ones((3, n)), np.full((3, 5), 0.01), np.ones(3))
    inverse = np.tile(np.eye(C) * 10, (3, 1, 1))
    everything = described(np.full(n, C, np.int32), np.zeros(n, np.float32), *rows, shared, inverse)
    assert all(np.isfinite(numbers).all() for numbers in everything)
    f = (
        items[:, :, 0]
        + everything[0][:, :1]
        + np.einsum("kjd,kd->kj", items[:, :, 1:], everything[0][:, 1:])
    )
    assert (f.mean(axis=1) > 0.3).all()  # far up, where all levels are the highest


@pytest.mark.parametrize("size", [1, 4, 7, 36])
def test_factor_and_solution(size: int) -> None:
    B = np.random.default_rng(size).normal(size=(size, size + 3))
    A, x = B @ B.T, np.arange(1.0, size + 1)
    U = np.zeros((size, -(-size // 8) * 8))
    U[:, :size] = A
    factorise(U)
    assert_allclose(np.triu(U[:, :size]), np.linalg.cholesky(A).T, atol=1e-9)
    expected = np.linalg.solve(A, x)
    solve(U, x)
    assert_allclose(x, expected, rtol=1e-6)
