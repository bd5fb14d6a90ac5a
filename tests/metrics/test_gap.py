"""Metrics by the time since the interaction before."""

import numpy as np
import pytest

from tastemap.errors import ArgumentError
from tastemap.metrics.gap import by_gap, interval_of_share


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


def test_the_interval_of_a_share_solves_the_equation_of_its_score() -> None:
    """At each end the share lies 1.96 standard deviations of that end away; none is not certain."""
    share, n = np.array([0.0, 0.1, 0.9, 1.0]), np.full(4, 25.0)
    low, high = interval_of_share(share, n)
    for end in (low, high):
        inside = (end > 0) & (end < 1)
        deviation = np.sqrt(end * (1 - end) / n)
        assert (np.abs(share - end)[inside] / deviation[inside]).tolist() == pytest.approx(
            [1.959964] * inside.sum()
        )
    assert low[0] == 0
    assert high[0] > 0.1
    assert high[3] == 1
    assert low[3] < 0.9
