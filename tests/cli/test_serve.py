"""tastemap serve; the server itself is tested in tests/serve/test_server.py."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands import run
from tastemap.cli import app
from tastemap.serve import server
from tastemap.serve.people.store import Store


def test_a_key_that_is_missing_or_short_is_refused(folder: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    assert "can be read" in run("serve", folder / "bias", "--api-key-file", key, code=2)
    key.write_text("short")
    assert "key" in run("serve", folder / "bias", "--api-key-file", key, code=2)


@pytest.mark.parametrize(
    ("options", "is_noted"),
    [
        ([], False),
        (["--allowed-host=films.example"], True),
        (["--allowed-host=films.example", "--trusted-proxy=127.0.0.1"], False),
        (["--host=0.0.0.0"], False),
    ],
)
def test_who_stands_behind_a_proxy_that_is_not_named_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], is_noted: bool
) -> None:
    monkeypatch.setattr(server, "run_server", lambda _, tell: tell("http://127.0.0.1:8000/"))
    key = tmp_path / "key"
    key.write_text("a key of many characters")
    key.chmod(0o600)
    said = CliRunner().invoke(app, ["serve", "m", f"--api-key-file={key}", *options]).stderr
    assert said.startswith("serving m at http://127.0.0.1:8000/")
    assert ("--trusted-proxy" in said) == is_noted


def test_a_store_for_models_of_the_other_kind_is_refused_in_a_line(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "clicks.db"
    store = Store(f"sqlite:///{path}")
    store.settle("interactions")
    store.close()
    said = run("serve", folder / "bias", "--store", path, "--port", 0, code=1)
    assert said.count("\n") == 1
    assert "one for interactions, where the model has learnt from ratings" in said


def test_a_weight_of_events_that_is_none_is_refused(folder: Path) -> None:
    for words in ("view", "view=x", "view=1e7"):
        said = run("serve", folder / "bias", "--event-weights", words, code=2)
        assert "expected" in said
