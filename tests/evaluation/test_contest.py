"""Models tried within a time: whole, stopped, skipped or failed, each with a row that says so."""

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.errors import TastemapError
from tastemap.evaluation import contest as contests
from tastemap.evaluation.choose import Choice, choose, fitting_split
from tastemap.evaluation.contest import Contest, Trial, extrapolated
from tastemap.evaluation.objective import Objective, Score


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
    """Its 40,000 iterations take seven minutes."""
    begin = time.monotonic()
    choice = choose(ratings, ["bias", "slow"], seconds=4, n_fits=2)
    assert time.monotonic() - begin < 200, "a generous bound"
    row = choice.frame.filter(model="slow").row(0, named=True)
    assert row["state"] == "stopped"
    assert row["rmse"] == choice.frame.filter(model="bias")["rmse"][0]
    assert row["wanted"] > 800, "two fits"


def test_samples_of_interactions_are_interactions(ratings: Ratings) -> None:
    """Of more than a thousand rows the time of a model is estimated from samples."""
    choice = choose(ratings.likes(), ["popularity", "item-knn"])
    row = choice.frame.filter(model="item-knn").row(0, named=True)
    assert (row["state"], row["note"]) == ("tried", None)
    assert row["estimated"] > 0


def test_the_best_model_alone_stays_in_memory(split: Split) -> None:
    contest = Contest(Objective("rmse"), split, 0, time.perf_counter(), 1000.0, 2, 2)
    for name in ("bias", "knn"):
        contest.enter(name)
    in_memory = [name for name, trial in contest.trials.items() if trial.model is not None]
    assert in_memory == [contest.best] == ["knn"]


def test_the_second_try_is_for_those_that_it_helps(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 25 seconds a model has 10 where the best takes next to none, and two and a half fits."""
    contest = Contest(Objective("rmse"), split, 0, 0.0, 25.0, 2.5, 4)
    tries: list[str] = []
    monkeypatch.setattr(contest, "_left", lambda: 25.0)
    monkeypatch.setattr(contest, "_try", lambda row, limit: tries.append((row["model"], limit)))
    for name, error, seconds, done in (
        ("als", 0.9, 0.1, 9),  # the best: the later fits have the time
        ("mf", 1.0, 9.0, 99),  # ten seconds finish it
        ("bayes", 1.1, 9.0, 50),  # ten seconds bring little more than nine
        ("ials", 1.2, 5.0, 1),
    ):
        score = Score(error, np.zeros(0), np.zeros(0))
        contest.trials[name] = Trial(score, seconds, 0.0, (done, 100))
        contest.rows.append({"model": name, "state": "stopped"})
    contest.finish()
    assert tries == [("mf", 10.0), ("ials", 10.0)]
    contest.trials = {name: contest.trials[name] for name in ("als", "bayes")}
    contest.seconds, als, bayes = 65.0, (0.1 * 100 / 9 - 0.1), 9.0
    assert contest._wanted("bayes", 18.0) == pytest.approx(40 + als - bayes + 2.5 * 18), (
        "40 s passed; als would be whole, and bayes would have one try in place of two"
    )


@pytest.mark.usefixtures("trouble")
def test_a_model_whose_first_iteration_takes_too_long_is_skipped(ratings: Ratings) -> None:
    choice = choose(ratings, ["bias", "stuck"], seconds=3, n_fits=4)
    state, note = note_of(choice, "stuck")
    assert state == "skipped"
    assert "s needed" in note
    assert choice.frame.filter(model="stuck")["wanted"][0] > 3


def test_samples_are_of_whole_users_and_grow_while_the_time_seems_too_short(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = fitting_split(ratings, "ratings", 0.1, 0)[1]
    contest = Contest(Objective("rmse"), split, 0, 0.0, 20.0, 3, 2)
    monkeypatch.setattr(contests, "SAMPLE_RATINGS", (300, 300))
    monkeypatch.setattr(contests, "MAX_SHARE_OF_SAMPLE", 2.0)
    monkeypatch.setattr(contest, "_left", lambda: 20.0)
    monkeypatch.setattr(contest, "_share", lambda: 5.0)
    seconds, sizes = iter([99.0, 1.0, 9.0, 2.0, 30.0, 9.0, 2.0, 99.0]), []

    def timed(_: str, part: Split, limit: float) -> Trial:
        assert limit == 0, "one iteration"
        pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        assert {pool["num_threads"] for pool in pools} == {1}, "of which none waits for another"
        sizes.append(len(part.train))
        users = np.flatnonzero(part.train.by_user.counts)
        ids = part.train.users.ids_at(users)
        assert part.train.by_user.counts[users].tolist() == [
            split.train.by_user.counts[user] for user in split.train.users.index(ids)
        ]
        return Trial(Score(0.0, np.zeros(0), np.zeros(0)), next(seconds), 0.0, None)

    monkeypatch.setattr(contest, "_timed", timed)
    needed = contest._needed("mf")
    assert len(sizes) == 7, "the first compiles, and of two the faster counts"
    assert 2.0 < needed < 5.0
    seconds = iter([99.0, 30.0])
    sizes.clear()
    assert contest._needed("mf") > 30
    assert len(sizes) == 2, "a sample of twice the size would take too much of what is left"


def test_the_time_of_a_model_follows_its_work() -> None:
    assert extrapolated([(1.0, 1.0), (2.0, 8.0)], 4.0) == 16.0, "at most in proportion"
    assert extrapolated([(1.0, 1.0), (4.0, 1.0)], 16.0) == 2.0, "at least as the root"
    assert extrapolated([(9.0, 3.0)], 1.0) == 3.0, "a sample is no more than all"


def test_how_busy_the_machine_is_all_samples_tell_together(split: Split) -> None:
    contest = Contest(Objective("rmse"), split, 0, 0.0, 25.0, 2.5, 4)
    assert contest._slowness == 1
    contest.samples += [contests._Clocks(6.0, 1.0), contests._Clocks(2.0, 1.0)]
    assert contest._slowness == pytest.approx(4)
    contest.samples += [contests._Clocks(0.0, 8.0)]
    assert contest._slowness == 1, "several threads"
    trial = contest._timed("bias", split, 0)
    assert 0 < trial.seconds <= sum(clocks.wall for clocks in contest.samples[-2:])
