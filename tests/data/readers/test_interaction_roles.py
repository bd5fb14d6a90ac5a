"""Columns of tables without ratings, by their names or what is in them."""

import pytest

from tastemap.data.readers.interaction_roles import find_interaction_columns
from tastemap.errors import ArgumentError, DataError

TIMES = ["1433221332", "1433221333"]


def columns(*names: str, named: bool = True, **chosen: str) -> dict[str, str]:
    sample = {name: TIMES if name == "when?" else ["1", "2"] for name in names}
    return find_interaction_columns("t", chosen, sample, named=named)[0]


def test_names_tell_each_role() -> None:
    assert columns("sessionId", "track", "playcount", "action", "ts") == {
        "user": "sessionId",
        "item": "track",
        "timestamp": "ts",
        "event": "action",
        "weight": "playcount",
    }
    assert columns("user", "item", "price") == {"user": "user", "item": "item"}


def test_likes_come_before_counts() -> None:
    assert columns("user", "item", "n", "liked")["weight"] == "liked"


def test_none_reads_no_such_column() -> None:
    left = columns("user", "item", "plays", "time", weight="none", timestamp="none")
    assert left == {"user": "user", "item": "item"}


def test_without_names_the_order_and_the_values_tell() -> None:
    roles = columns("a", "b", "when?", "c", named=False)
    assert roles == {"user": "a", "item": "b", "timestamp": "when?", "weight": "c"}


def test_what_is_not_clear_is_asked_for() -> None:
    with pytest.raises(DataError, match="name them: user='NAME', item='item'"):
        columns("who", "item")
    with pytest.raises(DataError, match="column x; expected one of its columns user, item"):
        columns("user", "item", weight="x")
    with pytest.raises(ArgumentError, match="user and weight; expected different columns"):
        columns("user", "item", user="user", weight="user")


def test_columns_that_are_not_read_are_named() -> None:
    sample = {"user": ["a"], "item": ["x"], "title": ["X"], "opinion": ["good"]}
    _, notes = find_interaction_columns("t", {}, sample, named=True)
    assert notes[-1] == "columns that are not read: opinion"
