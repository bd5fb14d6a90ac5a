"""Random numbers: moments, independence of the order of asking, and the normal distribution."""

import numpy as np
import pytest
from numba import njit
from scipy import stats

from tastemap.kernels.gibbs.normal import cdf, quantile, truncated
from tastemap.kernels.gibbs.random import gamma, normal, uniform

N = 20_000


@njit
def _uniforms(key, out):
    for i in range(len(out)):
        out[i] = uniform(key, i)


@njit
def _normals(key, out):
    for i in range(len(out)):
        out[i] = normal(key, i)


@njit
def _gammas(key, shape, out):
    for i in range(len(out)):
        out[i] = gamma(key, i, shape)


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


def drawn(kernel, *arguments):
    out = np.empty(N)
    kernel(*arguments, out)
    return out


def test_uniform_numbers_are_uniform() -> None:
    x = drawn(_uniforms, np.uint64(7))
    assert stats.kstest(x, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.03
    other = drawn(_uniforms, np.uint64(8))
    assert abs(np.corrcoef(x, other)[0, 1]) < 0.03


def test_a_draw_depends_on_key_and_counter_alone() -> None:
    x = drawn(_uniforms, np.uint64(7))
    assert x[123] == uniform(np.uint64(7), 123)


def test_normal_numbers_are_normal() -> None:
    assert stats.kstest(drawn(_normals, np.uint64(3)), "norm").pvalue > 1e-3


@pytest.mark.parametrize("shape", [1.0, 10.5, 300.0])
def test_gamma_numbers_are_gamma(shape: float) -> None:
    x = drawn(_gammas, np.uint64(5), shape)
    assert stats.kstest(x, stats.gamma(shape).cdf).pvalue > 1e-3


def test_distribution_function_and_inverse() -> None:
    x = np.linspace(-8, 8, 4001)
    found = np.empty_like(x)
    _map_cdf(x, found)
    np.testing.assert_allclose(found, stats.norm.cdf(x), atol=3e-6)
    np.testing.assert_allclose(found[x < -2], stats.norm.cdf(x[x < -2]), rtol=1e-3)
    p = np.concatenate([10.0 ** np.arange(-30, -1), np.linspace(0.01, 0.99, 99)])
    found = np.empty_like(p)
    _map_quantile(p, found)
    np.testing.assert_allclose(found, stats.norm.ppf(p), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("mean", "scale", "lower", "upper"),
    [(0.3, 1.2, -0.5, 0.8), (0.0, 1.0, 2.0, 1e3), (0.0, 0.7, -1e3, -2.5), (5.0, 1.0, -1.0, 0.0)],
)
def test_truncated_normal_numbers(mean: float, scale: float, lower: float, upper: float) -> None:
    x = drawn(_truncated, mean, scale, lower, upper, np.uint64(11))
    bounds = ((lower - mean) / scale, (upper - mean) / scale)
    assert x.min() >= lower
    assert x.max() <= upper
    expected = stats.truncnorm(*bounds, loc=mean, scale=scale)
    assert abs(x.mean() - expected.mean()) < 5 * expected.std() / np.sqrt(N)
    assert abs(x.std() / expected.std() - 1) < 0.04


def test_truncated_far_from_the_mean_stays_between_the_bounds() -> None:
    x = drawn(_truncated, 0.0, 1.0, 20.0, 21.0, np.uint64(1))
    assert ((x >= 20) & (x <= 21)).all()
