"""Arrays taken out of an artifact."""

import numpy as np
import pytest

from tastemap.models.base.arrays import refuse_rest, take


def test_an_array_is_taken_out() -> None:
    arrays = {"a": np.ones((2, 3), np.float32), "half": np.ones(2, np.float16)}
    assert take(arrays, "a", 2, None).shape == (2, 3)
    assert take(arrays, "half", 2).dtype == np.float32
    assert not arrays
    assert take({"none": np.ones((2, 0))}, "none", 2, 0).size == 0
    refuse_rest(arrays)


def test_half_precision_may_stay_and_is_checked_by_its_bits() -> None:
    half = np.array([-65504, 0, 6e-8], np.float16)
    taken = take({"half": half}, "half", 3, widened=False)
    assert np.shares_memory(taken, half)
    for value in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match="no numbers"):
            take({"half": np.array([1, value], np.float16)}, "half", 2, widened=False)


def test_values_are_as_large_as_their_products_may_be() -> None:
    assert take({"large": np.full(9, -1e15)}, "large", 9).max() == -1e15
    with pytest.raises(ValueError, match="numbers of at most 1e"):
        take({"large": np.array([0, 2e15])}, "large", 2)


@pytest.mark.parametrize(
    "array",
    [
        *(np.ones(2), np.ones((3, 1)), np.ones(()), np.ones(3, np.int64), np.ones(3, bool)),
        *(
            np.array([1, np.nan, 2]),
            np.array([1, np.inf, 2]),
            np.array([-np.inf, 0, 0], np.float16),
        ),
    ],
    ids=range(8),
)
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"^weights (of type|with values)"):
        take({"weights": array}, "weights", 3)


def test_a_missing_array_and_an_array_of_no_model() -> None:
    with pytest.raises(KeyError, match="weights"):
        take({}, "weights", 3)
    with pytest.raises(ValueError, match="does not have: more"):
        refuse_rest({"more": np.ones(1)})
