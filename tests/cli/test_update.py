"""tastemap update; the fit itself is tested in tests/serve/people/test_retrain.py."""

from pathlib import Path

from commands import run


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    message = run("update", tmp_path, "--from-store", tmp_path / "ratings.db", code=1)
    assert "a saved model" in message
