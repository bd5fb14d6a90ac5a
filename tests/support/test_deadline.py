"""A deadline ends fits early; each model is then what it has learnt until there."""

from concurrent.futures import ThreadPoolExecutor

import polars as pl
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


def table(users: list[int], items: list[int], rating: list[float]) -> Ratings:
    return Ratings.from_frame(pl.DataFrame({"user_id": users, "item_id": items, "rating": rating}))


ROWS = [*range(1, 31)]
VALUES = [float(row % 5 + 1) for row in ROWS]
SHAPES = {
    "one user": table([1] * 30, ROWS, VALUES),
    "one item": table(ROWS, [1] * 30, VALUES),
    "one rating": table([1], [1], [3.0]),
    "one rating each": table(ROWS, ROWS, VALUES),
    "equal ratings": table(ROWS, [row % 6 for row in ROWS], [3.0] * 30),
    "a continuous scale": table(ROWS, [row % 6 for row in ROWS], [0.37 * row**2 for row in ROWS]),
}
# Each fit of a network takes a second or more to compile.
KERAS = ("dot", "two-tower", "sasrec")


@pytest.mark.parametrize("name", ["mf", "als", "ials", "blend", "bayes", *KERAS])
def test_a_fit_without_time_does_one_iteration_on_any_shape(name: str, ratings: Ratings) -> None:
    shapes = {"usual": ratings, **SHAPES}
    for shape in ["one user"] if name in KERAS else shapes:
        with deadline(0):
            model = make_model(name).fit(shapes[shape], progress=False)
        assert model.stopped_ is not None, shape
        done, planned = model.stopped_
        assert (done, planned > 1) == (1, True), shape
        assert len(model.history_) <= 1
        user, item = (ids.ids[0] for ids in (model.ratings_.users, model.ratings_.items))
        answer = model.recommend(user, k=1, exclude_seen=False)
        assert answer["score"].is_finite().all(), shape
        if model.folds_in:
            rated = {item: model.ratings_.scale.highest}
            assert len(model.recommend(ratings=rated, k=1, exclude_seen=False)) == 1, shape


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
