"""Folders that are written whole or not at all."""

from pathlib import Path

import pytest

from tastemap.support import atomic
from tastemap.support.atomic import new_folder, settle


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
