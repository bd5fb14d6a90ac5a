"""tastemap lab."""

from pathlib import Path

import pytest

from commands import ask


@pytest.mark.slow
def test_the_lab_from_end_to_end(folder: Path, tmp_path: Path) -> None:
    answer = ask("lab", "--data", folder / "release", "-o", tmp_path / "demo")
    assert answer["ratings"]["ratings"] == 3000
    assert answer["chosen"] == answer["leaderboard"][0]["model"]
    assert (tmp_path / "demo" / "report.html").stat().st_size > 100_000
    rows = ask("recommend", tmp_path / "demo" / "model", 5)["rows"]
    assert len(rows) == 10
