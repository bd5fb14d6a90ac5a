"""The normal distribution function, its inverse, and truncated normal numbers."""

import numpy as np
import pytest
from numba import njit
from scipy import stats

from tastemap.kernels.gibbs.normal import add_cdf, cdf, quantile, truncated
from tastemap.kernels.gibbs.random import uniform

N = 20_000


@njit
def _truncated(mean, scale, lower, upper, key, out):
    for i in range(len(out)):
        out[i] = truncated(mean, scale, lower, upper, uniform(key, i))


@njit
def _map_cdf(x, out):
    for i in range(len(x)):
        out[i] = cdf(x[i])


@njit
def _map_quantile(p, out):
    for i in range(len(p)):
        out[i] = quantile(p[i])


def test_distribution_function_and_inverse() -> None:
    x = np.linspace(-8, 8, 4001)
    p = np.empty_like(x)
    _map_cdf(x, p)
    np.testing.assert_allclose(p, stats.norm.cdf(x), atol=3e-6)
    np.testing.assert_allclose(p[x < -2], stats.norm.cdf(x[x < -2]), rtol=1e-3)
    p = np.concatenate([10.0 ** np.arange(-30, -1), np.linspace(0.01, 0.99, 99)])
    x = np.empty_like(p)
    _map_quantile(p, x)
    np.testing.assert_allclose(x, stats.norm.ppf(p), rtol=1e-6, atol=1e-9)


def test_the_finer_table_of_predictions() -> None:
    f = np.linspace(-9, 9, 4001).astype(np.float32)
    width, total = np.full_like(f, 0.8), np.ones(len(f))
    add_cdf(0.25, f, width, 2.0, total)
    expected = 1 + 2 * stats.norm.cdf((0.25 - f.astype(np.float64)) * 0.8)
    np.testing.assert_allclose(total, expected, atol=2e-6)
    odd = np.array([np.nan, np.inf, -np.inf, 1e38], np.float32)
    total = np.zeros(4)
    add_cdf(0.25, odd, np.full(4, 1e5, np.float32), 1.0, total)
    np.testing.assert_allclose(total, [0, 0, 1, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("mean", "scale", "lower", "upper"),
    [(0.3, 1.2, -0.5, 0.8), (0.0, 1.0, 2.0, 1e3), (0.0, 0.7, -1e3, -2.5), (5.0, 1.0, -1.0, 0.0)],
)
def test_truncated_normal_numbers(mean: float, scale: float, lower: float, upper: float) -> None:
    x = np.empty(N)
    _truncated(mean, scale, lower, upper, np.uint64(11), x)
    bounds = ((lower - mean) / scale, (upper - mean) / scale)
    assert x.min() >= lower
    assert x.max() <= upper
    expected = stats.truncnorm(*bounds, loc=mean, scale=scale)
    assert abs(x.mean() - expected.mean()) < 5 * expected.std() / np.sqrt(N)
    assert abs(x.std() / expected.std() - 1) < 0.04


def test_truncated_far_from_the_mean_stays_between_the_bounds() -> None:
    x = np.empty(N)
    _truncated(0.0, 1.0, 20.0, 21.0, np.uint64(1), x)
    assert ((x >= 20) & (x <= 21)).all()
