import numpy as np
import pytest

from tastemap.errors import ArgumentError
from tastemap.models.base.validation import (
    choice,
    not_negative,
    positive,
    share,
    whole_number,
)


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3)])
def test_a_whole_number_of_any_type_becomes_a_plain_int(value: object) -> None:
    assert whole_number("n", value) == 3
    assert type(whole_number("n", value)) is int


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3", None, float("nan"), float("inf")])
def test_what_is_no_whole_number_is_named(value: object) -> None:
    with pytest.raises(ArgumentError, match="n_factors; expected a whole number of at least 1"):
        whole_number("n_factors", value)


def test_the_ends_belong_to_a_range_where_they_are_allowed() -> None:
    assert [share("x", value) for value in (0, 0.5, 1)] == [0, 0.5, 1]
    assert whole_number("x", 0, at_least=0) == not_negative("x", 0) == 0
    for call, message in (
        (lambda: share("x", 1, one=False), "from 0 to below 1"),
        (lambda: share("x", 0, zero=False, one=False), "a share between 0 and 1"),
        (lambda: share("x", 1.01), "a number from 0 to 1"),
        (lambda: positive("x", 0), "a number above 0"),
        (lambda: positive("x", "1"), "a number above 0"),
        (lambda: not_negative("x", -0.1), "a number of at least 0"),
        (lambda: not_negative("x", np.inf), "a number of at least 0"),
    ):
        with pytest.raises(ArgumentError, match=f"x; expected {message}"):
            call()


def test_a_choice_is_one_of_the_options() -> None:
    assert choice("time", None, (None, "session")) is None
    with pytest.raises(ArgumentError, match="time; expected None or 'session'; received 'day'"):
        choice("time", "day", (None, "session"))
