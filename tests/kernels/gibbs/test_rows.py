"""Conditional distributions of rows, of their link and of their noise scales, beside slow twins."""

import numpy as np
import pytest
import slow_twins
from gibbs_case import Case, M, N, U
from scipy import stats

from tastemap.kernels.gibbs.rows import draw_gaussian, draw_link, draw_rows, draw_scales, factorise
from tastemap.kernels.gibbs.statistics import design


def test_gaussian_draws_have_the_right_moments() -> None:
    rng = np.random.default_rng(1)
    half = rng.normal(size=(3, 5)).astype(np.float32)
    A, ridge, b = half @ half.T, np.array([0.5, 1.0, 0.2], np.float32), rng.normal(size=3)
    L, mean, draw = np.zeros((3, 3)), np.empty(3), np.empty(3)
    factorise(A, ridge, L)
    full = (A + np.diag(ridge)).astype(np.float64)
    np.testing.assert_allclose(L, np.linalg.cholesky(full), rtol=1e-6)
    draws = []
    for n in range(8000):
        draw_gaussian(L, b, np.uint64(7919 * n), mean, draw)
        draws.append(draw.copy())
    np.testing.assert_allclose(mean, np.linalg.solve(full, b), rtol=1e-6)
    covariance = np.linalg.inv(full)
    np.testing.assert_allclose(np.mean(draws, axis=0), mean, atol=0.05)
    np.testing.assert_allclose(np.cov(np.array(draws).T), covariance, atol=0.08)


def test_rows_given_all_else() -> None:
    case, D = Case(3), 3
    r, G = slow_twins.row_statistics(case.user, case.item, case.items, case.e, case.w, U)
    rows = np.arange(U - 1, -1, -1, dtype=np.int32)
    r, G = r[rows].astype(np.float32), G[rows].astype(np.float32)
    prior, lam = 0.1 * case.users, np.array([2.0, 3.0, 4.0], np.float32)
    W, mean, draws = np.empty((U, D), np.float32), np.empty((U, D), np.float32), []
    for n in range(4000):
        W[:] = case.users
        draw_rows(rows, r, G, prior, lam, np.uint64(n), W, mean)
        draws.append(W.copy())
    for p, a in enumerate(rows):
        m, covariance = slow_twins.row_moments(r[p], G[p], prior[a], lam, case.users[a])
        np.testing.assert_allclose(mean[a], m, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(np.mean(draws, axis=0)[a], m, atol=0.06)
        np.testing.assert_allclose(np.cov(np.array(draws)[:, a].T), covariance, atol=0.05)


@pytest.mark.parametrize("n_few", [0, 3, U])
def test_link_moves_rows_and_residual_sums_together(n_few: int) -> None:
    case, D, F = Case(4), 4, 2
    r, G = slow_twins.row_statistics(case.user, case.item, case.items, case.e, case.w, U)
    rng = np.random.default_rng(2)
    features = rng.normal(size=(F, U)).astype(np.float32)
    B0, lam = rng.normal(size=(F, D)).astype(np.float32), np.full((F, D), 1.5, np.float32)
    few, many = np.split(np.arange(U, dtype=np.int32), [n_few])
    X, order = design(case.items), np.arange(N)
    change, steps = np.empty((U, D), np.float32), []
    for n in range(3000):
        B, r_new, e = B0.copy(), r[many].astype(np.float32), case.e.copy()
        sums = (many, r_new, G[many].astype(np.float32))
        ratings = (few, case.by_user, order, case.item, X, e, case.w)
        draw_link(*sums, *ratings, features, lam, np.uint64(n), B, change)
        steps.append(B[0, 0] - B0[0, 0])
    np.testing.assert_allclose(change, features.T @ (B - B0), rtol=1e-3, atol=1e-4)
    moved = r - np.einsum("akl,al->ak", G, change)
    np.testing.assert_allclose(r_new, moved[many], rtol=1e-3, atol=1e-3)
    residual_sums, _ = slow_twins.row_statistics(case.user, case.item, case.items, e, case.w, U)
    np.testing.assert_allclose(residual_sums[few], moved[few], rtol=1e-3, atol=1e-3)
    mean, variance = slow_twins.link_moments(r, G, features[0], 1.5, B0[0, 0], 0)
    assert abs(np.mean(steps) - mean) < 5 * np.sqrt(variance / 3000)
    assert abs(np.var(steps) / variance - 1) < 0.15


def test_noise_scales() -> None:
    case, other = Case(2), np.full(M, 1.3, np.float32)
    s, squares = np.empty(U, np.float32), []
    for n in range(4000):
        order = np.arange(N)
        draw_scales(case.by_user, order, case.item, case.e, other, 2.0, 10.0, np.uint64(n), s)
        squares.append(s.astype(np.float64) ** 2)
    for a in range(U):
        rows = case.user == a
        shape = 10 + rows.sum() / 2
        rate = 10 + 0.5 * np.sum((case.e[rows] / 2.6) ** 2)
        expected = stats.invgamma(shape, scale=rate)
        assert abs(np.mean(squares, axis=0)[a] - expected.mean()) < 0.1 * expected.mean()
