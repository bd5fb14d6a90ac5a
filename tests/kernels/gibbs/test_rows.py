"""The conditionals of the Gibbs sampler beside their slow twins."""

import numpy as np
import pytest
import slow_twins
from scipy import stats

from tastemap.kernels.gibbs.fold_in import fold_in
from tastemap.kernels.gibbs.ordinal import (
    all_log_likelihood,
    draw_latent,
    log_likelihood,
    log_posterior,
    move_user_cutpoints,
)
from tastemap.kernels.gibbs.predictive import predictive
from tastemap.kernels.gibbs.rows import draw_gaussian, draw_link, draw_rows, draw_scales, factorise
from tastemap.kernels.gibbs.sparse import sparse_product
from tastemap.kernels.gibbs.statistics import design, row_statistics, take_from_residuals
from tastemap.kernels.gibbs.tile import weighted_gram

U, M, N = 6, 9, 40


class Case:
    """Random ratings of 6 users and 9 items, grouped both ways, with rows of width D."""

    def __init__(self, D: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.user = np.sort(rng.integers(0, U - 1, N)).astype(np.int32)  # the last has none
        self.item = rng.integers(0, M, N).astype(np.int32)
        self.order = np.argsort(self.item, kind="stable")
        self.by_user = np.searchsorted(self.user, np.arange(U + 1))
        self.by_item = np.searchsorted(self.item[self.order], np.arange(M + 1))
        self.users, self.items = (rng.normal(size=(n, D)).astype(np.float32) for n in (U, M))
        self.e = rng.normal(size=N).astype(np.float32)
        self.w = rng.uniform(0.5, 2, N).astype(np.float32)
        self.level = rng.integers(0, 4, N).astype(np.int32)


@pytest.mark.parametrize("D", [1, 5, 16, 20, 33])
def test_statistics_of_rows(D: int) -> None:
    case = Case(D)
    r, G = np.empty((M, D), np.float32), np.empty((M, D, D), np.float32)
    X, users = design(case.users), case.user[case.order]
    row_statistics(case.by_item, case.order, users, X, case.e, case.w, r, G)
    expected = slow_twins.row_statistics(case.item, case.user, case.users, case.e, case.w, M)
    np.testing.assert_allclose(r, expected[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(G, expected[1], rtol=1e-4, atol=1e-4)
    e = case.e.copy()
    take_from_residuals(case.by_item, case.order, users, X, case.items, e)
    moved = np.einsum("nk,nk->n", slow_twins.design(case.users)[case.user], case.items[case.item])
    np.testing.assert_allclose(e, case.e - moved, rtol=1e-4, atol=1e-4)


def test_gram_of_nothing_is_zero() -> None:
    G = np.ones((16, 16), np.float32)
    nothing = np.zeros(0, np.int32)
    weighted_gram(np.ones((3, 16), np.float32), nothing, np.zeros(0, np.float32), G)
    assert not G.any()


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
    r, G = r.astype(np.float32), G.astype(np.float32)
    prior, lam = 0.1 * case.users, np.array([2.0, 3.0, 4.0], np.float32)
    W, mean, draws = np.empty((U, D), np.float32), np.empty((U, D), np.float32), []
    for n in range(4000):
        W[:] = case.users
        draw_rows(r, G, prior, lam, np.uint64(n), W, mean)
        draws.append(W.copy())
    for a in range(U):
        m, covariance = slow_twins.row_moments(r[a], G[a], prior[a], lam, case.users[a])
        np.testing.assert_allclose(mean[a], m, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(np.mean(draws, axis=0)[a], m, atol=0.06)
        np.testing.assert_allclose(np.cov(np.array(draws)[:, a].T), covariance, atol=0.05)


def test_link_moves_rows_and_residual_sums_together() -> None:
    case, D, F = Case(4), 4, 2
    r, G = slow_twins.row_statistics(case.user, case.item, case.items, case.e, case.w, U)
    rng = np.random.default_rng(2)
    features = rng.normal(size=(F, U)).astype(np.float32)
    B0, lam = rng.normal(size=(F, D)).astype(np.float32), np.full((F, D), 1.5, np.float32)
    change, steps = np.empty((U, D), np.float32), []
    for n in range(3000):
        B, r_new = B0.copy(), r.astype(np.float32)
        draw_link(r_new, G.astype(np.float32), features, lam, np.uint64(n), B, change)
        steps.append(B[0, 0] - B0[0, 0])
    np.testing.assert_allclose(change, features.T @ (B - B0), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(r_new, r - np.einsum("akl,al->ak", G, change), rtol=1e-3, atol=1e-3)
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
        mine = case.user == a
        shape = 10 + mine.sum() / 2
        rate = 10 + 0.5 * np.sum((case.e[mine] / 2.6) ** 2)
        expected = stats.invgamma(shape, scale=rate)
        assert abs(np.mean(squares, axis=0)[a] - expected.mean()) < 0.1 * expected.mean()


def test_cutpoint_likelihood() -> None:
    rng = np.random.default_rng(3)
    f, s = (x.astype(np.float32) for x in (rng.normal(size=N), rng.uniform(0.5, 1.5, N)))
    level, cuts = Case(1).level, np.array([-1.0, 0.2, 0.9])
    p = slow_twins.level_probabilities(f, s, cuts)[np.arange(N), level]
    assert log_likelihood(level, f, s, cuts) == pytest.approx(np.log(p).sum(), rel=1e-4)
    offsets, same = Case(1).by_user, np.tile(cuts, (U, 1))
    assert all_log_likelihood(offsets, level, f, s, same) == pytest.approx(
        np.log(p).sum(), rel=1e-4
    )
    assert all_log_likelihood(offsets, level, f, s, -same) == -np.inf
    own, inverse, buffer = np.array([0.1, -0.2, 0.3]), np.eye(3) * 2, np.empty(3)
    found = log_posterior(level, f, s, cuts - own, own, inverse, buffer)
    assert found == pytest.approx(np.log(p).sum() - own @ own, rel=1e-4)
    assert log_posterior(level, f, s, cuts, np.array([0, -9.0, 0]), inverse, buffer) == -np.inf


def test_cutpoints_without_ratings_follow_their_prior() -> None:
    S = np.array([[0.3, 0.1], [0.1, 0.2]])
    proposals = np.stack([np.linalg.cholesky(S), np.array([[0.2, 0], [0.3, 0]])])
    nothing, none = np.zeros(0, np.float32), np.zeros(0, np.int32)
    own, offsets = np.zeros((3000, 2)), np.zeros(3001, np.int64)
    for n in range(40):
        share = move_user_cutpoints(
            offsets, none, nothing, nothing, np.array([-50.0, 50.0]), proposals,
            np.linalg.inv(S), np.uint64(n), own,
        )  # fmt: skip
    assert 0.1 < share < 0.9
    np.testing.assert_allclose(np.cov(own.T), S, atol=0.04)


def test_latent_values_lie_between_their_cutpoints() -> None:
    case, cuts = Case(1), np.tile([-1.0, 0.2, 0.9], (U, 1))
    f = case.e.copy()
    z, e, s = f.copy(), np.zeros(N, np.float32), case.w
    draw_latent(case.user, case.level, s, cuts, np.uint64(4), z, e)
    ends = np.array([-np.inf, -1.0, 0.2, 0.9, np.inf])
    assert (z >= ends[case.level] - 1e-6).all()
    assert (z <= ends[case.level + 1] + 1e-6).all()
    np.testing.assert_allclose(z - e, f, atol=1e-5)


def _predict(K: int, first: int, last: int, out: tuple[np.ndarray, np.ndarray]) -> dict:
    rng = np.random.default_rng(5)
    D = 5
    given = {
        "offsets": np.array([0, 3, 3, 8]),
        "asked": rng.integers(0, M, 8).astype(np.int32),
        "rated_offsets": np.array([0, 4, 9, 9]),
        "rated": rng.integers(0, M, 9).astype(np.int32),
        "means": rng.normal(size=(K, 3, D)).astype(np.float32),
        "cuts": np.sort(rng.normal(size=(K, 3, 4)), axis=2).astype(np.float32),
        "scales": rng.uniform(0.8, 1.2, (K, 3)).astype(np.float32),
        "items": rng.normal(size=(K, M, D)).astype(np.float32),
        "item_scales": rng.uniform(0.8, 1.2, (K, M)).astype(np.float32),
        "lam": rng.uniform(1, 3, (K, D)).astype(np.float32),
        "moods": rng.uniform(0, 1, (K, 8, 2)).astype(np.float32),
    }
    predictive(*given.values(), first, last, *out)
    return given


def test_predictive_distribution() -> None:
    centre, cumulative = np.zeros(8), np.zeros((8, 4))
    given = _predict(2, 0, 3, (centre, cumulative))
    for p in range(3):
        rows = slice(given["offsets"][p], given["offsets"][p + 1])
        rated = given["rated"][given["rated_offsets"][p] : given["rated_offsets"][p + 1]]
        both = [
            slow_twins.predictive(
                given["means"][q, p], rated, given["asked"][rows], given["items"][q],
                given["item_scales"][q], given["scales"][q, p], given["lam"][q],
                given["cuts"][q, p], given["moods"][q, rows],
            )
            for q in range(2)
        ]  # fmt: skip
        np.testing.assert_allclose(centre[rows], np.mean([f for f, _ in both], axis=0), atol=1e-4)
        np.testing.assert_allclose(cumulative[rows], np.mean([c for _, c in both], 0), atol=1e-4)


def test_persons_apart_are_persons_together() -> None:
    together, apart = ((np.zeros(8), np.zeros((8, 4))) for _ in range(2))
    _predict(2, 0, 3, together)
    for p in range(3):
        _predict(2, p, p + 1, apart)
    np.testing.assert_array_equal(together[0], apart[0])
    np.testing.assert_array_equal(together[1], apart[1])


def test_folding_in_numbers_is_ridge_regression() -> None:
    rng = np.random.default_rng(6)
    K, D = 2, 4
    items, prior = (rng.normal(size=(K, n, D)).astype(np.float32) for n in (M, 1))
    z, rated = rng.normal(size=5).astype(np.float32), np.array([0, 3, 4, 7, 8], np.int32)
    scales, lam = np.ones((K, 5), np.float32), np.full((K, D), 2.0, np.float32)
    sigma = np.array([0.5, 0.7], np.float32)
    means, none = np.empty((K, D), np.float32), np.zeros((K, 0, 0))
    theirs = np.ascontiguousarray(items[:, rated])
    fold_in(
        np.zeros(0, np.int32), z, prior[:, 0], theirs, scales, lam, sigma, np.zeros((K, 0)),
        np.zeros((K, 2, 0, 0)), none, 1, np.uint64(0), means, np.zeros((K, 0)),
    )  # fmt: skip
    for q in range(K):
        X = slow_twins.design(items[q])[rated]
        A = np.diag(lam[q]) + X.T @ X / sigma[q] ** 2
        b = lam[q] * prior[q, 0] + X.T @ (z - items[q, rated, 0]) / sigma[q] ** 2
        np.testing.assert_allclose(means[q], np.linalg.solve(A, b), rtol=1e-3, atol=1e-4)


def test_sparse_product() -> None:
    matrix = np.array([[0, 2.0, 0], [0, 0, 0], [1.0, 0, 3.0]], np.float32)
    X, out = np.arange(6, dtype=np.float32).reshape(3, 2), np.empty((3, 2), np.float32)
    columns, values = np.array([1, 0, 2], np.int32), np.array([2, 1, 3], np.float32)
    sparse_product(np.array([0, 1, 1, 3]), columns, values, X, out)
    np.testing.assert_array_equal(out, matrix @ X)
