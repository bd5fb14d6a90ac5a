"""The scale: its levels, what is liked on it, and quantiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.data.scale import Scale, check_scale, tails
from tastemap.errors import ArgumentError, DataError


@pytest.mark.parametrize(
    ("values", "scale", "levels"),
    [
        ([1, 5, 3, 4], Scale(1, 5, 1), [1, 2, 3, 4, 5]),
        ([0.5, 5, 4.5], Scale(0.5, 5, 0.5), list(np.arange(0.5, 5.1, 0.5))),
        ([0, 1], Scale(0, 1, 1), [0, 1]),
        ([-1, 1], Scale(-1, 1, 2), [-1, 1]),
        ([3, 3], Scale(3, 3, None), [3]),
        ([1, 2.5, 3.25, 3.303], Scale(1, 3.303, None), None),
        ([1, 3, 6], Scale(1, 6, 1), [1, 2, 3, 4, 5, 6]),
        ([-10, -9.97, 10], Scale(-10, 10, None), None),
        ([0, 1.8e-43], Scale(0, 1.8e-43, None), None),
        ([0, 1, 3e38], Scale(0, 3e38, None), None),
    ],
)
def test_the_scale_is_read_off_the_values(values, scale, levels) -> None:
    found = Scale.infer(np.array(values, dtype=np.float32).astype(float))
    assert (found.lowest, found.highest) == pytest.approx((scale.lowest, scale.highest))
    assert found.step == (None if scale.step is None else pytest.approx(scale.step))
    assert levels is None if found.levels is None else found.levels == pytest.approx(levels)


@given(st.lists(st.integers(1, 10), min_size=1), st.sampled_from([0.5, 1.0, 2.0]))
def test_every_value_is_a_level(numbers: list[int], step: float) -> None:
    values = np.array(numbers) * step
    levels = Scale.infer(values).levels
    assert levels is not None
    assert np.isin(values, levels).all()


def test_union_of_scales() -> None:
    assert Scale(1, 5, 1).union(Scale(0.5, 4, 0.5)) == Scale(0.5, 5, 0.5)
    assert Scale(1, 5, 1).union(Scale(3, 3, None)) == Scale(1, 5, 1)
    assert Scale(1, 5, 1).union(Scale(0, 4, None)) == Scale(0, 5, None)


@given(st.lists(st.sampled_from([0.5, 1, 1.5, 2, 7.25, 9]), min_size=1, max_size=60))
def test_the_scale_is_found_slice_by_slice(values: list[float]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tastemap.data.scale.CACHE_ROWS", 7)
        scale = Scale.infer(np.array(values, dtype=np.float32))
    assert scale == Scale.infer(np.unique(values))


def test_a_scale_needs_a_rating() -> None:
    with pytest.raises(DataError, match="expected at least one rating; received none"):
        Scale.infer(np.array([]))


def test_the_upper_quarter_is_liked_unless_a_threshold_is_given() -> None:
    ratings = np.array([1, 3.5, 4, 4.5, 5], dtype=np.float32)
    assert Scale(1, 5, 0.5).liked(ratings).tolist() == [False, False, True, True, True]
    assert Scale(1, 5, 0.5).liked(ratings, 5).tolist() == [False, False, False, False, True]
    assert Scale(1, 5, 0.5).liked(ratings).dtype == np.bool_
    # A quarter of a scale from -10 to 10 is 5 wide.
    assert Scale(-10, 10).liked(np.array([4.9, 5.0])).tolist() == [False, True]


def test_the_tails_of_a_central_interval_by_hand() -> None:
    assert tails(0.8) == pytest.approx((0.1, 0.9))
    with pytest.raises(ArgumentError, match="mass; expected strictly between 0 and 1; received 1"):
        tails(1)


@pytest.mark.parametrize(
    "scale", [(1, 5, 0), (1, 5, -1), (5, 1, None), (1, 5, 1e-300), (1, float("nan"), None)]
)
def test_a_scale_from_a_file_that_is_none(scale: tuple[float, float, float | None]) -> None:
    with pytest.raises(ValueError, match="a scale"):
        check_scale(Scale(*scale))


@pytest.mark.parametrize("scale", [(1, 5, 1), (3, 3, None), (-1e38, 1e38, None), (0, 99, 0.01)])
def test_a_scale_from_a_file(scale: tuple[float, float, float | None]) -> None:
    check_scale(Scale(*scale))
