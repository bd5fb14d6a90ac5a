"""Choosing a model within a time: who wins, who is left out, and that nothing else is looked at."""

from dataclasses import replace

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.errors import ArgumentError
from tastemap.evaluation import choose as choosing
from tastemap.evaluation.choose import (
    GOALS,
    MODELS_OF_INTERACTIONS,
    choose,
    fitting_goal,
    fitting_split,
    judged_users,
    order_notes,
    usual_models,
)


def test_the_best_on_held_out_ratings_is_chosen(ratings: Ratings) -> None:
    choice = choose(ratings, ["bias", "knn", "als"])
    best = choice.frame.row(0, named=True)
    assert choice.chosen == best["model"] != "bias"
    assert best["rmse"] == choice.frame["rmse"].min()
    assert choice.baseline == "bias"
    assert best["low"] <= best["difference"] <= best["high"] < 0


def test_lists_are_judged_by_ndcg(ratings: Ratings) -> None:
    choice = choose(ratings, ["popularity", "ease"], goal="lists")
    assert (choice.chosen, choice.metric) == ("ease", "ndcg")
    assert choice.frame["ndcg"].is_sorted(descending=True)


def test_the_same_seed_chooses_by_the_same_numbers(ratings: Ratings) -> None:
    one, two = (choose(ratings, ["bias", "mf"], seed=3) for _ in range(2))
    assert one.frame["rmse"].to_list() == two.frame["rmse"].to_list()


def test_without_time_only_the_baseline_is_fitted(ratings: Ratings) -> None:
    choice = choose(ratings, ["bias", "knn", "mf"], seconds=1e-6)
    assert choice.chosen == "bias"
    left_out = choice.frame.filter(model="mf").row(0, named=True)
    assert (left_out["state"], left_out["note"]) == ("skipped", "no time was left")


def test_the_latest_ratings_judge_where_times_are_known(ratings: Ratings) -> None:
    assert ratings.timestamp is not None
    name, (train, test) = fitting_split(ratings, "ratings", 0.2, seed=0)
    assert name == "forecast"
    assert len(train) + len(test) == len(ratings)
    for user in range(5):
        before = train.timestamp[train.user_index == user]
        after = test.timestamp[test.user_index == user]
        assert before.max() <= after.min()


def test_without_times_a_part_is_drawn_at_random(ratings: Ratings) -> None:
    untimed = replace(ratings, timestamp=None)
    assert fitting_split(untimed, "ratings", 0.2, seed=0)[0] == "random"
    assert fitting_split(untimed, "lists", 0.2, seed=0)[0] == "per-user"


@pytest.mark.parametrize("wrong", [{"goal": "fame"}, {"seconds": 0}, {"models": ["no-such"]}])
def test_wrong_calls_are_refused(ratings: Ratings, wrong: dict) -> None:
    with pytest.raises(ArgumentError):
        choose(ratings, **wrong)


def test_the_split_may_be_given_and_may_be_one_that_can_be_made_twice(ratings: Ratings) -> None:
    assert "(split per-user)" in choose(ratings, ["bias"], split="per-user").judged
    # Of three ratings a user one is the test, and two do not give a tenth once more.
    few = ratings.take(np.concatenate([ratings.by_user[user][:3] for user in range(100)]))
    assert fitting_split(few, "ratings", 0.34, seed=0)[0] == "forecast"
    assert fitting_split(few, "ratings", 0.34, seed=0, inner_size=0.1)[0] == "random"


def test_of_short_histories_the_last_row_is_held_out(ratings: Ratings) -> None:
    """Of six rows a user a tenth is none; the last is."""
    for table in (ratings, ratings.likes(1.0)):
        for n, split in ((6, "last"), (4, "last"), (3, "random")):
            few = table.take(np.concatenate([table.by_user[user][:n] for user in range(100)]))
            assert fitting_split(few, "ratings", 0.2, seed=0, inner_size=0.1)[0] == split


def test_lists_of_counts_are_judged_by_the_upper_half(ratings: Ratings) -> None:
    """Of plays, next to none lie in the upper quarter of what the largest makes the scale."""
    rating = ratings.rating.copy()
    rating[0] = 350_000
    counts = replace(ratings, rating=rating, scale=Scale.infer(rating))
    choice = choose(counts, ["popularity", "ease"], goal="lists")
    assert choice.threshold == np.median(rating)
    assert set(choice.frame["state"]) == {"tried"}
    assert choose(ratings, ["popularity"], goal="lists").threshold is None


def test_lists_are_judged_for_as_many_users_as_there_is_room_for(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert judged_users(ratings, 0) is ratings
    monkeypatch.setattr(choosing, "MAX_SCORES", 10 * ratings.n_items)
    some = judged_users(ratings, 0)
    assert np.count_nonzero(some.by_user.counts) == 10
    assert some.by_user.counts.max() == ratings.by_user.counts[some.by_user.counts > 0].max()


def test_all_models_of_a_goal_answer_a_new_person(ratings: Ratings) -> None:
    for name in {name for names in GOALS.values() for name in names} - {"bayes"}:
        assert choosing.make_model(name).fit(ratings, progress=False).folds_in, name


def test_of_interactions_lists_of_the_latest_choose(ratings: Ratings) -> None:
    likes = ratings.likes()
    choice = choose(likes, ["popularity", "item-knn", "bias"])
    assert (choice.chosen, choice.metric) == ("item-knn", "ndcg")
    n = len(likes)
    train, held_out = fitting_split(likes, "lists", 0.1, seed=0)[1]
    assert len(train) + len(held_out) == n
    assert choice.judged == (
        f"fitted on {len(train):,} interactions and judged by {len(held_out):,} others"
        " (split forecast)"
    )
    row = choice.frame.filter(model="bias").row(0, named=True)
    assert row["state"] == "failed"
    assert "expected ratings; received interactions" in row["note"]


def test_the_order_of_interactions_decides_on_split_and_models(ratings: Ratings) -> None:
    likes = ratings.likes()
    untimed = likes.replaced(timestamp=None)
    places = np.arange(len(likes), dtype=np.int32)
    for table, split, has_order in (
        (likes, "forecast", True),
        (untimed, "per-user", False),
        (untimed.replaced(position=places), "forecast", True),
    ):
        assert fitting_split(table, "lists", 0.2, seed=0)[0] == split
        assert ("next-item" in usual_models(table, "lists")) is has_order
    assert usual_models(ratings, "lists") == GOALS["lists"]
    for name in MODELS_OF_INTERACTIONS:
        assert choosing.make_model(name).capabilities.interactions, name


def test_a_model_of_the_order_of_a_page_says_so(ratings: Ratings) -> None:
    likes = ratings.likes()
    at_once = likes.replaced(timestamp=likes.timestamp * 10)  # the next one ten seconds later
    (note,) = order_notes(at_once, "next-item")
    assert "of the interactions come within a minute of the user's one before" in note
    assert order_notes(at_once, "ease") == []
    assert order_notes(likes.replaced(timestamp=likes.timestamp * 1000), "next-item") == []
    assert order_notes(likes.replaced(timestamp=None), "next-item") == []


def test_a_goal_that_a_table_cannot_have_is_refused(ratings: Ratings) -> None:
    assert (fitting_goal(ratings), fitting_goal(ratings, "lists")) == ("ratings", "lists")
    with pytest.raises(ArgumentError, match="goal; expected lists, for a table of interactions"):
        choose(ratings.likes(), ["popularity"], goal="ratings")
