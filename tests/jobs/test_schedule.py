"""The shares of the time of a run, and the advice to take more of it."""

import time

import polars as pl
import pytest

from tastemap.evaluation.choose import Choice
from tastemap.jobs.schedule import Schedule, advice, is_cut_short
from tastemap.models.bias import BiasModel
from tastemap.support.deadline import deadline


def test_the_shares_leave_time_for_what_follows() -> None:
    with deadline(100):
        schedule = Schedule(2000, has_map=True)
        assert schedule.map_seconds == pytest.approx(5)
        assert schedule.for_choice == pytest.approx(93, abs=1), "the map and the report follow"
        assert schedule.for_test(20.0, 2.0, is_last=False) == pytest.approx(0.45 * 87, abs=1)
        assert schedule.for_test(40.0, 2.0, is_last=False) == 0, "the last fit needs the time"
        assert schedule.for_test(40.0, 2.0, is_last=True) == pytest.approx(87, abs=1)
        assert schedule.for_map == pytest.approx(98, abs=1)
        schedule.note_test()
        assert schedule.for_map == pytest.approx(98.8, abs=1)
        assert schedule.has_time_for_fit(60)
        assert not schedule.has_time_for_fit(80)
        for n_items, has_map in ((1000, False), (60_000, True)):
            without = Schedule(n_items, has_map=has_map)
            assert without.for_fit == pytest.approx(98, abs=1)
        assert without.for_map > 0
        assert Schedule(600_000, has_map=True).for_map == 0, "it would not be done"


def test_a_busy_machine_takes_longer_for_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second of the processor took two."""
    processor = iter([10.0, 10.5])
    monkeypatch.setattr(time, "process_time", lambda: next(processor))
    with deadline(100) as limit:
        schedule = Schedule(2000, has_map=True)
        limit.end -= 2
        schedule.note_description()
        assert schedule.report_seconds == pytest.approx(4 * 3, abs=0.5)
        assert schedule.map_seconds == pytest.approx(4 * 5, abs=0.5)
        assert schedule.for_map == pytest.approx(86, abs=1)
        limit.end -= 70
        assert schedule.for_map == 0, "it would not be done"


def test_without_time_the_baseline_is_still_chosen() -> None:
    with deadline(0):
        schedule = Schedule(1000, has_map=True)
        schedule.note_description()
        assert 0 < schedule.for_choice < 1
        assert (
            schedule.for_test(1.0, 1.0, is_last=True) == schedule.for_fit == schedule.for_map == 0
        )


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
    assert advice(choice, 8.0, 60.0) == {
        "bayes": "--seconds 150 would try bayes too",
        "als": "more --seconds would finish als too",
    }
    assert advice(choice, 8.0, 145.0)["bayes"] == "--seconds 160 would try bayes too", (
        "more than it had"
    )
