"""Lists by the time that a user was away."""

from dataclasses import replace

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import leave_last_out
from tastemap.errors import ArgumentError
from tastemap.evaluation.by_gap import evaluate_by_gap
from tastemap.evaluation.evaluate import evaluate_ranking
from tastemap.models.registry import make_model


def test_lists_are_judged_by_the_time_since_the_rating_before(ratings: Ratings) -> None:
    """Users of an even row come back after a day; the last rating of everyone is the test."""
    train, test = leave_last_out(ratings)
    pause = np.where(test.user_index % 2 == 0, 86_400, 0)
    test = replace(test, timestamp=test.timestamp + pause)
    model = make_model("next-item", window=5).fit(train, progress=False)
    frame = evaluate_by_gap(model, test, threshold=1)
    assert frame["gap"].to_list() == ["within a minute", "over an hour", "all"]
    assert frame["users"].to_list() == [60, 60, 120]
    overall = evaluate_ranking(model, test, threshold=1)
    assert frame["ndcg"][2] == overall.filter(metric="ndcg")["value"].item()
    at_request = evaluate_by_gap(model, test, threshold=1, at_request=True)
    assert at_request["ndcg"][0] == pytest.approx(frame["ndcg"][0], abs=0.05)
    assert at_request["ndcg"][1] != frame["ndcg"][1]
    with pytest.raises(ArgumentError, match="test; expected ratings with timestamps"):
        evaluate_by_gap(model, replace(test, timestamp=None))
