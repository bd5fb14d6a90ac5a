"""What a block of code costs."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tastemap.evaluation import cost
from tastemap.evaluation.cost import measured


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="read from Linux's /proc")
def test_memory_that_is_needed_at_once_is_counted_even_if_it_is_freed() -> None:
    with measured() as much:
        held = np.ones(25_000_000)  # 200 MB
        held.sum()
        del held
    with measured() as little:
        assert np.ones(1000).sum() == 1000
    if much.memory_mb is None or little.memory_mb is None:
        pytest.skip("/proc is closed here")
    assert 150 < much.memory_mb < 400
    assert 0 <= little.memory_mb < 50


def test_no_memory_where_the_system_cannot_tell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cost, "_CLEAR", tmp_path / "no" / "such file")
    with measured() as closed:
        pass
    assert closed.memory_mb is None
    assert closed.seconds > 0
    monkeypatch.setattr(cost.sys, "platform", "plan9")
    with measured() as elsewhere:
        pass
    assert elsewhere.memory_mb is None


def test_an_error_inside_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError), measured() as failed:
        _ = 1 / 0
    assert failed.seconds > 0
