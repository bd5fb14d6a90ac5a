"""tastemap evaluate."""

from pathlib import Path

from commands import ask, run


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


def test_a_file_of_test_ratings_is_read_as_the_other_is(tmp_path: Path) -> None:
    """A published split, both parts with semicolons; only the tests know one user and one item."""
    head = "who;what;stars"
    rows = [
        f"u{user};i{(user + step) % 9};{1 + (user * step) % 5}"
        for user in range(20)
        for step in range(6)
    ]
    (tmp_path / "u1.base").write_text(
        "\n".join([head, *(row for n, row in enumerate(rows) if n % 6)]), encoding="utf-8"
    )
    test = [head, rows[1], *rows[::6], "u99;i1;3", "u1;i99;2"]
    (tmp_path / "u1.test").write_text("\n".join(test), encoding="utf-8")
    reading = ("--user", "who", "--item", "what", "--rating", "stars", "--delimiter", ";")
    words = (tmp_path / "u1.base", "--test", tmp_path / "u1.test", *reading)
    answer = ask("evaluate", *words, "-m", "bias")
    assert answer["tables"][0]["rows"][0]["n"] == 23
    for note in (
        "tested on 23 ratings of u1.test",
        "1 of 23 test pairs is among the training ratings too: the errors are too good to be true",
        "1 test rating is of a user that the model does not know",
        "1 test rating is of an item that the model does not know",
    ):
        assert note in answer["notes"]
    board = ask("compare", *words, "-m", "bias,knn")
    assert "tested on 23 ratings of u1.test" in board["notes"]
    page = tmp_path / "board.html"
    run("compare", *words, "-m", "bias,knn", "-o", page)
    assert "u1.test" in page.read_text(encoding="utf-8")
    assert "one of the two" in run("evaluate", *words, "--split", "per-user", code=2)
    assert "no such file" in run("evaluate", words[0], "--test", "nowhere.csv", code=1)


def test_interactions_are_scored_by_lists_beside_the_popular_items(clicks: Path) -> None:
    for split in ("random", "last", "forecast"):
        answer = ask("evaluate", clicks / "clicks.csv", "--split", split)
        table, *gaps = answer["tables"]
        assert len(gaps) == (split != "random"), "of these users a fifth is one item, the last"
        ndcg = next(row for row in table["rows"] if row["metric"] == "ndcg")
        assert ndcg["value"] > ndcg["popularity"]
        assert any("model ease" in note for note in answer["notes"])
    test = ask("evaluate", clicks / "clicks.csv", "-m", clicks / "model")
    assert list(test["tables"][0]["rows"][0]) == ["metric", "k", "value", "popularity"]
    assert any("so each counts as a miss" in note for note in test["notes"])
