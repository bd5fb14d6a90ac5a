"""tastemap explain."""

from pathlib import Path

import pytest

from commands import ask, run


def test_explain(folder: Path) -> None:
    rate = ("--rate", "comedy 1=5", "--rate", "Drama 2 (1961)=1")
    rows = ask("explain", folder / "dot", "3", *rate)["rows"]
    assert {row["title"] for row in rows} == {None, "Comedy 1 (1960)", "Drama 2 (1961)"}
    predicted = sum(row["contribution"] for row in rows)
    shown = run("explain", folder / "dot", "3", *rate, "-k", 1)
    assert f"Comedy 3 (1962): expected rating {predicted:.2f}" in shown
    assert "1 other rating" in shown
    (row,) = ask("predict", folder / "bias", 5, 3)["rows"]
    own = ask("explain", folder / "bias", "3", "--user", 5)["rows"]
    assert sum(part["contribution"] for part in own) == pytest.approx(row["predicted_rating"])
