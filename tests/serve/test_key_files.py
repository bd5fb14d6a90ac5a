"""Files that hold a secret: kept private, refused where they hold none."""

import stat
from pathlib import Path

import pytest
from clients import client_of

from tastemap.errors import ArgumentError, DataError
from tastemap.serve.key_files import load_secret, read_key

KEY = "a key of many characters"


def test_a_key_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    with pytest.raises(ArgumentError, match="can be read"):
        read_key(file)
    for text in ("", "short\n", "\n" * 20, "é" * 20):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ArgumentError, match="sixteen"):
            read_key(file)
    file.write_text(KEY + "\n")
    assert read_key(file) == KEY
    assert read_key(None) is None


def test_the_secret_is_kept_and_private(tmp_path: Path) -> None:
    secret = load_secret(tmp_path / "new")
    assert len(secret) == 32
    assert load_secret(tmp_path / "new") == secret
    (file,) = (tmp_path / "new").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_secret_that_is_none_signs_nothing(
    artifact: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "tastemap.key").write_bytes(content)
    with pytest.raises(DataError, match=r"tastemap\.key; expected the 32 bytes"):
        client_of(artifact, tmp_path)


@pytest.mark.parametrize(("mode", "is_shared"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_secret_that_others_can_read_is_used_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, is_shared: bool
) -> None:
    load_secret(tmp_path)
    key, secret = tmp_path / "key", tmp_path / "tastemap.key"
    key.write_text(KEY)
    for file, read in ((key, read_key), (secret, lambda file: load_secret(file.parent))):
        file.chmod(mode)
        caplog.clear()
        assert read(file)
        said = [record.message for record in caplog.records]
        expected = f"others can read the secret in {file}: chmod 600 {file}"
        assert said == ([expected] if is_shared else [])
