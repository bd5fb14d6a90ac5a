"""tastemap prepare."""

from pathlib import Path

import polars as pl

from commands import ask, run
from tastemap.data.ratings import Ratings


def test_a_table_on_disk_is_read_like_a_file(ratings: Ratings, tmp_path: Path) -> None:
    ratings.to_frame().write_parquet(tmp_path / "r.parquet")
    facts = ask("prepare", tmp_path / "r.parquet", "-o", tmp_path / "table")
    assert facts["ratings"] == len(ratings)
    assert ask("describe", tmp_path / "table")["tables"][0]["rows"][0]["users"] == ratings.n_users


def test_a_table_without_ratings_goes_elsewhere(clicks: Path, tmp_path: Path) -> None:
    pl.read_csv(clicks / "clicks.csv").drop("clicks").write_parquet(tmp_path / "c.parquet")
    line = run("prepare", tmp_path / "c.parquet", "-o", tmp_path / "table", code=1)
    assert "ratings alone are prepared" in line
    assert "as it is to split, fit" in line
