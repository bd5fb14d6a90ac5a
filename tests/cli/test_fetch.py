"""tastemap fetch."""

from pathlib import Path

from commands import run


def test_an_unknown_name_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    assert "ml-100k" in run("fetch", "ml-7", code=2)
    assert str(tmp_path) in run("fetch", "ml-100k", "--from", tmp_path, code=1)
