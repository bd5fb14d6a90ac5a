"""Ratings left out by changes of rank one, beside normal equations solved anew without each."""

import numpy as np
import pytest
import slow_twins
from gibbs_case import M
from scipy import stats

from tastemap.kernels.gibbs.leave_one_out import leave_one_out, mean_between

K, D, N = 2, 4, 5


@pytest.mark.parametrize("n_levels", [0, 4])
def test_effects_are_those_of_normal_equations_without_a_rating(n_levels: int) -> None:
    rng = np.random.default_rng(6)
    items = rng.normal(size=(K, M, D)).astype(np.float32)
    item_scales = rng.uniform(0.8, 1.2, (K, M)).astype(np.float32)
    scales = np.array([0.6, 0.9], np.float32)
    lam = rng.uniform(1, 3, (K, D)).astype(np.float32)
    prior, moved = rng.normal(size=(K, D)), rng.normal(0, 0.3, (K, N, D))
    z = rng.normal(size=(K, N)).astype(np.float32)
    rated, targets = rng.permutation(M)[:N].astype(np.int32), np.array([0, 3, 5], np.int32)
    cuts = np.sort(rng.normal(size=(K, max(n_levels - 1, 0))), axis=1).astype(np.float32)
    gaps = np.array([1.0, 0.5, 2.0])[: cuts.shape[1]]
    level = rng.integers(0, n_levels, N).astype(np.int32) if n_levels else np.zeros(0, np.int32)
    means, expected = np.empty((K, D), np.float32), np.zeros((3, N))
    for q in range(K):
        X, s = slow_twins.design(items[q]), scales[q] * item_scales[q].astype(np.float64)
        d = items[q, :, 0]

        def posterior(rows, start, q=q, X=X, s=s, d=d):
            weighted = X[rows] / s[rows, None] ** 2
            A = np.diag(lam[q]) + weighted.T @ X[rows]
            drawn = {item: z[q, i] for i, item in enumerate(rated)}
            b = weighted.T @ (np.array([drawn[row] for row in rows]) - d[rows]) + lam[q] * start
            return np.linalg.solve(A, b), np.linalg.inv(A)

        means[q], S = posterior(rated, prior[q])
        for i in range(N):
            x, others = X[rated[i]], np.delete(rated, i)
            m, V = posterior(others, prior[q])
            f, variance = d[rated[i]] + x @ m, s[rated[i]] ** 2 + x @ V @ x
            latent = z[q, i]
            if n_levels:
                ends = np.concatenate([[-np.inf], cuts[q], [np.inf]])[level[i] : level[i] + 2]
                bounds = (ends - f) / np.sqrt(variance)
                latent = stats.truncnorm(*bounds, loc=f, scale=np.sqrt(variance)).mean()
            with_it = m + V @ x * (latent - f) / variance
            without, _ = posterior(others, prior[q] + moved[q, i])
            pair = []
            for mean, covariance in ((without, V), (with_it, S)):
                f = d[targets] + X[targets] @ mean
                spread = s[targets] ** 2 + np.einsum(
                    "jk,kl,jl->j", X[targets], covariance, X[targets]
                )
                below = slow_twins.phi((cuts[q] - f[:, None]) / np.sqrt(spread)[:, None])
                pair.append(-below @ gaps if n_levels else f)
            expected[:, i] += (pair[1] - pair[0]) / K
    shifts = (lam[:, None] * moved).astype(np.float32)
    effects = np.ones((3, N))
    leave_one_out(
        targets,
        rated,
        level,
        z,
        means,
        shifts,
        cuts,
        scales,
        items,
        item_scales,
        lam,
        gaps,
        effects,
    )
    np.testing.assert_allclose(effects, expected, atol=2e-5)


def test_the_mean_of_what_is_cut_out_of_a_normal_distribution() -> None:
    for ends in ((-np.inf, -1.0), (0.2, 0.9), (2.0, np.inf), (-6.0, -5.0)):
        expected = stats.truncnorm(*((np.array(ends) - 0.3) / 2), loc=0.3, scale=2).mean()
        assert mean_between(0.3, 2.0, *ends) == pytest.approx(expected, rel=1e-6)
    assert mean_between(0.0, 1.0, 40.0, np.inf) == 40.0
    assert mean_between(0.0, 1.0, -np.inf, -40.0) == -40.0
