"""The k best of many scores against sorting, with ties, and a shortlist that must hold them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemap.kernels.top_k import best_rows, leave_out, shortlist


def listed(scores: np.ndarray, k: int, error: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The shortlists, one after the other, and where each ends."""
    rows, ends = np.empty(scores.size, np.int32), np.empty(len(scores), np.int64)
    shortlist(scores, np.full(len(scores), error), k, rows, ends)
    return rows[: ends[-1]], ends


def by_sorting(scores: np.ndarray, k: int) -> np.ndarray:
    rows = np.argsort(-scores, axis=1, kind="stable")[:, :k].astype(np.int32)
    return np.where(np.take_along_axis(scores, rows, 1) > -np.inf, rows, -1)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_items=st.sampled_from([1, 7, 255, 256, 257, 700, 1100]),
    k=st.sampled_from([1, 3, 10, 40, 300]),
    levels=st.sampled_from([2, 40, 100_000]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_the_best_are_those_of_sorting(
    seed: int, n_items: int, k: int, levels: int, dtype: type
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(-levels, levels, (3, n_items)).astype(dtype) / 8
    scores[rng.random(scores.shape) < 0.2] = -np.inf
    scores[2] = -np.inf if seed % 2 else 1.0
    k = min(k, n_items)
    rows, values = best_rows(scores, k)
    np.testing.assert_array_equal(rows, by_sorting(scores, k))
    kept = np.where(rows >= 0, np.take_along_axis(scores, rows.clip(0), 1), np.nan)
    np.testing.assert_array_equal(values, kept)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 20))
def test_a_shortlist_holds_the_best_of_what_is_off_by_the_error(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    exact = rng.normal(size=(4, 600))
    error = 0.05
    noisy = (exact + rng.uniform(-error, error, exact.shape)).astype(np.float32)
    rows, ends = listed(noisy, k, error * 1.001)
    for own, found in zip(by_sorting(exact, k), np.split(rows, ends[:-1]), strict=True):
        assert set(own) <= set(found)


def test_minus_zero_and_zero_are_equal() -> None:
    assert best_rows(np.array([[-0.0, 0.0, -1.0]], np.float32), 2)[0].tolist() == [[0, 1]]


def test_what_was_seen_is_left_out() -> None:
    scores = np.zeros((2, 3), np.float32)
    indptr, seen = np.array([0, 1, 1, 3]), np.array([0, 1, 2], np.int32)
    leave_out(scores, np.array([2, 1], np.int32), indptr, seen)
    assert (scores == -np.inf).tolist() == [[False, True, True], [False, False, False]]
