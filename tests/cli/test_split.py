"""tastemap split."""

from pathlib import Path

from commands import ask, run
from tastemap.data.ratings import Ratings


def test_the_parts_of_a_table_on_disk_are_fitted_and_scored(
    ratings: Ratings, tmp_path: Path
) -> None:
    ratings.to_frame().write_parquet(tmp_path / "r.parquet")
    run("prepare", tmp_path / "r.parquet", "-o", tmp_path / "table")
    parts = ask("split", tmp_path / "table", "--by", "time", "-o", tmp_path / "parts")
    assert parts["train ratings"] + parts["test ratings"] == len(ratings)
    run("fit", tmp_path / "parts" / "train", "-m", "mf", "-o", tmp_path / "mf")
    tables = ask("evaluate", tmp_path / "parts" / "test", "-m", tmp_path / "mf")["tables"]
    assert 0 < tables[0]["rows"][0]["rmse"] < 2
    assert len(ask("recommend", tmp_path / "mf", 5, "-k", 3)["rows"]) == 3


def test_the_parts_of_a_table_of_clicks_are_fitted_and_scored(clicks: Path, tmp_path: Path) -> None:
    parts = ask("split", clicks / "clicks.csv", "-o", tmp_path / "parts", "--test-size", 0.2)
    assert parts["train interactions"] + parts["test interactions"] == 240
    train, test = (tmp_path / "parts" / name for name in ("train", "test"))
    tables = ask("evaluate", train, "--test", test, "-m", "ease")["tables"]
    scores = {row["metric"]: row for row in tables[0]["rows"]}
    assert scores["ndcg"]["value"] > scores["ndcg"]["popularity"]
