"""tastemap map and report."""

from pathlib import Path

from commands import ask, run


def test_map_is_drawn_once_and_kept(folder: Path, tmp_path: Path) -> None:
    answer = ask("map", folder / "dot", "-o", tmp_path / "map.html")
    assert "most similar items" in answer["how true it is"]
    kept = (folder / "dot" / "map.parquet").read_bytes()
    run("map", folder / "dot", "-o", tmp_path / "map.png", "--colour", "genre")
    assert (folder / "dot" / "map.parquet").read_bytes() == kept
    assert (tmp_path / "map.png").read_bytes()[:4] == b"\x89PNG"
    assert "-o; expected .html" in run("map", folder / "dot", "-o", tmp_path / "map.gif", code=2)


def test_report_of_a_saved_model(folder: Path, tmp_path: Path) -> None:
    run("report", folder / "dot", "-o", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for title in ("The ratings", "Training", "Neighbours", "Map of the items", "Recommendations"):
        assert f"{title}</h2>" in page
