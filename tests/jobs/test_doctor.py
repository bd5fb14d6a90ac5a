"""The checks of the installation."""

import pytest

from tastemap.jobs.doctor import diagnosis


def test_a_backend_that_is_not_installed_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "no_such_backend")
    (row,) = diagnosis().filter(check="Keras backend").to_dicts()
    assert row["state"] == "wrong"
    assert row["do"] == "install no_such_backend, or unset KERAS_BACKEND"


def test_the_cache_is_the_folder_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("TASTEMAP_DATA", str(tmp_path))
    (row,) = diagnosis().filter(check="data cache").to_dicts()
    assert (row["found"], row["state"]) == (f"{tmp_path}: empty", "ok")
