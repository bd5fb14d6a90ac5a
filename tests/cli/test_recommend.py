"""tastemap predict, recommend and similar."""

from pathlib import Path

import polars as pl
import pytest

from commands import ask, run
from tastemap.data.ratings import Ratings
from tastemap.models.als import ALS
from tastemap.models.bias import BiasModel
from tastemap.models.registry import load_model


def test_predict(folder: Path, tmp_path: Path, ratings: Ratings) -> None:
    (row,) = ask("predict", folder / "bias", 5, "Comedy 3 (1962)")["rows"]
    expected = BiasModel().fit(ratings).predict(5, 3)[0]
    assert row["item_id"] == 3
    assert row["predicted_rating"] == pytest.approx(expected, abs=1e-6)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("user_id,item_id\n5,3\n6,4\n")
    out = tmp_path / "predicted.csv"
    run("predict", folder / "bias", "--pairs", pairs, "-o", out)
    assert pl.read_csv(out)["predicted_rating"][0] == pytest.approx(expected, abs=1e-5)


def test_recommend_for_a_user_and_for_somebody_new(folder: Path, tmp_path: Path) -> None:
    rows = ask("recommend", folder / "dot", 5, "-k", 3)["rows"]
    assert [row["rank"] for row in rows] == [1, 2, 3]
    rate = ("--rate", "Comedy 3 (1962)=5", "--rate", "2=1")
    rows = ask("recommend", folder / "dot", *rate, "--where", "genres contains 'Comedy'")["rows"]
    assert len(rows) == 10
    assert all(row["title"].startswith("Comedy") and row["item_id"] != 3 for row in rows)
    mine = tmp_path / "mine.csv"
    mine.write_text("title,rating\nComedy 3 (1962),5\nDrama 2 (1961),1\n")
    answer = ask("recommend", folder / "dot", "--ratings", mine, "-k", 2)
    assert len(answer["rows"]) == 2
    assert answer["notes"] == ["mine.csv (Your list): 2 of 2 ratings used"]
    mine.write_text("title,rating\nComedy 3 (1962),5\nDrama 2 (1961),\n")
    answer = ask("recommend", folder / "dot", "--ratings", mine, "--by", "likely-and-liked")
    assert "1 of 1 rating used; 1 of 1 without a rating is taken as seen" in answer["notes"][0]
    assert {row["item_id"] for row in answer["rows"]}.isdisjoint({2, 3})
    seen = ("--rate", "3=5", "--seen", "Drama 2 (1961)", "--by", "likely-and-liked")
    likely = ask("recommend", folder / "dot", *seen)
    assert [row["item_id"] for row in likely["rows"]] == [r["item_id"] for r in answer["rows"]]
    wrong = run("recommend", folder / "dot", 5, "--by", "best", code=2)
    expected = "one of expected, cautious, curious, relative, likely-and-liked"
    assert f"by; expected {expected}; received 'best'" in wrong
    after = ("--after", 3, "--after", "Drama 2 (1961)")
    rows = ask("recommend", folder / "dot", *after, "-k", 2)["rows"]
    assert {row["item_id"] for row in rows}.isdisjoint({2, 3})
    later = ask("recommend", folder / "dot", *after, "-k", 2, "--gap", 86_400)["rows"]
    assert later == rows  # it does not look at time
    for_all = run("recommend", folder / "dot", "--all", "--gap", 5, "-o", mine, code=2)
    assert "received --gap, of one person" in for_all
    both = run("recommend", folder / "dot", 5, *after, code=2)
    assert "USER, --after; expected one of the two" in both
    both = run("recommend", folder / "dot", "--ratings", mine, *rate, code=2)
    assert "--rate, --ratings; expected one of the two" in both
    answer = ask("recommend", folder / "dot", 5, "-k", 80)
    assert "no more candidates" in answer["notes"][0]


def test_a_list_says_what_is_known_and_why(folder: Path) -> None:
    rate = ("--rate", "comedy 3=5", "--rate", "Comedy 5=5", "--rate", "2=1")
    rows = ask("recommend", folder / "dot", *rate, "-k", 4, "--why")["rows"]
    for row in rows:
        assert row["year"] == int(row["title"][-5:-1])
        assert row["genres"]
        assert row["popularity"] > 0
        assert row["reason"] is None or row["reason"].startswith(
            ("because of your 5", "almost", "most people")
        )
    shown = run("recommend", folder / "dot", *rate, "-k", 4, "--why")
    assert "expected" in shown
    assert "predicted" not in shown, "one name"
    assert "score" not in run("recommend", folder / "dot", 5, "--by", "expected"), "the same twice"
    for_all = run("recommend", folder / "dot", "--all", "--why", "--json", code=2)
    assert "received --why, of one person" in for_all


def test_new_items_are_listed_where_asked_for(tmp_path: Path, ratings: Ratings) -> None:
    new = pl.DataFrame({"item_id": [900], "title": ["Tomorrow"], "genres": [["Comedy"]]})
    model = ALS(n_factors=4, n_epochs=3, damping=0).fit(ratings, progress=False).add_items(new)
    saved = model.save(tmp_path / "model")
    rows = ask("recommend", saved, 5, "-k", 60, "--new")["rows"]
    assert {row["title"]: row["basis"] for row in rows}["Tomorrow"] == "facts"
    rows = ask("recommend", saved, 5, "-k", 50)["rows"]
    assert "Tomorrow" not in {row["title"] for row in rows}
    assert "basis" not in rows[0]


def test_lists_are_varied_calibrated_and_within_caps(folder: Path, tmp_path: Path) -> None:
    wishes = ("--diversity", 0.3, "--calibrated", "genres", "--at-most", "decade=2")
    rows = ask("recommend", folder / "dot", 5, "-k", 8, *wishes)["rows"]
    assert len(rows) == 8
    for out in (tmp_path / "lists.parquet", tmp_path / "lists.json"):
        run("recommend", folder / "dot", "--all", "-k", 8, *wishes, "-o", out)
    lists = pl.read_parquet(tmp_path / "lists.parquet").filter(user_id=5)
    assert lists["item_id"].to_list() == [row["item_id"] for row in rows]
    wrong = run("recommend", folder / "dot", 5, "--at-most", "decade", code=2)
    assert "--at-most; expected COLUMN=NUMBER; received 'decade'" in wrong
    wrong = run("recommend", folder / "dot", 5, "--diversity", "nan", code=2)
    assert "--diversity; expected a number from 0 to 1; received nan" in wrong
    spark = ("--all", "-o", tmp_path / "x", "--engine", "spark")
    wrong = run("recommend", folder / "dot", *spark, "--diversity", 0.3, code=2)
    assert "--diversity; expected this machine; received --engine spark" in wrong


def test_recommend_for_everyone(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "lists.parquet"
    run("recommend", folder / "bias", "--all", "-k", 3, "-o", out)
    lists = pl.read_parquet(out)
    assert len(lists) == 3 * 120
    rows = ask("recommend", folder / "bias", 5, "-k", 3)["rows"]
    own = lists.filter(user_id=5)
    assert own["item_id"].to_list() == [row["item_id"] for row in rows]
    model = load_model(folder / "bias")
    assert own["item_id"].equals(model.recommend(5, k=3, by="cautious")["item_id"])
    run("recommend", folder / "bias", "--all", "-k", 3, "--by", "curious", "--seed", 2, "-o", out)
    curious = model.recommend(5, k=3, by="curious", seed=2)["item_id"]
    assert pl.read_parquet(out).filter(user_id=5)["item_id"].equals(curious)
    likely = ["--by", "likely-and-liked", "--novelty", 0.1]
    every = ask("recommend", folder / "bias", "--all", "-k", 1, *likely)["rows"]
    assert len(every) == 120
    single = ask("recommend", folder / "bias", 5, "-k", 1, *likely)["rows"][0]
    assert any({"user_id": 5, **single} == {**single, **row} for row in every)
    assert "received --after, of" in run(
        "recommend", folder / "bias", "--all", "--after", 3, "-o", out, code=2
    )


def test_similar(folder: Path) -> None:
    rows = ask("similar", folder / "dot", "Comedy 1 (1960)", "-k", 4)["rows"]
    assert len(rows) == 4
    assert 1 not in {row["item_id"] for row in rows}
    (pair,) = ask("similar", folder / "dot", 1, 3)["rows"]
    assert -1 <= pair["similarity"] <= 1
    assert ask("similar", folder / "dot", 5, "--users", "-k", 2)["rows"][0]["user_id"] != 5
    assert "cannot compare" in run("similar", folder / "bias", 1, code=1)
    everything = ask("similar", folder / "dot", "--all", "-k", 4)
    assert [row["title"] for row in everything["rows"][:4]] == [row["title"] for row in rows]
    assert everything["notes"][0].startswith("every item compared with every other in ")
    near = ask("similar", folder / "dot", "--all", "--approximate")
    assert "of the 10 nearest of a sample of items it found" in near["notes"][0]


def test_a_model_of_interactions_answers_without_stars(clicks: Path) -> None:
    model = clicks / "model"
    for call in (["u2"], ["--like", "a0", "--like", "a3"]):
        rows = ask("recommend", model, *call, "-k", 3)["rows"]
        assert [row["item_id"][0] for row in rows] == ["a"] * 3
        assert "predicted_rating" not in rows[0]
    assert "use --like ITEM" in run("recommend", model, "--rate", "a0=5", code=2)
    assert "one of the two" in run("recommend", model, "--rate", "a0=5", "--like", "a0", code=2)
    assert [row["item_id"][0] for row in ask("similar", model, "b0", "-k", 2)["rows"]] == ["b", "b"]
    assert ask("search", "b7", "--in", model)["rows"][0]["item_id"] == "b7"
    assert ask("search", "b7", "--in", clicks / "clicks.csv")["rows"][0]["item_id"] == "b7"
    assert ask("info", model)["class"] == "EASE"


def test_a_model_of_ratings_asks_for_stars(folder: Path) -> None:
    assert "use --rate 'ITEM=5'" in run("recommend", folder / "bias", "--like", "7", code=2)
