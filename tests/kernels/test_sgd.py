"""Stochastic gradient descent against its slow twin and against finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import twins_fast as twins
from tastemap.kernels.sgd import sgd_epoch, squared_error


def drawn(seed: int, n: int, f: int) -> list[np.ndarray]:
    """Ratings of five users and four items, and weights for them."""
    rng = np.random.default_rng(seed)
    index = [rng.integers(0, size, n).astype(np.int32) for size in (5, 4)]
    shapes = [(n,), (5,), (4,), (5, f), (4, f)]
    return index + [rng.normal(0, 0.5, shape).astype(np.float32) for shape in shapes]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(0, 30), f=st.sampled_from([1, 3, 16, 33]))
def test_equals_its_slow_twin(seed: int, n: int, f: int) -> None:
    fast, slow = drawn(seed, n, f), [a.astype(np.float64) for a in drawn(seed, n, f)]
    slow[:2] = fast[:2]
    before = twins.sgd_epoch(*(a.copy() for a in slow[:3]), *slow[3:], 0.05, 0.1, 0.02)
    assert sgd_epoch(*fast, 0.05, 0.1, 0.02) == pytest.approx(before, rel=1e-4, abs=1e-5)
    for a, b in zip(fast[3:], slow[3:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_step_is_the_gradient_by_finite_differences() -> None:
    rng = np.random.default_rng(0)
    f, eta, h = 3, 1e-3, 1e-6
    w = rng.normal(0, 1, 2 + 2 * f)  # b_u, b_i, p, q in one vector

    def loss(v: np.ndarray) -> float:
        return twins.sgd_loss(1.5, v[0], v[1], v[2 : 2 + f], v[2 + f :], 0.1, 0.02)

    gradient = np.array([(loss(w + h * d) - loss(w - h * d)) / (2 * h) for d in np.eye(len(w))])
    one, row = np.zeros(1, np.int32), w.astype(np.float32)
    b_u, b_i, p, q = row[:1].copy(), row[1:2].copy(), row[None, 2 : 2 + f].copy(), None
    q = row[None, 2 + f :].copy()
    sgd_epoch(one, one, np.array([1.5], np.float32), b_u, b_i, p, q, eta, 0.1, 0.02)
    stepped = np.concatenate([b_u, b_i, p[0], q[0]])
    np.testing.assert_allclose((stepped - row) / eta, -gradient, rtol=1e-2, atol=2e-3)


def test_without_steps_the_error_met_is_the_error_left() -> None:
    arrays = drawn(1, 20, 16)
    assert sgd_epoch(*arrays, 0.0, 0.1, 0.1) == pytest.approx(squared_error(*arrays), rel=1e-6)


def test_a_perfect_fit_without_penalty_stays() -> None:
    one = np.zeros(1, np.int32)
    b_u, b_i, p, q = (np.ones(shape, np.float32) for shape in ((1,), (1,), (1, 2), (1, 2)))
    assert sgd_epoch(one, one, np.array([4], np.float32), b_u, b_i, p, q, 0.1, 0.0, 0.0) == 0
    assert np.concatenate([b_u, b_i, p[0], q[0]]).tolist() == [1] * 6


def test_divergence_is_seen() -> None:
    arrays = drawn(2, 30, 4)
    for _ in range(60):
        total = sgd_epoch(*arrays, 50.0, 0.0, 0.0)
    assert not np.isfinite(total)
