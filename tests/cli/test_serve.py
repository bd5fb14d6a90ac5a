"""tastemap serve; the server itself is tested in tests/serve/test_server.py."""

from pathlib import Path

from commands import run


def test_a_key_that_is_missing_or_short_is_refused(folder: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    assert "can be read" in run("serve", folder / "bias", "--api-key-file", key, code=2)
    key.write_text("short")
    assert "key" in run("serve", folder / "bias", "--api-key-file", key, code=2)
