"""Random numbers: their distributions, and that they depend on key and counter alone."""

import numpy as np
import pytest
from numba import njit
from scipy import stats

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
