"""tastemap search."""

from pathlib import Path

from commands import ask


def test_search(folder: Path) -> None:
    rows = ask("search", "comedy", "7", "--in", folder / "bias")["rows"]
    assert any(row["title"] == "Comedy 7 (1966)" for row in rows)
