"""The weights of events by their kind."""

import pytest

from tastemap.data.readers.event_weights import lacking_events, weights_of_kinds
from tastemap.errors import ArgumentError

COUNTS = [(kind, 9 - place) for place, kind in enumerate("abcdefgh")]


def test_each_weighs_one_unless_said_and_the_most_frequent_are_listed() -> None:
    weights, note = weights_of_kinds(COUNTS, None)
    assert set(weights.values()) == {1.0}
    assert note.startswith("events a (9), b (8), c (7), d (6), e (5), f (4) …: each weighs 1")


def test_a_kind_without_a_weight_is_named_with_the_call_that_mends_it() -> None:
    with pytest.raises(ArgumentError, match=r"none for 'b'; event_weights=\{'a': 2, 'b': 1\}"):
        weights_of_kinds(COUNTS[:2], {"a": 2.0, "z": 1.0})
    assert "name it: event=..." in str(lacking_events(["user", "item"]))
