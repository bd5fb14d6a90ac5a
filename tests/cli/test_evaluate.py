"""tastemap evaluate."""

from pathlib import Path

from commands import ask


def test_evaluate_stands_beside_the_baseline(folder: Path) -> None:
    answer = ask("evaluate", folder / "release", "-m", "bias", "--split", "per-user", "--seed", 3)
    overall = answer["tables"][0]["rows"]
    assert [row["model"] for row in overall] == ["BiasModel", "baseline"]
    assert overall[0]["mae"] == overall[1]["mae"] < 1.0
    answer = ask("evaluate", folder / "release", "-m", "ease")
    assert [row["metric"] for row in answer["tables"][0]["rows"]][:3] == [
        "recall",
        "precision",
        "ndcg",
    ]
    answer = ask("evaluate", folder / "release", "-m", "bias", "--lists")
    assert len(answer["tables"]) == 3
    saved = ask("evaluate", folder / "release", "-m", folder / "bias")
    assert "too good to be true" in saved["notes"][0]
