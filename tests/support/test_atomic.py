"""Folders that are written whole or not at all."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tastemap.support import atomic
from tastemap.support.atomic import alone_at, folder_beside, new_file, new_folder, settle


def content(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def write(target: Path, text: str) -> None:
    with new_folder(target) as fresh:
        (fresh / "file").write_text(text)


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    for text in ("old", "new"):
        write(target, text)
        assert content(target) == {"file": text}
        assert list(target.parent.iterdir()) == [target]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "target"
    write(target, "old")

    def fail() -> None:
        with new_folder(target) as fresh:
            (fresh / "file").write_text("new")
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        fail()
    assert content(target) == {"file": "old"}
    assert list(tmp_path.iterdir()) == [target]


def test_a_kill_between_the_renames_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "SETTLE_SECONDS", 0.01)
    target = tmp_path / "target"
    write(target, "old")
    target.rename(tmp_path / ".target.old")
    settle(target)
    assert content(target) == {"file": "old"}
    settle(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


@contextmanager
def killed(target: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """A process that writes to a target, to be killed in the middle of it."""
    code = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from tastemap.support.atomic import {how}
        with {how}(Path({str(target)!r})) as fresh:
            print("writing", flush=True)
            time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("how", ["new_folder", "new_file"])
def test_what_a_killed_process_left_is_removed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    target = tmp_path / "target"
    again = {"new_folder": new_folder, "new_file": new_file}[how]
    with killed(target, how):
        monkeypatch.setattr(atomic, "MIN_SECONDS_ABANDONED", 0.0)
        with again(target):
            assert len(list(tmp_path.iterdir())) == 2  # it is being written: its lock is held
        monkeypatch.undo()
    left = [path.name for path in tmp_path.iterdir() if path.name != "target"]
    assert len(left) == 1
    with again(target):  # too young: its lock might be about to be taken
        assert (tmp_path / left[0]).exists()
    monkeypatch.setattr(atomic, "MIN_SECONDS_ABANDONED", 0.0)
    with again(target):
        assert not (tmp_path / left[0]).exists()
    assert list(tmp_path.iterdir()) == [target]


def test_only_what_was_left_of_this_target_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "MIN_SECONDS_ABANDONED", 0.0)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("words")
    (tmp_path / ".target.new-12345678").symlink_to(precious)
    (tmp_path / ".target.new-abcdefgh").symlink_to(precious / "file")
    os.mkfifo(tmp_path / ".target.new-87654321")
    others = [".target.settings", ".target.new-1", ".target.new-123456789", ".other.new-12345678"]
    for name in others:
        (tmp_path / name).mkdir()
    (tmp_path / ".target.new-a1b2c3d4").mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    write(tmp_path / "target", "new")
    after = {path.name for path in tmp_path.iterdir()}
    assert before - after == {".target.new-a1b2c3d4"}
    assert after - before == {"target"}
    assert content(precious) == {"file": "words"}


def test_where_there_are_no_locks_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "MIN_SECONDS_ABANDONED", 0.0)
    monkeypatch.setattr(atomic, "fcntl", None)
    (tmp_path / ".target.new-a1b2c3d4").mkdir()
    write(tmp_path / "target", "new")
    assert (tmp_path / ".target.new-a1b2c3d4").is_dir()


def test_a_folder_beside_goes_with_its_block(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with folder_beside(target, "served") as folder:
        assert folder.parent == tmp_path
        (folder / "file").write_text("words")
    assert not list(tmp_path.iterdir())
    with pytest.raises(OSError, match="No such file"), folder_beside(tmp_path / "no" / "x", "new"):
        pass


def test_one_at_a_time_changes_a_target(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with alone_at(target):
        with pytest.raises(TimeoutError, match="another process"), alone_at(target, 0.0):
            pass
        write(target, "replaced meanwhile")
        with pytest.raises(TimeoutError), alone_at(target, 0.0):
            pass
    with alone_at(target, 0.0):
        assert [path.name for path in tmp_path.iterdir()] == ["target"]
