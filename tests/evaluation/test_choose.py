"""Choosing a model within a time: who wins, who is left out, and that nothing else is looked at."""

from dataclasses import replace

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.errors import ArgumentError
from tastemap.evaluation import choose as choosing
from tastemap.evaluation.choose import GOALS, choose, fitting_split


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


def test_a_model_that_fails_is_said_and_does_not_end_it(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(name: str) -> object:
        if name == "knn":
            raise ArgumentError("knn", expected="luck", received="none")
        return choosing_make(name)

    choosing_make = choosing.make_model
    contest_make = iter([True, True])  # the check of the names passes

    def once_checked(name: str) -> object:
        return choosing_make(name) if next(contest_make, None) else make(name)

    monkeypatch.setattr(choosing, "make_model", once_checked)
    choice = choose(ratings, ["bias", "knn"])
    failed = choice.frame.filter(model="knn").row(0, named=True)
    assert choice.chosen == "bias"
    assert failed["state"] == "failed"
    assert "luck" in failed["note"]


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


def test_a_model_is_estimated_on_samples_of_whole_users(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "MIN_RATINGS_OF_ESTIMATE", 1000)
    monkeypatch.setattr(choosing, "SAMPLE_RATINGS", (300, 600))
    choice = choose(ratings, ["bias", "mf"])
    estimated = choice.frame.filter(model="mf")["estimated"][0]
    assert np.isfinite(estimated)
    assert estimated > 0


def test_a_clock_that_erred_is_asked_again_by_a_larger_sample(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two samples the second seems slow; the third says that there is time after all."""
    split = choosing.fitting_split(ratings, "ratings", 0.1, 0)[1]
    contest = choosing._Contest(choosing.Objective("rmse"), split, 0, 0.0, n_fits=3)
    monkeypatch.setattr(choosing, "SAMPLE_RATINGS", (300, 300))
    monkeypatch.setattr(choosing, "MAX_SHARE_OF_SAMPLE", 0.5)
    monkeypatch.setattr(contest, "_left", lambda: 20.0)
    seconds, sizes = iter([0.5, 2.0, 1.0, 99.0]), []

    def timed(_: str, part: Split) -> tuple[None, float]:
        sizes.append(len(part.train))
        return None, next(seconds)

    monkeypatch.setattr(contest, "_timed", timed)
    estimated = contest._estimated("mf")
    assert len(sizes) == 3
    assert estimated == 1.0, "twice the ratings took no longer, so all will not either"
    monkeypatch.setattr(contest, "_left", lambda: 1.0)
    seconds = iter([0.5])
    assert contest._estimated("mf") == 0.5, "three fits of the smallest sample are too long"


def test_all_models_of_a_goal_answer_a_new_person(ratings: Ratings) -> None:
    for name in {name for names in GOALS.values() for name in names} - {"bayes"}:
        assert choosing.make_model(name).fit(ratings, progress=False).folds_in, name
