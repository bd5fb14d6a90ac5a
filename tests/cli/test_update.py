"""tastemap update; the fit itself is tested in tests/serve/people/test_retrain.py."""

import sqlite3
from pathlib import Path

import pytest

import tastemap as tm
from commands import run
from tastemap.data.datasets.synthetic import synthetic_ratings


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    message = run("update", tmp_path, "--from-store", tmp_path / "ratings.db", code=1)
    assert "a saved model" in message


def files(folder: Path) -> dict[Path, bytes]:
    """Everything in a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("store", ["no such folder/ratings.db", "ratings.db", "films.db", "text"])
def test_what_is_no_store_is_refused_in_a_line_and_nothing_is_made_or_changed(
    tmp_path: Path, store: str
) -> None:
    tm.BiasModel().fit(synthetic_ratings(), progress=False).save(tmp_path / "model")
    with sqlite3.connect(tmp_path / "films.db") as connection:
        connection.execute("CREATE TABLE persons (name)")
    connection.close()
    (tmp_path / "text").write_text("not a database" * 100)
    before = files(tmp_path)
    message = run("update", tmp_path / "model", "--from-store", tmp_path / store, code=1)
    assert message.count("\n") == 1
    assert "StoreError" not in message
    assert f"store sqlite:///{tmp_path / store}; expected a database" in message
    assert files(tmp_path) == before
    assert not (tmp_path / "no such folder").exists()
