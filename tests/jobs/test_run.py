"""One command from a table to a report, on tables of several kinds."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import trouble
from commands import ask, run
from tastemap.data.ratings import Ratings
from tastemap.data.readers.read import read_ratings
from tastemap.data.splits import Split
from tastemap.evaluation import choose
from tastemap.metrics.rating import rmse
from tastemap.models.registry import MODELS, load_model


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the slowest model, which is tested by itself."""
    monkeypatch.setitem(choose.GOALS, "ratings", ("bias", "knn", "mf"))


def table(path: Path, ratings: np.ndarray, n_users: int = 30) -> Path:
    """A CSV file without titles or times, every user with as many ratings."""
    rng = np.random.default_rng(0)
    each = len(ratings) // n_users
    items = np.concatenate([rng.choice(25, each, replace=False) for _ in range(n_users)])
    users = np.repeat(np.arange(n_users), each)
    columns = {"user": users, "item": items, "rating": ratings[: len(users)]}
    pl.DataFrame(columns).write_csv(path)
    return path


def test_a_table_becomes_a_model_a_leaderboard_and_a_report(
    tmp_path: Path, ratings: Ratings
) -> None:
    data, out = tmp_path / "ratings.csv", tmp_path / "run"
    times = pl.col("timestamp") // 7 * 7
    ratings.to_frame().with_columns(times).write_csv(data)
    run("run", data, "-o", out, "--seconds", 20)
    summary = json.loads((out / "leaderboard.json").read_text(encoding="utf-8"))
    assert summary["chosen"] == summary["models"][0]["model"]
    assert "(split forecast)" in summary["judged"], "choice and test are of one kind"
    assert "(split forecast)" in summary["tested_on"]
    model = load_model(out / "model")
    assert len(model.ratings_) == len(ratings)
    assert model.metrics_["test_rmse"] == pytest.approx(
        summary["test"]["Test errors"][0]["rmse"]
    ), "the test errors are those of the fit without the test part"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert all(title in page for title in ("Choosing the model", "The test", "What to try next"))
    assert "had no say" in page
    for text in (page, " ".join(summary["notes"])):
        assert text.count("drawn by seed") == 1, "equal times in both parts"


@pytest.mark.parametrize(
    "levels", [[0, 1], [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5], list(range(1, 11))]
)
def test_any_scale_and_no_titles_will_do(tmp_path: Path, levels: list[float]) -> None:
    values = np.random.default_rng(1).choice(levels, 300)
    data = table(tmp_path / "r.csv", values)
    summary = ask("run", data, "-o", tmp_path / "run", "--seconds", 20)
    assert summary["chosen"] in ("bias", "knn", "mf")
    assert (tmp_path / "run" / "report.html").is_file()


def test_fifty_ratings_are_enough(tmp_path: Path) -> None:
    values = np.random.default_rng(2).integers(1, 6, 50)
    run("run", table(tmp_path / "few.csv", values, n_users=10), "-o", tmp_path, "--seconds", 20)


def test_equal_ratings_are_ranked_instead(tmp_path: Path) -> None:
    data = table(tmp_path / "likes.csv", np.ones(300))
    summary = ask("run", data, "-o", tmp_path / "run", "--seconds", 20)
    assert summary["goal"] == "lists"


# The packages of the extras, which a core install does not have.
WITHOUT_EXTRAS = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"matplotlib", "plotly", "openTSNE", "keras", "jax", "optuna"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])
sys.meta_path.insert(0, Missing())
from tastemap.cli import main
from tastemap.evaluation import choose
choose.GOALS["ratings"] = ("bias", "mf")
main()
"""


@pytest.mark.slow
def test_a_core_install_gets_all_but_figures_and_map(tmp_path: Path, ratings: Ratings) -> None:
    data, out = tmp_path / "ratings.csv", tmp_path / "run"
    ratings.to_frame().write_csv(data)
    command = [sys.executable, "-c", WITHOUT_EXTRAS, "run", data, "-o", out, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    notes = json.loads(done.stdout)["notes"]
    assert any(note.startswith("no figures: package matplotlib") for note in notes)
    assert any(note.startswith("no map: package openTSNE") for note in notes)
    assert load_model(out / "model").recommend(5, k=3)["rank"].to_list() == [1, 2, 3]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Recommendations</h2>" in page
    assert "<img" not in page


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    data = table(tmp_path / "r.csv", np.random.default_rng(3).integers(1, 6, 300))
    (tmp_path / "run" / "model").mkdir(parents=True)
    note = tmp_path / "run" / "model" / "notes.txt"
    note.write_text("mine", encoding="utf-8")
    run("run", data, "-o", tmp_path / "run", code=1)
    assert note.read_text(encoding="utf-8") == "mine"


@pytest.mark.usefixtures("trouble")
def test_a_run_ends_in_its_time_and_says_what_more_would_bring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow model takes seven minutes, three times."""
    monkeypatch.setitem(choose.GOALS, "ratings", ("zero", "bias", "slow"))
    data = table(tmp_path / "r.csv", np.random.default_rng(4).integers(1, 6, 300))
    begin = time.monotonic()
    summary = ask("run", data, "-o", tmp_path / "run", "--seconds", 6)
    assert time.monotonic() - begin < 200, "a generous bound: other work may be in the way"
    rows = {row["model"]: row for row in summary["models"]}
    assert rows["slow"]["state"] in ("stopped", "skipped"), "skipped on a machine that is too busy"
    assert rows["zero"]["note"].startswith("ZeroDivisionError: division by zero; leave")
    assert any(note.endswith("slow too") for note in summary["notes"])


@pytest.mark.usefixtures("trouble")
def test_a_model_that_fails_only_later_costs_no_more_than_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ratings: Ratings
) -> None:
    monkeypatch.setitem(choose.GOALS, "ratings", ("bias", "tender"))
    _, outer = choose.fitting_split(ratings, "ratings", 0.2, 0)
    _, inner = choose.fitting_split(outer.train, "ratings", 0.1, 0)
    monkeypatch.setitem(MODELS, "tender", ("TenderModel", {"most": len(inner.train)}))
    data = tmp_path / "ratings.csv"
    ratings.to_frame().write_csv(data)
    summary = ask("run", data, "-o", tmp_path / "run", "--seconds", 600)
    assert summary["models"][0]["model"] == "tender"
    assert summary["chosen"] == "bias", "the best failed in the fit for the test"
    assert any("tender would have been chosen, but failed" in note for note in summary["notes"])
    monkeypatch.setitem(MODELS, "tender", ("TenderModel", {"most": len(outer.train)}))
    summary = ask("run", data, "-o", tmp_path / "run", "--seconds", 600)
    assert summary["chosen"] == "tender"
    assert any(
        f"on {len(outer.train):,} of 3,000 ratings: ZeroDivision" in note
        for note in summary["notes"]
    )
    assert len(load_model(tmp_path / "run" / "model").ratings_) == len(outer.train)


@pytest.mark.usefixtures("trouble")
def test_a_saved_model_that_was_stopped_says_so_and_the_judged_fit_is_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(choose.GOALS, "ratings", ("slow",))
    fits, fit = list[int](), trouble.SlowModel.fit

    def counted(model: trouble.SlowModel, ratings: Ratings, **options: Any) -> Any:
        fits.append(len(ratings))
        return fit(model, ratings, **options)

    monkeypatch.setattr(trouble.SlowModel, "fit", counted)
    data = table(tmp_path / "r.csv", np.random.default_rng(4).integers(1, 6, 300))
    summary = ask("run", data, "-o", tmp_path / "run", "--seconds", 0.01)
    assert fits == [216, 300], "for the choice, then on all: there was no time for a third"
    assert any("was stopped by its time: 1 of 40000" in note for note in summary["notes"])
    assert load_model(tmp_path / "run" / "model").recommend(5, k=1).height == 1


def test_a_file_of_test_ratings_is_the_test(
    tmp_path: Path, split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(choose.GOALS, "ratings", ("bias", "knn"))
    for name, part in zip(("train.csv", "test.csv"), split, strict=True):
        part.to_frame().drop("timestamp").write_csv(tmp_path / name)
    words = (tmp_path / "train.csv", "--test", tmp_path / "test.csv")
    summary = ask("run", *words, "-o", tmp_path / "run", "--seconds", 600)
    assert summary["tested_on"] == f"{len(split.test):,} ratings of test.csv"
    assert "(split random)" in summary["judged"]
    model = load_model(tmp_path / "run" / "model")
    assert len(model.ratings_) == len(split.train), "the tested model is the saved one"
    errors = summary["test"]["Test errors"][0]
    test = read_ratings(tmp_path / "test.csv")
    assert errors["rmse"] == pytest.approx(rmse(test.rating, model.predict_ratings(test)))


def test_clicks_become_a_model_a_leaderboard_and_a_report(
    tmp_path: Path, ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "MODELS_OF_INTERACTIONS", ("popularity", "item-knn"))
    data, out = tmp_path / "clicks.csv", tmp_path / "run"
    likes = ratings.likes().to_frame().drop("weight")
    likes.with_columns(pl.col("timestamp") + 1_700_000_000).write_csv(data)
    summary = ask("run", data, "-o", out, "--seconds", 600)
    assert summary["notes"][0].endswith("no ratings: lists, no stars")
    assert (summary["goal"], summary["metric"]) == ("lists", "ndcg")
    assert summary["interactions"]["interactions"] == len(likes)
    assert summary["chosen"] == "item-knn"
    assert "interactions (split forecast)" in summary["tested_on"]
    model = load_model(out / "model")
    assert len(model.fitted_data) == len(likes)
    scores = {row["metric"]: row["item-knn"] for row in summary["test"]["Test lists"]}
    assert model.metrics_["test_ndcg"] == pytest.approx(scores["ndcg"])
    gaps = summary["test"]["Test lists by the time since the user was there last"]
    every = {row["model"]: row for row in gaps if row["gap"] == "all"}
    assert every["item-knn"]["ndcg"] == pytest.approx(scores["ndcg"])
    assert every["baseline"]["users"] == scores["users"]
    assert 0 < model.metrics_["baseline_test_ndcg"] < scores["ndcg"]
    assert "baseline_test_users" not in model.metrics_
    page = (out / "report.html").read_text(encoding="utf-8")
    titles = ("The interactions", "Choosing the model", "The test", "Neighbours", "Recommendations")
    assert all(f"{title}</h2>" in page for title in titles)
    assert "The same lists by the time since the user was there last" in page
    assert "expected rating" not in page
    assert "tastemap serve" in page, "the second of two commands"
    again = ("run", data, "-o", tmp_path / "again")
    text = run(*again, "--goal", "ratings", code=2)
    assert "--goal; expected lists, for a table of interactions" in text
    ratings.to_frame().write_csv(tmp_path / "ratings.csv")
    text = run(*again, "--test", tmp_path / "ratings.csv", code=2)
    assert "--test; expected interactions as in DATA; received ratings" in text
    assert not (tmp_path / "again").exists()


def test_lists_of_counts_can_be_chosen_and_tested(tmp_path: Path) -> None:
    plays = np.random.default_rng(5).pareto(0.5, 300).astype(int) + 1
    plays[0] = 350_000
    data = table(tmp_path / "plays.csv", plays)
    options = ("--rating", "rating", "--goal", "lists", "--seconds", 600)
    summary = ask("run", data, "-o", tmp_path / "run", *options)
    assert any("counts as liked from" in note for note in summary["notes"])
    assert summary["test"]["Test lists"]
