"""Work beside requests: done once, waited for a while, begun anew after a failure."""

from threading import Event

import pytest

from tastemap.errors import TastemapError
from tastemap.serve.model.preparation import Preparation


def test_work_is_done_once_and_who_waits_too_long_is_told_to_come_back() -> None:
    may_end, runs = Event(), []
    preparation = Preparation(lambda: (runs.append(1), may_end.wait(20)), "learning")
    for _ in range(2):
        with pytest.raises(TastemapError, match="is learning; ask again in a moment"):
            preparation.require(seconds=0.01)
    may_end.set()
    preparation.require(seconds=20)
    preparation.require()
    assert runs == [1]


def test_work_that_failed_is_begun_anew(caplog: pytest.LogCaptureFixture) -> None:
    results = iter([False, True])
    preparation = Preparation(lambda: 1 / next(results), "learning")
    with pytest.raises(TastemapError, match="is learning"):
        preparation.require(seconds=20)
    assert "ZeroDivisionError" in caplog.text
    preparation.require(seconds=20)
