"""Sums and counts chunk by chunk are those of the whole; the damped mean by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.data import chunks as module
from tastemap.data.chunks import chunks, damped_mean, distinct, sums


def test_chunks_follow_each_other_to_the_end() -> None:
    assert list(chunks(7, 3)) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert list(chunks(6, 3)) == [slice(0, 3), slice(3, 6)]
    assert list(chunks(0, 3)) == []
    assert list(chunks(module.CHUNK_ROWS)) == [slice(0, module.CHUNK_ROWS)]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-9, 9)), max_size=40))
def test_sums_and_counts_do_not_depend_on_the_chunks(rows: list[tuple[int, int]]) -> None:
    index = np.array([group for group, _ in rows], dtype=np.int32)
    values = np.array([value for _, value in rows], dtype=np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK_ROWS", 7)
        total = sums(index, 5, lambda part: values[part])
        levels, counts = distinct(values)
    assert total.tolist() == [sum(v for g, v in rows if g == group) for group in range(5)]
    expected, n = np.unique(values, return_counts=True)
    assert (levels.tolist(), counts.tolist()) == (expected.tolist(), n.tolist())


def test_the_damped_mean_by_hand() -> None:
    total, counts = np.array([9.0, 5.0, 0.0]), np.array([2, 1, 0])
    # (9 + 2 * 3) / 4, (5 + 2 * 3) / 3, (0 + 2 * 3) / 2
    assert damped_mean(total, counts, 2.0, 3.0).tolist() == [3.75, 11 / 3, 3.0]
    assert damped_mean(total, counts, 0.0).tolist() == [4.5, 5.0, 0.0]
    assert damped_mean(total, counts, 0.0, np.nan)[:2].tolist() == [4.5, 5.0]
    assert np.isnan(damped_mean(total, counts, 0.0, np.nan)[2])
