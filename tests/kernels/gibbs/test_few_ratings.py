"""Rows drawn in the space of their ratings, beside the slow twin of rows drawn from sums."""

import numpy as np
import slow_twins
from gibbs_case import Case, N, U

from tastemap.kernels.gibbs.few_ratings import draw_few, solve
from tastemap.kernels.gibbs.statistics import design


def test_rows_are_those_drawn_from_sums() -> None:
    # Some rows have more ratings than the three numbers of a row, the last has none.
    case, rows = Case(3), np.array([5, 0, 2, 3], np.int32)
    r, G = slow_twins.row_statistics(case.user, case.item, case.items, case.e, case.w, U)
    prior, lam = 0.1 * case.users, np.array([2.0, 3.0, 4.0], np.float32)
    X, order, mean, draws = design(case.items), np.arange(N), np.zeros((U, 3), np.float32), []
    for n in range(4000):
        W, e = case.users.copy(), case.e.copy()
        ratings = (rows, case.by_user, order, case.item, X, e, case.w)
        draw_few(*ratings, prior, lam, np.uint64(n), W, mean)
        draws.append(W.copy())
    for a in rows:
        m, covariance = slow_twins.row_moments(r[a], G[a], prior[a], lam, case.users[a])
        np.testing.assert_allclose(mean[a], m, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(np.mean(draws, axis=0)[a], m, atol=0.06)
        np.testing.assert_allclose(np.cov(np.array(draws)[:, a].T), covariance, atol=0.05)
    np.testing.assert_array_equal(W[[1, 4]], case.users[[1, 4]])
    moved = np.sum(slow_twins.design(case.items)[case.item] * (W - case.users)[case.user], axis=1)
    np.testing.assert_allclose(e, case.e - moved, rtol=1e-4, atol=1e-4)


def test_systems_are_solved() -> None:
    rng = np.random.default_rng(0)
    half, b = rng.normal(size=(4, 6)), rng.normal(size=(2, 5))
    S, solution = np.full((5, 5), np.nan), b.copy()
    S[:4, :4] = half @ half.T
    full = S[:4, :4].copy()
    solve(S, solution, 4)
    np.testing.assert_allclose(solution[:, :4], np.linalg.solve(full, b[:, :4].T).T)
    np.testing.assert_array_equal(solution[:, 4], b[:, 4])
