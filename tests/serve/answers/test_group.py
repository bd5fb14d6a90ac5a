"""Picks for several people."""

import numpy as np
import pytest

from tastemap.errors import ArgumentError
from tastemap.serve.service import Service


def test_a_group_is_served_by_its_least_happy_member(service: Service) -> None:
    members = {"ann": {"2": 5.0, "1": 1.0}, "ben": {"1": 5.0, "4": 1.0}}
    for method, join in (("least_misery", min), ("average", np.mean)):
        picks = service.group(members, method=method, k=5).picks
        scores = [pick.item.score for pick in picks]
        assert scores == sorted(scores, reverse=True)
        for pick in picks:
            assert pick.item.score == pytest.approx(join(pick.predictions), rel=1e-6)
            assert pick.item.item_id not in {1, 2, 4}
            assert "ann" in pick.reason or "ben" in pick.reason
    with pytest.raises(ArgumentError, match="method"):
        service.group(members, method="most")
    with pytest.raises(ArgumentError, match="at least one"):
        service.group({})


def test_without_ratings_the_shares_of_items_that_suit_less_are_compared(clicks: Service) -> None:
    members = {"ann": {"2": 1.0, "4": 1.0}, "ben": {"1": 1.0}, "new": {}}
    for method, join in (("least_misery", min), ("average", np.mean)):
        picks = clicks.group(members, method=method, k=5).picks
        assert len(picks) == 5
        for pick in picks:
            assert pick.item.score == pytest.approx(join(pick.predictions), rel=1e-6)
            assert pick.item.item_id not in {1, 2, 4}
            assert "% of all" in pick.reason
    (alone,) = clicks.group({"ann": members["ann"]}, k=1).picks
    assert alone.predictions[0] > 0.9
    assert alone.reason.startswith("suits ann better than 9")
