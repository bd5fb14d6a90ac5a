"""Metrics by the time since the interaction before."""

import numpy as np
import pytest

from tastemap.errors import ArgumentError
from tastemap.metrics.gap import by_gap


def test_each_user_is_in_the_class_of_the_gap() -> None:
    gap = np.array([0.0, 1.0, 60.0, 61.0, 3600.0, 3601.0, np.nan, 1e9])
    frame = by_gap(gap, {"place": np.arange(8.0)})
    classes = frame.select("gap", "users", "place").rows()
    assert classes == [
        ("same second", 1, 0.0),
        ("within a minute", 2, 1.5),
        ("within an hour", 2, 3.5),
        ("over an hour", 2, 6.0),
        ("unknown", 1, 6.0),
        ("all", 8, 3.5),
    ]
    assert frame["share"].to_list() == [1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8, 1.0]


def test_classes_without_a_user_are_left_out_and_impossible_gaps_refused() -> None:
    assert by_gap(np.array([7.0]), {})["gap"].to_list() == ["within a minute", "all"]
    with pytest.raises(ArgumentError, match=r"gap; expected at least 0 seconds; received -1\.0"):
        by_gap(np.array([np.nan, -1.0]), {})
    with pytest.raises(ArgumentError, match=r"equal lengths; received \[1, 2\]"):
        by_gap(np.zeros(2), {"hit": np.ones(1)})
