from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tastemap.errors import ArgumentError
from tastemap.models.base.validation import (
    check_arguments,
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
        (lambda: share("x", 1, with_one=False), "from 0 to below 1"),
        (lambda: share("x", 0, with_zero=False, with_one=False), "a share between 0 and 1"),
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


class Made:
    """A constructor with every kind of parameter that models have."""

    def __init__(
        self,
        n: int | None = None,
        reg: float = 1.0,
        side: bool = True,
        models: str | Sequence[str] | Mapping[str, Mapping[str, Any]] = (),
        loss: Any = None,
    ) -> None: ...


@pytest.mark.parametrize(
    "arguments",
    [
        *({}, {"n": None}, {"n": 3}, {"n": np.int64(3)}, {"reg": 2}, {"reg": np.float32(0.5)}),
        *({"side": False}, {"side": 1}, {"models": "a,b"}, {"models": ["a"]}),
        *({"models": {"a": {"b": 1}}}, {"loss": [len]}),
    ],
    ids=str,
)
def test_arguments_of_a_constructor(arguments: dict[str, Any]) -> None:
    check_arguments(Made, arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        *({"n": "3"}, {"n": 0.5}, {"n": True}, {"reg": "1"}, {"reg": None}, {"side": "yes"}),
        *({"side": 2}, {"models": 1}, {"models": {"a": 1}}, {"other": 1}, {"self": 1}),
    ],
    ids=str,
)
def test_other_arguments_are_refused_by_name(arguments: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=f"{next(iter(arguments))}.*Made|Made.*expected n, reg"):
        check_arguments(Made, arguments)
