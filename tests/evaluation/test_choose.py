"""Choosing a model within a time: who wins, who is left out, and that nothing else is looked at."""

import time
from dataclasses import replace

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.data.splits import Split
from tastemap.errors import ArgumentError, TastemapError
from tastemap.evaluation import choose as choosing
from tastemap.evaluation.choose import (
    GOALS,
    Choice,
    Trial,
    choose,
    fitting_split,
    judged_users,
)
from tastemap.evaluation.objective import Score


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


def note_of(choice: Choice, model: str) -> tuple[str, str]:
    row = choice.frame.filter(model=model).row(0, named=True)
    return row["state"], row["note"]


@pytest.mark.usefixtures("trouble")
def test_whatever_a_model_raises_it_is_a_row_and_the_others_go_on(ratings: Ratings) -> None:
    choice = choose(ratings, ["bias", "zero", "panic", "memory", "knn"])
    assert choice.chosen == "knn"
    state, note = note_of(choice, "zero")
    assert (state, note.split("; ")[0]) == ("failed", "ZeroDivisionError: division by zero")
    assert "leave this model out" in note
    assert note_of(choice, "panic")[1].startswith("PanicException: index out of bounds; ")
    assert "fewer factors" in note_of(choice, "memory")[1]
    with pytest.raises(KeyboardInterrupt):
        choose(ratings, ["bias", "ctrl-c", "knn"])
    with pytest.raises(TastemapError, match="a model that can be fitted; received ZeroDivision"):
        choose(ratings, ["zero"])


@pytest.mark.usefixtures("trouble")
def test_a_model_whose_time_is_over_is_judged_as_it_is(ratings: Ratings) -> None:
    """Its 400 iterations take four seconds and more."""
    begin = time.monotonic()
    choice = choose(ratings, ["bias", "slow"], seconds=2, n_fits=2)
    assert time.monotonic() - begin < 4
    row = choice.frame.filter(model="slow").row(0, named=True)
    assert row["state"] == "stopped"
    assert row["rmse"] == choice.frame.filter(model="bias")["rmse"][0]
    assert 5 < row["wanted"] < 60, "about twice four seconds"
    whole = choose(ratings, ["bias", "slow"], seconds=60, n_fits=2)
    assert note_of(whole, "slow") == ("tried", None)


@pytest.mark.usefixtures("trouble")
def test_a_model_whose_first_iteration_takes_too_long_is_skipped(ratings: Ratings) -> None:
    choice = choose(ratings, ["bias", "stuck"], seconds=3, n_fits=4)
    state, note = note_of(choice, "stuck")
    assert state == "skipped"
    assert "s needed" in note
    assert choice.frame.filter(model="stuck")["wanted"][0] > 3


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


def test_samples_are_of_whole_users_and_grow_while_the_time_seems_too_short(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = choosing.fitting_split(ratings, "ratings", 0.1, 0)[1]
    contest = choosing._Contest(choosing.Objective("rmse"), split, 0, 0.0, 20.0, 3, 2)
    monkeypatch.setattr(choosing, "SAMPLE_RATINGS", (300, 300))
    monkeypatch.setattr(choosing, "MAX_SHARE_OF_SAMPLE", 0.5)
    monkeypatch.setattr(contest, "_left", lambda: 20.0)
    monkeypatch.setattr(contest, "_share", lambda: 5.0)
    seconds, sizes = iter([9.0, 1.0, 2.0, 2.0, 99.0]), []

    def timed(_: str, part: Split, limit: float) -> Trial:
        assert limit == 0, "one iteration"
        sizes.append(len(part.train))
        users = np.flatnonzero(part.train.by_user.counts)
        ids = part.train.users.ids_at(users)
        assert part.train.by_user.counts[users].tolist() == [
            split.train.by_user.counts[user] for user in split.train.users.index(ids)
        ]
        return Trial(Score(0.0, np.zeros(0), np.zeros(0)), next(seconds), 0.0, None)

    monkeypatch.setattr(contest, "_timed", timed)
    needed = contest._needed("mf")
    assert len(sizes) == 4, "the first compiles, and the power law needs two"
    assert 2.0 < needed < 5.0
    seconds = iter([9.0, 30.0])
    sizes.clear()
    assert contest._needed("mf") > 30
    assert len(sizes) == 2, "a sample of twice the size would take too much of what is left"


def test_all_models_of_a_goal_answer_a_new_person(ratings: Ratings) -> None:
    for name in {name for names in GOALS.values() for name in names} - {"bayes"}:
        assert choosing.make_model(name).fit(ratings, progress=False).folds_in, name
