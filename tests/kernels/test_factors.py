"""The scores of all items against sums in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemap.kernels.factors import score_rows


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(0, 40), f=st.sampled_from([0, 1, 7, 16, 64]))
def test_a_score_is_the_sum_in_float64_rounded_once(seed: int, n: int, f: int) -> None:
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(n, 1 + f)).astype(np.float32), rng.normal(size=1 + f)
    x.flags.writeable = False  # as it is mapped from a file
    s = np.empty(n, np.float32)
    score_rows(x, w, s)
    exact = x[:, 0] + w[0] + x[:, 1:].astype(np.float64) @ w[1:]
    np.testing.assert_allclose(s, exact, rtol=6.0e-8, atol=1e-13)


def test_equal_rows_have_equal_scores() -> None:
    x = np.tile(np.random.default_rng(0).normal(size=(1, 65)).astype(np.float32), (999, 1))
    s = np.empty(len(x), np.float32)
    score_rows(x, np.linspace(-1, 1, 65), s)
    assert s.min() == pytest.approx(s.max(), abs=0)
