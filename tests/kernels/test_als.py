"""Conjugate gradients for all rows against forming and solving each system."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import twins_fast as twins
from tastemap.kernels import als
from tastemap.kernels.als import solve_all, solve_rows


def drawn(seed: int, f: int, implicit: bool) -> list[np.ndarray]:
    """Six rows with up to nine ratings each, of five rows on the other side."""
    rng = np.random.default_rng(seed)
    indptr = np.concatenate([[0], np.cumsum(rng.integers(0, 10, 6))])
    n = indptr[-1]
    fixed = rng.normal(size=(5, f)).astype(np.float32)
    gram = 0.3 * fixed.T @ fixed if implicit else np.zeros((0, 0), np.float32)
    index, target = rng.integers(0, 5, n).astype(np.int32), rng.normal(size=n)
    ridges = rng.uniform(0.2, 2.0, (2, 6)).astype(np.float32)
    c = rng.uniform(0, 5, n if implicit and seed % 2 else 0).astype(np.float32)
    return [indptr, index, target.astype(np.float32), c, fixed, gram, *ridges]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), f=st.sampled_from([1, 2, 8, 17]), implicit=st.booleans())
def test_equals_its_slow_twin(seed: int, f: int, implicit: bool) -> None:
    arrays = drawn(seed, f, implicit)
    weights = np.random.default_rng(seed).normal(size=(6, f)).astype(np.float32)
    solve_rows(*arrays, weights, 60, 1e-12)
    np.testing.assert_allclose(weights, twins.solve_rows(*arrays), rtol=2e-3, atol=2e-4)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), implicit=st.booleans(), few=st.integers(1, 50))
def test_the_parts_of_threads_are_the_whole(seed: int, implicit: bool, few: int) -> None:
    arrays = drawn(seed, 8, implicit)
    alone, together = np.ones((2, 6, 8), np.float32)
    solve_rows(*arrays, alone, 3, 0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(als, "MIN_RATINGS_PER_PART", few)
        patch.setattr(als, "get_num_threads", lambda: 2)
        solve_all(*arrays, together, 3, 0.0)
    np.testing.assert_array_equal(together, alone)


def test_no_direction_improves_the_solution() -> None:
    """The objective's gradient by finite differences is zero at the solution."""
    indptr, index, target, c, fixed, gram, ridge, first = drawn(3, 4, implicit=True)
    weights = np.zeros((6, 4), np.float32)
    solve_rows(indptr, index, target, c, fixed, gram, ridge, first, weights, 60, 1e-12)
    for u in range(6):
        Y, t, C = (a[indptr[u] : indptr[u + 1]] for a in (fixed[index], target, c))

        def objective(w: np.ndarray, Y=Y, t=t, C=C, u=u) -> float:
            penalty = first[u] * w[0] ** 2 + ridge[u] * w[1:] @ w[1:]
            return C @ (t - Y @ w) ** 2 + w @ gram @ w + penalty

        w, h = weights[u].astype(float), 1e-4
        slope = [(objective(w + h * d) - objective(w - h * d)) / (2 * h) for d in np.eye(4)]
        np.testing.assert_allclose(slope, 0, atol=2e-3)


def test_each_step_comes_nearer() -> None:
    arrays = drawn(5, 8, implicit=True)
    exact, distance = twins.solve_rows(*arrays), []
    for steps in range(5):
        weights = np.ones((6, 8), np.float32) * (np.diff(arrays[0]) > 0)[:, None]
        solve_rows(*arrays, weights, steps, 0.0)
        distance.append(np.linalg.norm(weights - exact))
    assert distance == sorted(distance, reverse=True)
    assert distance[0] > 2 * distance[-1]


def test_a_row_without_ratings_is_zero() -> None:
    none = np.zeros(0, np.float32)
    weights = np.ones((1, 2), np.float32)
    indptr, ridge = np.zeros(2, np.int64), np.ones(1, np.float32)
    gram = np.zeros((0, 0), np.float32)
    solve_rows(
        indptr,
        none.astype(np.int32),
        none,
        none,
        np.ones((3, 2), np.float32),
        gram,
        ridge,
        ridge,
        weights,
        3,
        0,
    )
    assert weights.tolist() == [[0, 0]]


def test_one_rating_by_hand() -> None:
    # (y^2 + lambda) w = t y with y = 2, t = 5, lambda = 1: w = 10 / 5.
    weights = np.zeros((1, 1), np.float32)
    five, two, one = (np.array([x], np.float32) for x in (5, 2, 1))
    index = np.zeros(1, np.int32)
    gram = np.zeros((0, 0), np.float32)
    solve_rows(
        np.array([0, 1]), index, five, one[:0], two[:, None], gram, one, one, weights, 1, 0.0
    )
    assert weights[0, 0] == pytest.approx(2)


def test_a_residual_whose_square_is_no_number_any_more_ends_the_row() -> None:
    """Of a direction so small, d . A d is 0 in float32, and a step would divide by it."""
    index, small, one = np.zeros(1, np.int32), np.float32(1e-22), np.ones(1, np.float32)
    weights, gram = np.zeros((1, 1), np.float32), np.zeros((0, 0), np.float32)
    ridge = np.array([1e-3], np.float32)
    arrays = (np.array([0, 1]), index, one, one[:0], np.array([[small]]), gram, ridge, ridge)
    solve_rows(*arrays, weights, 3, 0.0)
    assert np.isfinite(weights).all()


@pytest.mark.slow
def test_one_thread_and_two_give_the_same_bits() -> None:
    code = """
import hashlib
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.models.registry import make_model
data = synthetic_ratings(600, 300, 20_000)
for name in ("mf", "als", "ials", "knn"):
    arrays = make_model(name).fit(data, progress=False)._arrays()
    print(hashlib.sha256(b"".join(a.tobytes() for a in arrays.values())).hexdigest())
"""
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"NUMBA_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in "12"
    }
    assert len(printed) == 1
    assert len(printed.pop().split()) == 4
