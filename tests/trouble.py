"""Models that give trouble: slow ones and broken ones, for the registry of a test."""

import time
from typing import Any

import pytest

from tastemap.models.base.artifact import CLASSES
from tastemap.models.bias import BiasModel
from tastemap.models.knn import ItemKNN
from tastemap.models.registry import MODELS
from tastemap.support.deadline import is_over


class PanicException(BaseException):
    """As libraries in Rust raise it: no `Exception`."""


FAILURES = {
    "zero": ZeroDivisionError("division by zero"),
    "panic": PanicException("index out of bounds"),
    "memory": MemoryError(),
    "ctrl-c": KeyboardInterrupt(),
}


class SlowModel(BiasModel):
    """The bias model, after iterations that each take a while."""

    def __init__(self, n_epochs: int = 40_000, pause: float = 0.01) -> None:
        super().__init__()
        self.n_epochs, self.pause = n_epochs, pause

    def _fit(self, *arguments: Any) -> None:
        for epoch in range(self.n_epochs):
            time.sleep(self.pause)
            if is_over(epoch + 1, self.n_epochs):
                break
        super()._fit(*arguments)


class BrokenModel(BiasModel):
    """A model that cannot be fitted."""

    def __init__(self, failure: str = "zero") -> None:
        super().__init__()
        self.failure = failure

    def _fit(self, *_: Any) -> None:
        raise FAILURES[self.failure]


class TenderModel(ItemKNN):
    """A model that fails on more ratings than it can bear."""

    def __init__(self, most: int = 100) -> None:
        super().__init__()
        self.most = most

    def _fit(self, ratings: Any, *arguments: Any) -> None:
        if len(ratings) > self.most:
            raise ZeroDivisionError("too many ratings")
        super()._fit(ratings, *arguments)


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models ``slow``, ``stuck`` (one iteration of half a second) and ``broken``."""
    for name in ("SlowModel", "BrokenModel", "TenderModel"):
        monkeypatch.setitem(CLASSES, name, "trouble")
    monkeypatch.setitem(MODELS, "slow", ("SlowModel", {}))
    monkeypatch.setitem(MODELS, "stuck", ("SlowModel", {"n_epochs": 1, "pause": 0.5}))
    for failure in FAILURES:
        monkeypatch.setitem(MODELS, failure, ("BrokenModel", {"failure": failure}))
