"""A deadline ends fits early; each model is then what it has learnt until there."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tastemap.data.ratings import Ratings
from tastemap.models.registry import make_model
from tastemap.support.deadline import Deadline, current, deadline, is_over


def test_a_loop_is_stopped_where_it_would_go_on() -> None:
    assert not is_over(1, 10), "without a deadline nothing ends"
    with deadline(0) as limit:
        assert not limit.is_over(10, 10), "it has done all"
        assert limit.stopped is None
        assert is_over(3, 10)
    assert limit.stopped == (3, 10)
    with deadline(1000) as limit:
        assert not is_over(3, 10)
        assert 990 < limit.seconds_left <= 1000
    assert current().seconds_left == float("inf")


def test_the_earliest_of_several_counts_and_all_around_are_told() -> None:
    with deadline(0) as outer:
        with deadline(1000) as inner:
            assert is_over(1, 2)
        assert inner.stopped == outer.stopped == (1, 2)
        with deadline() as fresh:
            assert fresh.stopped is None


def test_a_thread_asks_the_deadline_that_it_was_given() -> None:
    with deadline(0) as limit, ThreadPoolExecutor(1) as pool:
        assert not pool.submit(is_over, 1, 2).result(), "a context is of one thread"
        assert pool.submit(limit.is_over, 1, 2).result()
    assert isinstance(limit, Deadline)


KERAS = {"dot": {"batch_size": 256}, "two-tower": {"n_factors": 8}}


@pytest.mark.parametrize("name", ["mf", "als", "ials", "blend", "bayes", *KERAS])
def test_a_fit_without_time_does_one_iteration(name: str, ratings: Ratings) -> None:
    with deadline(0):
        model = make_model(name, **KERAS.get(name, {})).fit(ratings, progress=False)
    assert model.stopped_ is not None
    done, planned = model.stopped_
    assert (done, planned > 1) == (1, True)
    assert len(model.history_) <= 1
    assert len(model.recommend(5, k=3)) == 3
    if model.folds_in:
        assert len(model.recommend(ratings={1: 5.0, 3: 5.0}, k=3)) == 3


def test_early_stopping_leaves_time_for_the_fit_that_counts(ratings: Ratings) -> None:
    with deadline(0):
        model = make_model("mf", patience=2).fit(ratings, progress=False)
    assert model.stopped_ == (1, 20)


def test_a_fit_in_time_is_whole(ratings: Ratings) -> None:
    with deadline(1000):
        model = make_model("mf").fit(ratings, progress=False)
    assert model.stopped_ is None
    assert len(model.history_) == 20
    with deadline(0):
        model.fit(ratings, progress=False)
    assert model.stopped_ == (1, 20)
    assert model.fit(ratings, progress=False).stopped_ is None
