"""JSON of ours that is read back: what it is declared to be, or an error."""

import json
import math
from typing import Any

import msgspec
import pytest

from tastemap.support.typed_json import MAX_INTEGER, MAX_LEVELS_OF_JSON, MIN_INTEGER, decode


class Pair(msgspec.Struct):
    name: str
    number: float | None = None


def test_a_document_becomes_a_value_of_its_type() -> None:
    pair = decode('{"name": "né ☃", "number": 2, "more": [1]}'.encode(), Pair)
    assert (pair.name, pair.number) == ("né ☃", 2.0)
    assert decode(b'{"name": "a"}', Pair).number is None


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"[]", b"7", b"{", b"\xff", b'{"name": 1}', b'{"number": 1}', b"[" * 100_000),
        *(b'{"name": "a", "name": "b"}', b'{"name": "a", "more": {"b": 1, "b": 2}}'),
        *(b'{"name": "a", "number": NaN}', b'{"name": "a", "number": -Infinity}'),
        *(b'{"name": "a", "number": 1e999}', b'{"name": "a", "more": 1e999}'),
        *(
            b'{"name": "\\ud800"}',
            b'{"name": "a", "\\ud800": 1}',
            b'{"name": "a", "m": ["\\ud800"]}',
        ),
        b'{"name": "a", "number": ' + b"9" * 5000 + b"}",
        b'{"name": "a", "more": ' + b"9" * 20 + b"}",
        b'{"name": "a", "more": ' + b"[" * 40 + b"]" * 40 + b"}",
    ],
    ids=range(20),
)
def test_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        decode(text, Pair)


def test_numbers_that_are_none_pass_where_they_may() -> None:
    text = b'{"errors": {"auc": NaN}, "scale": 1}'
    read = decode(text, dict[str, Any], may_be_nan=frozenset({"errors"}))
    assert math.isnan(read["errors"]["auc"])
    with pytest.raises(ValueError, match="nan in place of a number"):
        decode(text, dict[str, Any], may_be_nan=frozenset({"scale"}))


def test_the_largest_numbers_and_the_deepest_levels() -> None:
    deepest = "[" * (MAX_LEVELS_OF_JSON - 1) + "]" * (MAX_LEVELS_OF_JSON - 1)
    text = json.dumps({"a": [MIN_INTEGER, MAX_INTEGER], "b": json.loads(deepest)})
    assert decode(text.encode(), dict[str, Any])["a"] == [MIN_INTEGER, MAX_INTEGER]
    for number in (MIN_INTEGER - 1, MAX_INTEGER + 1):
        with pytest.raises(ValueError, match="64 bits"):
            decode(json.dumps([number]).encode(), list[int])
