"""tastemap map and report."""

from pathlib import Path

import pytest

from commands import ask, run


def test_map_is_drawn_once_and_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = ask("map", folder / "dot")
    assert "-o map.html writes a page" in answer["page"]
    assert [*tmp_path.iterdir()] == [], "no page unasked"
    answer = ask("map", folder / "dot", "-o", tmp_path / "map.html")
    assert answer["page"] == str(tmp_path / "map.html")
    assert "films that are most like a film" in answer["how true it is"]
    kept = (folder / "dot" / "map.parquet").read_bytes()
    run("map", folder / "dot", "-o", tmp_path / "map.png", "--colour", "genre")
    assert (folder / "dot" / "map.parquet").read_bytes() == kept
    assert (tmp_path / "map.png").read_bytes()[:4] == b"\x89PNG"
    assert "-o; expected .html" in run("map", folder / "dot", "-o", tmp_path / "map.gif", code=2)


def test_map_and_report_of_a_model_of_interactions(clicks: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "ials", tmp_path / "report.html"
    small = ("--set", "n_factors=4", "--set", "n_epochs=2")
    run("fit", clicks / "clicks.csv", "-m", "ials", "-o", model, *small)
    refusal = run("map", model, "-o", tmp_path / "map.html", "--colour", "average", code=2)
    assert "expected one of popularity, year, genre, for a table without ratings" in refusal
    run("report", model, "-o", out)
    page = out.read_text(encoding="utf-8")
    for title in ("The interactions", "Neighbours", "Map of the articles", "Recommendations"):
        assert f"{title}</h2>" in page
    assert "no ratings: lists, no stars" in page
    assert "predicted rating" not in page


def test_report_of_a_saved_model(folder: Path, tmp_path: Path) -> None:
    run("report", folder / "dot", "-o", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for title in ("The ratings", "Training", "Neighbours", "Map of the films", "Recommendations"):
        assert f"{title}</h2>" in page
    assert page.count('class="map card"') == 1
    assert "<dt>data</dt><dd>" in page.partition("<h2")[0], "a summary on top"
    assert "<dt>seed</dt><dd>0</dd>" in page
