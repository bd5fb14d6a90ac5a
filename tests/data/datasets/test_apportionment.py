"""Numbers in proportion keep their bounds and their sum; resampled tables keep their mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.data.datasets.apportionment import allot, resample


@given(st.data())
def test_allotted_numbers_keep_bounds_and_sum(data: st.DataObject) -> None:
    most = np.array(data.draw(st.lists(st.integers(0, 30), min_size=1, max_size=8)))
    least = np.array([data.draw(st.integers(0, n)) for n in most])
    total = data.draw(st.integers(int(least.sum()), int(most.sum())))
    weights = np.array([data.draw(st.floats(1e-6, 1e6)) for _ in most])
    counts = allot(total, weights, least, most)
    assert counts.sum() == total
    assert (least <= counts).all()
    assert (counts <= most).all()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_a_resampled_table_has_the_same_mean(rows: int, columns: int, m: int, n: int) -> None:
    table = np.random.default_rng(0).normal(size=(rows, columns))
    small = resample(table, (m, n))
    assert small.shape == (m, n)
    assert small.mean() == pytest.approx(table.mean())
