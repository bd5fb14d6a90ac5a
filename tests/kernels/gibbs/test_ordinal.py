"""Latent values and cutpoints of ordinal ratings beside their slow twins."""

import numpy as np
import pytest
import slow_twins
from gibbs_case import Case, N, U

from tastemap.kernels.gibbs.ordinal import (
    all_log_likelihood,
    draw_latent,
    log_likelihood,
    log_posterior,
    move_user_cutpoints,
)


def test_cutpoint_likelihood() -> None:
    rng = np.random.default_rng(3)
    f, s = (x.astype(np.float32) for x in (rng.normal(size=N), rng.uniform(0.5, 1.5, N)))
    level, cuts = Case(1).level, np.array([-1.0, 0.2, 0.9])
    p = slow_twins.level_probabilities(f, s, cuts)[np.arange(N), level]
    assert log_likelihood(level, f, s, cuts) == pytest.approx(np.log(p).sum(), rel=1e-4)
    indptr, same = Case(1).by_user, np.tile(cuts, (U, 1))
    assert all_log_likelihood(indptr, level, f, s, same) == pytest.approx(np.log(p).sum(), rel=1e-4)
    assert all_log_likelihood(indptr, level, f, s, -same) == -np.inf
    delta, inverse, buffer = np.array([0.1, -0.2, 0.3]), np.eye(3) * 2, np.empty(3)
    found = log_posterior(level, f, s, cuts - delta, delta, inverse, buffer)
    assert found == pytest.approx(np.log(p).sum() - delta @ delta, rel=1e-4)
    assert log_posterior(level, f, s, cuts, np.array([0, -9.0, 0]), inverse, buffer) == -np.inf


def test_cutpoints_without_ratings_follow_their_prior() -> None:
    S = np.array([[0.3, 0.1], [0.1, 0.2]])
    proposals = np.stack([np.linalg.cholesky(S), np.array([[0.2, 0], [0.3, 0]])])
    nothing, none = np.zeros(0, np.float32), np.zeros(0, np.int32)
    delta, indptr = np.zeros((3000, 2)), np.zeros(3001, np.int64)
    for n in range(40):
        share = move_user_cutpoints(
            indptr, none, nothing, nothing, np.array([-50.0, 50.0]), proposals,
            np.linalg.inv(S), np.uint64(n), delta,
        )  # fmt: skip
    assert 0.1 < share < 0.9
    np.testing.assert_allclose(np.cov(delta.T), S, atol=0.04)


def test_latent_values_lie_between_their_cutpoints() -> None:
    case, cuts = Case(1), np.tile([-1.0, 0.2, 0.9], (U, 1))
    f = case.e.copy()
    z, e, s = f.copy(), np.zeros(N, np.float32), case.w
    draw_latent(case.user, case.level, s, cuts, np.uint64(4), z, e)
    ends = np.array([-np.inf, -1.0, 0.2, 0.9, np.inf])
    assert (z >= ends[case.level] - 1e-6).all()
    assert (z <= ends[case.level + 1] + 1e-6).all()
    np.testing.assert_allclose(z - e, f, atol=1e-5)
