"""tastemap run; what it writes is tested in tests/jobs/test_run.py."""

from pathlib import Path

from commands import run

PAIRS = [(user, item) for user in range(5) for item in range(2)]


def test_ten_ratings_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    table = tmp_path / "ten.csv"
    rows = [f"{user},{item},{1 + item}" for user, item in PAIRS]
    table.write_text("\n".join(["user,item,rating", *rows]))
    assert "at least 20" in run("run", table, "-o", tmp_path / "out", code=2)
    table.write_text("\n".join(["user,item", *(f"{user},{item}" for user, item in PAIRS)]))
    text = run("run", table, "-o", tmp_path / "out", code=2)
    assert "interactions; expected at least 20" in text
    assert "tastemap fit -m popularity" in text
    assert not (tmp_path / "out").exists()
