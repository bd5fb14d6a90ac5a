"""tastemap prepare."""

from pathlib import Path

from commands import ask
from tastemap.data.ratings import Ratings


def test_a_table_on_disk_is_read_like_a_file(ratings: Ratings, tmp_path: Path) -> None:
    ratings.to_frame().write_parquet(tmp_path / "r.parquet")
    facts = ask("prepare", tmp_path / "r.parquet", "-o", tmp_path / "table")
    assert facts["ratings"] == len(ratings)
    assert ask("describe", tmp_path / "table")["tables"][0]["rows"][0]["users"] == ratings.n_users
