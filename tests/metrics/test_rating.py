"""Each metric's test is a claim worked out by hand, then its properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, mean_squared_error

from tastemap.errors import ArgumentError
from tastemap.metrics.rating import mae, mse, rmse

ratings = st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=50)


def test_one_of_two_predictions_off_by_two_is_an_absolute_error_of_one() -> None:
    assert mae([5, 3], [3, 3]) == 1.0
    assert mse([5, 3], [3, 3]) == 2.0
    assert rmse([5, 3], [3, 3]) == pytest.approx(2**0.5)


@given(true=ratings, data=st.data())
def test_agree_with_scikit_learn(true: list[float], data: st.DataObject) -> None:
    predicted = data.draw(
        st.lists(st.floats(-10, 10, width=32), min_size=len(true), max_size=len(true))
    )
    assert mae(true, predicted) == pytest.approx(mean_absolute_error(true, predicted), abs=1e-9)
    assert mse(true, predicted) == pytest.approx(mean_squared_error(true, predicted), abs=1e-9)


@given(true=ratings)
def test_perfect_predictions_have_no_error_and_mae_is_at_most_rmse(true: list[float]) -> None:
    assert mae(true, true) == mse(true, true) == 0.0
    shifted = np.array(true) + np.arange(len(true))
    assert mae(true, shifted) <= rmse(true, shifted) + 1e-9


def test_a_column_against_a_row_is_refused() -> None:
    with pytest.raises(ArgumentError, match="equal length"):
        mae([4.0, 2.0], np.array([[4.0], [2.0]]))
    with pytest.raises(ArgumentError, match="at least 1"):
        rmse([], [])
