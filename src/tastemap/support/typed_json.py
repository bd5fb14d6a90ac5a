"""JSON that was written by us and is read back: decoded to a declared type, or refused."""

import json
import math
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

# Ours has a handful of levels; a page or a report could not show what has many more.
MAX_LEVELS_OF_JSON = 32
# Other libraries that write JSON take no larger numbers.
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**64 - 1
MAX_CHARACTERS_OF_INTEGER = len(str(MIN_INTEGER))


def decode(text: bytes, kind: type[T], *, may_be_nan: frozenset[str] = frozenset()) -> T:
    """A JSON document as a value of a type, `msgspec.Struct` or dataclass.

    Python's decoder takes numbers that are none, names that come twice, and text that cannot be
    written again; here all of these are refused.

    Args:
        text: The document in UTF-8.
        kind: The type; names that it does not have are passed over.
        may_be_nan: Names at the top whose values may hold NaN and infinities.

    Raises:
        ValueError, RecursionError: If it is not such a document.

    Example:
        >>> decode(b'{"a": 1, "b": [2]}', dict[str, int | list[int]])
        {'a': 1, 'b': [2]}
    """
    document = json.loads(
        text.decode("utf-8"), object_pairs_hook=_object, parse_int=_integer, parse_float=_float
    )
    if isinstance(document, dict):
        for name, value in document.items():
            _check(name, finite=True)
            _check(value, finite=name not in may_be_nan)
    return msgspec.convert(document, kind)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{repeated!a} more than once")
    return members


def _integer(text: str) -> int:
    if len(text) > MAX_CHARACTERS_OF_INTEGER:
        raise ValueError(f"a whole number of {len(text)} characters")
    number = int(text)
    if not MIN_INTEGER <= number <= MAX_INTEGER:
        raise ValueError(f"{number}, which is not a number of 64 bits")
    return number


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:MAX_CHARACTERS_OF_INTEGER]}, which is too large a number")
    return number


def _check(value: Any, *, finite: bool, level: int = 1) -> None:
    """Refuse what cannot be written as JSON again, and numbers that are none."""
    if level > MAX_LEVELS_OF_JSON:
        raise ValueError(f"more than {MAX_LEVELS_OF_JSON} levels")
    if isinstance(value, str):
        value.encode("utf-8")  # a lone surrogate raises
    elif isinstance(value, float) and finite and not math.isfinite(value):
        raise ValueError(f"{value} in place of a number")
    elif isinstance(value, list):
        for element in value:
            _check(element, finite=finite, level=level + 1)
    elif isinstance(value, dict):
        for name, element in value.items():
            _check(name, finite=finite, level=level + 1)
            _check(element, finite=finite, level=level + 1)
