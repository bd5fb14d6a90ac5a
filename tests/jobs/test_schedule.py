"""The shares of the time of a run, and the advice to take more of it."""

import polars as pl
import pytest

from tastemap.evaluation.choose import Choice
from tastemap.jobs.schedule import Schedule, advice, is_cut_short
from tastemap.models.bias import BiasModel
from tastemap.support.deadline import deadline


def test_the_shares_leave_time_for_what_follows() -> None:
    with deadline(100):
        schedule = Schedule(2000, has_map=True)
        assert schedule.map_seconds == pytest.approx(3)
        assert schedule.for_choice == pytest.approx(95, abs=1), "the map and the report follow"
        assert schedule.for_test(2.0, is_last=False) == pytest.approx(0.45 * 89, abs=1)
        assert schedule.for_test(2.0, is_last=True) == pytest.approx(89, abs=1)
        assert schedule.for_map == pytest.approx(98, abs=1)
        schedule.note_test()
        assert schedule.for_map == pytest.approx(98.8, abs=1)
        assert schedule.has_time_for_fit(60)
        assert not schedule.has_time_for_fit(80)
        assert Schedule(1000, has_map=False).map_seconds == 0
        assert Schedule(60_000, has_map=True).map_seconds == 0, "it would not be done"


def test_without_time_the_baseline_is_still_chosen() -> None:
    with deadline(0):
        schedule = Schedule(1000, has_map=True)
        schedule.note_description()
        assert 0 < schedule.for_choice < 1
        assert schedule.for_test(1.0, is_last=True) == schedule.for_fit == schedule.for_map == 0


def test_a_run_without_an_end_takes_what_it_needs() -> None:
    schedule = Schedule(1000, has_map=True)
    schedule.note_description()
    assert schedule.for_fit == schedule.for_map == float("inf")


def test_a_fit_that_was_cut_short_is_worth_less_than_the_tested_one() -> None:
    whole, half, little = BiasModel(), BiasModel(), BiasModel()
    half.stopped_, little.stopped_ = (10, 20), (2, 20)
    assert is_cut_short(little, whole)
    assert is_cut_short(little, half)
    assert not is_cut_short(half, whole)
    assert not is_cut_short(whole, half)


def test_each_model_that_was_not_tried_whole_is_advised() -> None:
    rows = [
        {"model": "bayes", "state": "skipped", "wanted": 141.0, "estimated": 30.0, "note": "…"},
        {"model": "als", "state": "stopped", "wanted": None, "estimated": 1.0, "note": "…"},
        {"model": "dot", "state": "skipped", "wanted": None, "estimated": None, "note": "needs x"},
        {"model": "mf", "state": "tried", "wanted": None, "estimated": 1.0, "note": None},
    ]
    choice = Choice(pl.DataFrame(rows), "mf", "bias", "rmse", "")
    assert advice(choice, 8.0, 60.0) == [
        "--seconds 150 would try bayes too",
        "more --seconds would finish als too",
    ]
    assert advice(choice, 8.0, 145.0)[0] == "--seconds 160 would try bayes too", "more than it had"
