"""Lists by the time that a user was away."""

from dataclasses import replace

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import forecast_split, leave_last_out
from tastemap.errors import ArgumentError
from tastemap.evaluation.by_gap import evaluate_by_gap, gaps_before, is_next
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


def test_the_next_rating_is_one_later_rating_of_each_user(ratings: Ratings) -> None:
    train, test = leave_last_out(ratings)
    assert is_next(train, test)
    assert is_next(train, test.take(test.user_index > 3)), "some users are enough"
    assert not is_next(train, replace(test, timestamp=None))
    assert not is_next(train, replace(test, timestamp=np.zeros_like(test.timestamp)))
    assert not is_next(train.take(train.user_index > 0), test), "a user has no rating before"
    assert not is_next(train, test.take(np.zeros(0, dtype=int)))
    assert not is_next(*forecast_split(ratings))


def test_a_gap_is_the_time_since_the_last_training_rating(ratings: Ratings) -> None:
    train, test = leave_last_out(ratings)
    gap = gaps_before(train, test)
    user = int(test.user_index[0])
    latest = train.timestamp[train.user_index == user].max()
    assert gap[user] == test.timestamp[0] - latest
    gap = gaps_before(train, replace(test, timestamp=test.timestamp - 10**8))
    assert np.isnan(gap).all(), "a test rating that is older has none"
