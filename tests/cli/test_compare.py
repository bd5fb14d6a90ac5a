"""tastemap compare."""

from pathlib import Path

import polars as pl

from commands import ask, run


def test_compare_chooses_on_validation(folder: Path) -> None:
    answer = ask("compare", folder / "release", "-m", "bias, mf", "--split", "per-user")
    assert {row["model"] for row in answer["rows"]} == {"bias", "mf"}
    assert answer["chosen"] == answer["rows"][0]["model"]
    assert any(
        note.startswith(f"chosen: {answer['chosen']}, by the rmse") for note in answer["notes"]
    )
    assert {row["reference"] for row in answer["differences"]} == {answer["chosen"]}


def test_compare_ranks_and_writes_pages_and_tables(folder: Path, tmp_path: Path) -> None:
    words = ("compare", folder / "release", "-m", "bias,ease:reg=20", "-k", 5)
    shown = run(*words, "-o", tmp_path / "board.html")
    for part in ("Errors of predicted ratings", "Lists of 5", "Cost:", "ease:reg=20"):
        assert part in shown
    page = (tmp_path / "board.html").read_text(encoding="utf-8")
    assert page.count("<h2") == 6
    assert page.count("<img") == 5
    assert "without rmse" not in page
    run(*words, "-o", tmp_path / "board.csv", "--by", "rmse", "--reference", "bias")
    assert pl.read_csv(tmp_path / "board.csv")["model"].to_list() == ["bias", "ease:reg=20"]


def test_compare_says_what_is_wrong_before_it_fits(folder: Path) -> None:
    release = folder / "release"
    assert ".html, .csv" in run("compare", release, "-o", "board.docx", code=2)
    assert "expected each once" in run("compare", release, "-m", "bias,bias", code=2)
    assert "options of model mf" in run("compare", release, "-m", "mf:colour=red", code=2)
    assert "one of rmse, mae" in run("compare", release, "--by", "auc", code=2)


def test_models_are_compared_by_lists_where_there_are_no_ratings(clicks: Path) -> None:
    board = ask("compare", clicks / "clicks.csv", "-m", "popularity,ease,bias")
    assert (board["by"], board["chosen"]) == ("ndcg", "ease")
    failed = next(row for row in board["rows"] if row["model"] == "bias")
    assert "received interactions (no ratings)" in failed["failed"]
    assert not any("rating" in note for note in board["notes"][:1] if "no ratings" not in note)
