"""Cursors, and those of other questions."""

import pytest

from tastemap.errors import ArgumentError
from tastemap.serve.cursors import cursor_at, position_of


def test_a_cursor_belongs_to_its_question() -> None:
    assert position_of(None, ["drama", 1]) == 0
    assert position_of(cursor_at(40, ["drama", 1]), ["drama", 1]) == 40
    for wrong in (cursor_at(40, ["comedy", 1]), cursor_at(-1, ["drama", 1]), "x", "é"):
        with pytest.raises(ArgumentError, match="start without one"):
            position_of(wrong, ["drama", 1])
