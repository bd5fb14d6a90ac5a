"""Ornstein-Uhlenbeck processes beside the Gaussian distribution written out in full."""

import numpy as np
import slow_twins

from tastemap.kernels.gibbs.temporal import decays, draw_effects, effects_at, sum_over_nodes

TIMES = np.array([0.0, 5.0, 9.0, 30.0])
TAU = 10.0


def test_draws_have_the_moments_of_the_joint_gaussian() -> None:
    total, weight = np.array([1.0, 0.0, -2.0, 0.5]), np.array([2.0, 0.0, 1.0, 0.7])
    h, draws, indptr = np.empty(4, np.float32), [], np.array([0, 4])
    for n in range(6000):
        v = np.array([0.8], np.float32)
        decay = decays(indptr, TIMES, TAU)
        draw_effects(indptr, decay, total, weight, 2.0, 1.0, np.uint64(n), v, h)
        draws.append(h.copy())
    mean, covariance = slow_twins.effect_moments(TIMES, total, weight, TAU, 0.8)
    np.testing.assert_allclose(np.mean(draws, axis=0), mean, atol=0.04)
    np.testing.assert_allclose(np.cov(np.array(draws).T), covariance, atol=0.04)


def test_variance_of_a_process_without_data_is_that_of_its_prior() -> None:
    indptr, zero = np.array([0, 1]), np.zeros(1)
    h, v, variances = np.empty(1, np.float32), np.ones(1, np.float32), []
    for n in range(8000):
        draw_effects(indptr, zero, zero, zero, 4.0, 3.0, np.uint64(n), v, h)
        variances.append(float(v[0]))
    assert abs(np.mean(variances[100:]) - 3.0 / (4.0 - 1)) < 0.08


def test_effects_between_and_beyond_the_nodes() -> None:
    indptr, h = np.array([0, 4]), np.array([[0.5, -0.2, 0.1, 1.0]], np.float32)
    v = np.array([[0.8, 0.3]], np.float32)
    times = np.array([-3.0, 5.0, 7.0, 20.0, 200.0])
    out = np.zeros((6, 2))
    user = np.array([0, 0, 0, 0, 0, -1], np.int32)
    effects_at(indptr, TIMES, user, np.append(times, 5.0), np.array([TAU]), v, h, out)
    for t, moments in zip(times, out, strict=False):
        expected = slow_twins.effect_at(TIMES, h[0], t, TAU, 0.8)
        np.testing.assert_allclose(moments, expected, atol=1e-5)
    np.testing.assert_allclose(out[5], [0.0, 0.3], rtol=1e-6)


def test_sums_over_nodes() -> None:
    node, h = np.array([0, 1, 1, 2], np.int32), np.array([0.5, 1.0, -1.0], np.float32)
    e, w = np.array([1.0, 2, 3, 4], np.float32), np.array([1.0, 2, 0.5, 1], np.float32)
    total, weight = np.empty(3), np.empty(3)
    sum_over_nodes(node, e, w, h, total, weight)
    np.testing.assert_allclose(total, [1.5, 2 * 3 + 0.5 * 4, 3.0])
    np.testing.assert_allclose(weight, [1, 2.5, 1])
