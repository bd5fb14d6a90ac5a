"""Sums of residuals against their slow twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import twins_fast as twins
from tastemap.kernels.biases import residual_sums


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(0, 30))
def test_equals_its_slow_twin(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    index, other = (rng.integers(0, size, n).astype(np.int32) for size in (5, 4))
    rating, bias, totals = rng.normal(3, 1, n).astype(np.float32), rng.normal(size=4), np.zeros(5)
    squares = residual_sums(index, other, rating, 2.5, bias, totals)
    expected, expected_squares = twins.residual_sums(index, other, rating, 2.5, bias, 5)
    np.testing.assert_allclose(totals, expected)
    assert squares == pytest.approx(expected_squares)
