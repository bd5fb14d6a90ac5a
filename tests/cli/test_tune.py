"""tastemap tune."""

from pathlib import Path

from commands import ask, run


def test_the_command_that_fits_the_best_reads_the_clicks_in_the_same_way(
    clicks: Path, tmp_path: Path
) -> None:
    how = ("tune", "item-knn", clicks / "clicks.csv", "--weight", "clicks", "--trials", 3)
    answer = ask(*how, "-o", tmp_path / "best")
    assert answer["metric"] == "ndcg"
    assert answer["notes"][0].endswith("no ratings: lists, no stars")
    words = answer["fit"].split()
    assert words[:5] == ["tastemap", "fit", str(clicks / "clicks.csv"), "--weight", "clicks"]
    run(*words[1:], "-o", tmp_path / "again")
    same = [ask("recommend", tmp_path / name, "u1")["rows"] for name in ("best", "again")]
    assert same[0] == same[1]
    refusal = run("tune", "bias", clicks / "clicks.csv", code=1)
    assert "BiasModel.fit; expected ratings; received interactions" in refusal


def test_tune_prints_the_command_that_fits_the_best(folder: Path, tmp_path: Path) -> None:
    how = ("tune", "bias", folder / "release", "--trials", 6, "--study", tmp_path / "study.db")
    assert "100,000 ratings" in run(*how, "--split", "u1", code=2)
    answer = ask(*how, "--split", "time", "--figure", tmp_path / "search.html")
    assert answer["value"] < answer["default_value"]
    assert len(answer["trials"]) == 6
    assert "the 600 test ratings of the split time were not looked at" in answer["notes"]
    assert "The trials</h2>" in (tmp_path / "search.html").read_text(encoding="utf-8")
    text = run(*how, "--split", "time", "-o", tmp_path / "best", "--figure", tmp_path / "s.png")
    command = text.splitlines()[-1].split()
    assert command[:4] == ["tastemap", "fit", str(folder / "release"), "-m"]
    run(*command[1:], "-o", tmp_path / "again")
    same = [ask("predict", tmp_path / name, 5, 3)["rows"] for name in ("best", "again")]
    assert same[0] == same[1]
    assert (tmp_path / "s.png").read_bytes()[:4] == b"\x89PNG"
