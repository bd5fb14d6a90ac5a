"""The spread of expected ratings over the posterior, beside a slow twin and beside draws."""

import numpy as np
import pytest
from gibbs_case import M
from scipy.stats import norm

from tastemap.kernels.gibbs.spread import expected_spread

K, D, GAPS = 3, 4, np.array([1.0, 0.5, 1.0, 1.0])


@pytest.mark.parametrize("gaps", [GAPS, GAPS[:0]])
def test_the_variance_is_that_of_draws_of_the_users_row(gaps: np.ndarray) -> None:
    rng = np.random.default_rng(5)
    targets = rng.integers(0, M, 6).astype(np.int32)
    rated = rng.integers(0, M, 9).astype(np.int32)
    means = rng.normal(size=(K, D)).astype(np.float32)
    cuts = np.sort(rng.normal(size=(K, len(GAPS))), axis=1).astype(np.float32)
    scales = rng.uniform(0.8, 1.2, K).astype(np.float32)
    items = rng.normal(0, 0.5, size=(K, M, D)).astype(np.float32)
    item_scales = rng.uniform(0.8, 1.2, (K, M)).astype(np.float32)
    lam = rng.uniform(8, 12, (K, D)).astype(np.float32)
    effect = rng.uniform(0, 0.2, K).astype(np.float32)
    variance = np.empty(6)
    no_roots = np.zeros((K, 0), np.float32)
    rows = (means, cuts, scales, no_roots, items, item_scales, lam, effect)
    nobody = np.zeros(6, dtype=bool)
    expected_spread(targets, nobody, rated, *rows, gaps, variance)
    wider = np.empty(6)  # as if nobody had rated these
    expected_spread(targets, ~nobody, rated, *rows, gaps, wider)
    has_more = (item_scales[:, targets] > 1).any(axis=0)
    assert ((wider > variance) == has_more).all()

    expected = []  # by draws of the row: E[r | w] in each draw
    for q in range(K):
        X, x = (np.column_stack([np.ones(len(j)), items[q, j, 1:]]) for j in (rated, targets))
        s = scales[q] * item_scales[q]
        A = np.diag(lam[q]) + (X.T / s[rated] ** 2) @ X
        w = rng.multivariate_normal(means[q], np.linalg.inv(A), 20_000)
        f = w @ x.T + items[q, targets, 0]
        if len(gaps):
            width = np.sqrt(s[targets] ** 2 + effect[q])[:, None]
            f = -norm.cdf((cuts[q] - f[..., None]) / width) @ gaps
        expected.append(f)
    # The kernel integrates the row out before it takes the slope: a linear approximation.
    np.testing.assert_allclose(np.sqrt(variance), np.concatenate(expected).std(axis=0), rtol=0.05)


def test_of_a_new_user_the_cutpoints_vary_with_the_row() -> None:
    rng, C = np.random.default_rng(2), len(GAPS)
    B = rng.normal(0, 2, size=(D + C, 30))
    precision = B @ B.T
    roots = np.linalg.cholesky(precision)[np.tril_indices(D + C)].astype(np.float32)[None]
    items = rng.normal(0, 0.5, size=(1, M, D)).astype(np.float32)
    mean, cuts = rng.normal(size=(1, D)), np.array([[-1.0, -0.3, 0.4, 1.1]])
    ones, targets = np.ones((1, M), np.float32), np.arange(M, dtype=np.int32)
    variance, effect = np.empty(M), np.zeros(1, np.float32)
    rows = (mean.astype(np.float32), cuts.astype(np.float32), ones[0, :1], roots, items, ones)
    nobody, lam = np.zeros(M, dtype=bool), np.ones((1, D), np.float32)
    expected_spread(targets, nobody, targets[:0], *rows, lam, effect, GAPS, variance)
    both = rng.multivariate_normal(np.zeros(D + C), np.linalg.inv(precision), 20_000)
    X = np.column_stack([np.ones(M), items[0, :, 1:]])
    f = (mean + both[:, :D]) @ X.T + items[0, :, 0]
    drawn = -norm.cdf(cuts[0] + both[:, None, D:] - f[..., None]) @ GAPS
    np.testing.assert_allclose(np.sqrt(variance), drawn.std(axis=0), rtol=0.05)
