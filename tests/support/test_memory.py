"""Free memory: what the system and a container leave, and work that needs more."""

from pathlib import Path

import pytest

from tastemap.errors import DataError
from tastemap.support import memory


def test_free_memory_is_the_least_of_system_and_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = memory.free_memory()
    assert system is None or system > 2**20
    about, limit, used = (tmp_path / name for name in ("meminfo", "max", "current"))
    about.write_text("MemTotal: 9 kB\nMemAvailable:  100 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", about)
    monkeypatch.setattr(memory, "_LIMITS", ((limit, used),))
    assert memory.free_memory() == 102_400
    limit.write_text("5000\n")
    used.write_text("2000\n")
    assert memory.free_memory() == 3000
    # Pages of files are in use until somebody needs the room.
    (tmp_path / "memory.stat").write_text("anon 7\ninactive_file 500\nactive_file 300\n")
    assert memory.free_memory() == 3800
    limit.write_text("max\n")
    assert memory.free_memory() == 102_400


def test_work_that_needs_more_than_is_free_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 2**30)
    memory.require("a model", 2**30, "for its factors", "use fewer")
    with pytest.raises(
        DataError,
        match=r"a model; expected 2\.0 GiB of free memory for its factors; received 1\.0 GiB; use",
    ):
        memory.require("a model", 2**31, "for its factors", "use fewer")
    # A small amount is not checked, nor any where the system does not say what is free.
    monkeypatch.setattr(memory, "free_memory", lambda: 0)
    memory.require("a model", 2**28 - 1, "for its factors", "use fewer")
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    memory.require("a model", 2**40, "for its factors", "use fewer")
