"""Checks of hyper-parameters: each function returns the value or raises `ArgumentError`."""

import inspect
import math
import numbers
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from tastemap.errors import ArgumentError


def whole_number(name: str, value: Any, at_least: int = 1) -> int:
    """A whole number, as a plain int (Keras refuses NumPy's integers).

    Example:
        >>> whole_number("n_factors", 64.0)
        64
    """
    if not is_number(value) or value != int(value) or value < at_least:
        expected = f"a whole number of at least {at_least}"
        raise ArgumentError(name, expected=expected, received=repr(value))
    return int(value)


def positive(name: str, value: Any) -> Any:
    """A finite number above 0."""
    if not is_number(value) or not value > 0:
        raise ArgumentError(name, expected="a number above 0", received=value)
    return value


def not_negative(name: str, value: Any) -> Any:
    """A finite number of at least 0."""
    if not is_number(value) or not value >= 0:
        raise ArgumentError(name, expected="a number of at least 0", received=value)
    return value


def share(name: str, value: Any, *, with_zero: bool = True, with_one: bool = True) -> Any:
    """A number from 0 to 1; either end may be excluded.

    Example:
        >>> share("dropout", 0.5, with_one=False)
        0.5
    """
    inside = is_number(value) and 0 <= value <= 1
    if not inside or (value == 0 and not with_zero) or (value == 1 and not with_one):
        start = "from 0" if with_zero else "above 0"
        expected = f"a number {start} to 1" if with_one else f"{start} to below 1"
        if not with_zero and not with_one:
            expected = "a share between 0 and 1"
        raise ArgumentError(name, expected=expected, received=value)
    return value


def choice(name: str, value: Any, options: tuple[Any, ...]) -> Any:
    """A value that is one of ``options``."""
    if value not in options:
        expected = " or ".join(map(repr, options))
        raise ArgumentError(name, expected=expected, received=repr(value))
    return value


def is_number(value: Any) -> bool:
    """Whether a value is a finite number, of Python or NumPy, and not a bool."""
    is_real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return is_real and math.isfinite(value)


def check_arguments(cls: type, arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that a constructor does not have, or that are of another type.

    Raises:
        ArgumentError: Naming the first of them.
    """
    parameters = inspect.signature(cls).parameters
    for name, value in arguments.items():
        if name not in parameters:
            options = ", ".join(parameters) or "no parameters"
            raise ArgumentError(f"parameters of {cls.__name__}", expected=options, received=name)
        kind = parameters[name].annotation
        kind = bool | Literal[0, 1] if kind is bool else kind  # Python takes them for the same
        try:
            msgspec.convert(value.item() if isinstance(value, np.generic) else value, kind)
        except msgspec.ValidationError as error:
            raise ArgumentError(
                f"{name} of {cls.__name__}", expected=str(error), received=repr(value)
            ) from error
