"""The command line, as a person uses it: real files, real models, exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tastemap.cli import app
from tastemap.data.ratings import Ratings
from tastemap.models.bias import BiasModel

COMMANDS = {
    *("fetch", "describe", "lab", "fit", "evaluate", "compare", "tune", "run", "predict"),
    *("recommend", "similar", "search", "map", "report", "info", "doctor"),
    *("serve", "update", "export", "synthesize", "prepare", "split"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, ratings: Ratings) -> Path:
    """A folder in the form of MovieLens' newer releases, and models fitted on it."""
    path = tmp_path_factory.mktemp("cli")
    release = path / "release"
    release.mkdir()
    columns = {"user_id": "userId", "item_id": "movieId"}
    ratings.to_frame().rename(columns).write_csv(release / "ratings.csv")
    ratings.item_table.select(
        pl.col("item_id").alias("movieId"),
        pl.format("{} ({})", "title", "year").alias("title"),
        pl.col("genres").list.join("|"),
    ).write_csv(release / "movies.csv")
    run("fit", release, "-m", "bias", "-o", path / "bias")
    run("fit", release, "-m", "dot", "-o", path / "dot", "--set", "n_epochs=3")
    return path


def run(*words: object, code: int = 0) -> str:
    """Run a command in this process; its standard output, once the exit code is as expected."""
    result = CliRunner().invoke(app, [str(word) for word in words], prog_name="tastemap")
    assert result.exit_code == code, result.stderr or result.stdout
    assert "Traceback" not in result.stderr
    if code:
        assert len(result.stderr.splitlines()) == 1, result.stderr
        return result.stderr
    return result.stdout


def ask(*words: object) -> dict:
    return json.loads(run(*words, "--json"))


def test_help_lists_every_command_and_no_other() -> None:
    listed = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert listed == COMMANDS
    for command in COMMANDS - {"serve"}:  # which answers over HTTP
        assert "--json" in run(command, "--help"), command


def test_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tastemap"]
    told = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert "recommend" in told.stdout
    wrong = subprocess.run(
        [*command, "info", "nowhere"], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("tastemap: path nowhere; expected a saved model")
    assert "Traceback" not in wrong.stderr
    debug = subprocess.run(
        [*command, "info", "nowhere", "--debug"], capture_output=True, text=True, check=False
    )
    assert debug.returncode == 1
    assert "Traceback" in debug.stderr


def test_describe_tells_what_is_there_and_what_was_inferred(folder: Path) -> None:
    told = ask("describe", folder / "release" / "ratings.csv")
    (glance,) = told["tables"][0]["rows"]
    assert (glance["ratings"], glance["users"], glance["items"]) == (3000, 120, 80)
    assert any("userId read as user" in note for note in told["notes"])
    text = run("describe", folder / "release")
    assert "3,000" in text


def test_describe_with_columns_named_and_figures(folder: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.txt"
    odd.write_text("who;what;how\nann;7;1\nann;8;5\nben;7;3\n")
    how = ("--user", "who", "--item", "what", "--rating", "how", "--delimiter", ";")
    (glance,) = ask("describe", odd, *how)["tables"][0]["rows"]
    assert (glance["ratings"], glance["lowest"], glance["highest"]) == (3, 1, 5)
    run("describe", folder / "release", "-o", tmp_path / "figures")
    written = {path.name for path in (tmp_path / "figures").iterdir()}
    assert written == {
        "popularity.png",
        "rating_counts.png",
        "ratings_per_user.png",
        "releases_per_year.png",
    }


def test_bad_rows_are_skipped_where_one_says_so(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("user,item,rating\nann,7,1\nann,8,many\nben,7,3\n")
    assert "bad.csv, line 3, column rating" in run("describe", bad, code=1)
    told = ask("describe", bad, "--on-bad-row", "skip")
    assert told["tables"][0]["rows"][0]["ratings"] == 2
    assert any("1 bad rows skipped" in note for note in told["notes"])
    assert "on_bad_row; expected 'error' or 'skip'" in run(
        "describe", bad, "--on-bad-row", "keep", code=2
    )


def test_synthesize_expands_a_set_and_draws_it(folder: Path, tmp_path: Path) -> None:
    out, figure = tmp_path / "big", tmp_path / "shape.png"
    words = ("synthesize", "--like", folder / "release", "-o", out, "--format", "parquet")
    made = ask(*words, "--ratings", "2e4", "--items", 150, "--seed", 3, "--figure", figure)
    assert (made["ratings"], made["users"], made["items"]) == (20_000, 800, 150)
    assert figure.stat().st_size > 10_000
    (glance,) = ask("describe", out)["tables"][0]["rows"]
    assert (glance["ratings"], glance["users"], glance["items"]) == (20_000, 800, 150)
    assert "--ratings; expected how many ratings" in run(*words, code=2)
    assert "expected a whole number" in run(*words, "--ratings", 0.5, code=2)
    assert "--figure; expected a .png" in run(
        *words, "--ratings", 4000, "--figure", "shape.gif", code=2
    )


def test_a_release_is_a_size_which_the_base_is_expanded_to(folder: Path, tmp_path: Path) -> None:
    small = ("--users", 150, "--items", 100, "--ratings", 4000)
    words = ("synthesize", "--like", "ml-25m", "--base", folder / "release", *small)
    made = ask(*words, "-o", tmp_path / "big")
    assert (made["ratings"], made["users"], made["items"]) == (4000, 150, 100)


def test_evaluate_stands_beside_the_baseline(folder: Path) -> None:
    told = ask("evaluate", folder / "release", "-m", "bias", "--split", "per-user", "--seed", 3)
    overall = told["tables"][0]["rows"]
    assert [row["model"] for row in overall] == ["BiasModel", "baseline"]
    assert overall[0]["mae"] == overall[1]["mae"] < 1.0
    told = ask("evaluate", folder / "release", "-m", "ease")
    assert [row["metric"] for row in told["tables"][0]["rows"]][:3] == [
        "recall",
        "precision",
        "ndcg",
    ]
    told = ask("evaluate", folder / "release", "-m", "bias", "--lists")
    assert len(told["tables"]) == 3
    saved = ask("evaluate", folder / "release", "-m", folder / "bias")
    assert "too good to be true" in saved["notes"][0]


def test_compare_chooses_on_validation(folder: Path) -> None:
    told = ask("compare", folder / "release", "-m", "bias, mf", "--split", "per-user")
    assert {row["model"] for row in told["rows"]} == {"bias", "mf"}
    assert told["chosen"] == told["rows"][0]["model"]
    assert any(note.startswith(f"chosen: {told['chosen']}, by the rmse") for note in told["notes"])
    assert {row["reference"] for row in told["differences"]} == {told["chosen"]}


def test_compare_ranks_and_writes_pages_and_tables(folder: Path, tmp_path: Path) -> None:
    words = ("compare", folder / "release", "-m", "bias,ease:reg=20", "-k", 5)
    shown = run(*words, "-o", tmp_path / "board.html")
    for part in ("Errors of predicted ratings", "Lists of 5", "Cost:", "ease:reg=20"):
        assert part in shown
    page = (tmp_path / "board.html").read_text(encoding="utf-8")
    assert page.count("<h2") == 5
    assert page.count("<img") == 4
    assert "without rmse" not in page
    run(*words, "-o", tmp_path / "board.csv", "--by", "rmse", "--reference", "bias")
    assert pl.read_csv(tmp_path / "board.csv")["model"].to_list() == ["bias", "ease:reg=20"]


def test_compare_says_what_is_wrong_before_it_fits(folder: Path) -> None:
    release = folder / "release"
    assert ".html, .csv" in run("compare", release, "-o", "board.docx", code=2)
    assert "expected each once" in run("compare", release, "-m", "bias,bias", code=2)
    assert "options of model mf" in run("compare", release, "-m", "mf:colour=red", code=2)
    assert "one of rmse, mae" in run("compare", release, "--by", "auc", code=2)


def test_options_of_reading_are_not_ignored_with_the_name_of_a_data_set() -> None:
    said = run("describe", "ml-100k", "--duplicates", "mean", "--no-header", code=2)
    assert "--header, --duplicates; expected a file or folder to read" in said


def test_tune_prints_the_command_that_fits_the_best(folder: Path, tmp_path: Path) -> None:
    how = ("tune", "bias", folder / "release", "--trials", 6, "--study", tmp_path / "study.db")
    assert "100,000 ratings" in run(*how, "--split", "u1", code=2)
    told = ask(*how, "--split", "time", "--figure", tmp_path / "search.html")
    assert told["value"] < told["default_value"]
    assert len(told["trials"]) == 6
    assert "the 600 test ratings of the split time were not looked at" in told["notes"]
    assert "The trials</h2>" in (tmp_path / "search.html").read_text(encoding="utf-8")
    text = run(*how, "--split", "time", "-o", tmp_path / "best", "--figure", tmp_path / "s.png")
    command = text.splitlines()[-1].split()
    assert command[:4] == ["tastemap", "fit", str(folder / "release"), "-m"]
    run(*command[1:], "-o", tmp_path / "again")
    same = [ask("predict", tmp_path / name, 5, 3)["rows"] for name in ("best", "again")]
    assert same[0] == same[1]
    assert (tmp_path / "s.png").read_bytes()[:4] == b"\x89PNG"


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
    assert ask("recommend", folder / "dot", "--ratings", mine, "-k", 2)["rows"]
    told = ask("recommend", folder / "dot", 5, "-k", 80)
    assert "no more candidates" in told["notes"][0]


def test_recommend_for_everyone(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "lists.parquet"
    run("recommend", folder / "bias", "--all", "-k", 3, "-o", out)
    lists = pl.read_parquet(out)
    assert len(lists) == 3 * 120
    rows = ask("recommend", folder / "bias", 5, "-k", 3)["rows"]
    own = lists.filter(user_id=5)
    assert own["item_id"].to_list() == [row["item_id"] for row in rows]
    assert len(ask("recommend", folder / "bias", "--all", "-k", 1)["rows"]) == 120


def test_a_table_on_disk(folder: Path, ratings: Ratings, tmp_path: Path) -> None:
    ratings.to_frame().write_parquet(tmp_path / "r.parquet")
    facts = ask("prepare", tmp_path / "r.parquet", "-o", tmp_path / "table")
    assert facts["ratings"] == len(ratings)
    assert ask("describe", tmp_path / "table")["tables"][0]["rows"][0]["users"] == ratings.n_users
    parts = ask("split", tmp_path / "table", "--by", "time", "-o", tmp_path / "parts")
    assert parts["train ratings"] + parts["test ratings"] == len(ratings)
    run("fit", tmp_path / "parts" / "train", "-m", "mf", "-o", tmp_path / "mf")
    tables = ask("evaluate", tmp_path / "parts" / "test", "-m", tmp_path / "mf")["tables"]
    assert 0 < tables[0]["rows"][0]["rmse"] < 2
    assert len(ask("recommend", tmp_path / "mf", 5, "-k", 3)["rows"]) == 3


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


def test_search(folder: Path) -> None:
    rows = ask("search", "comedy", "7", "--in", folder / "bias")["rows"]
    assert any(row["title"] == "Comedy 7 (1966)" for row in rows)


def test_map_is_drawn_once_and_kept(folder: Path, tmp_path: Path) -> None:
    told = ask("map", folder / "dot", "-o", tmp_path / "map.html")
    assert "most similar items" in told["how true it is"]
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


def test_version() -> None:
    assert run("--version").startswith("tastemap 0.")


def test_info_and_doctor(folder: Path) -> None:
    told = ask("info", folder / "dot")
    assert told["class"] == "FactorModel"
    assert told["learnt_by"] == "NeuralRecommender(dot)"
    checks = {row["check"]: row["state"] for row in ask("doctor")["rows"]}
    assert checks["Python"] == "ok"
    assert "wrong" not in checks.values()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("describe", "nowhere.csv"), 1, "expected a file or folder, or one of ml-100k"),
        (("fetch", "ml-7"), 2, "ml-100k"),
        (("recommend",), 2, "Missing argument 'model'; see tastemap recommend --help"),
        (("recomend", "MODEL"), 2, "Did you mean 'recommend'?"),
        (("recommend", "MODEL", "5", "-k", "five"), 2, "Invalid value for '-k'"),
        (("recommend", "MODEL", "5", "--kk", "3"), 2, "No such option: --kk"),
        (("recommend", "MODEL", "9999"), 2, "nearest: 120"),
        (("recommend", "MODEL", "5", "-k", "1000"), 2, "from 1 to 80"),
        (("recommend", "MODEL", "5", "--where", "colour = 'red'"), 2, "colour"),
        (("recommend", "MODEL", "--rate", "Comedy 3"), 2, '"item=rating"'),
        (("recommend", "MODEL", "--rate", "Comdy 3 (1962)=5"), 2, "Comedy 3 (1962)"),
        (("recommend", "MODEL", "--rate", "3=99"), 2, "each from 1 to 5 in steps of 1"),
        (("recommend", "MODEL", "--ratings", "RELEASE"), 1, "expected a table"),
        (("recommend", "MODEL"), 2, "one of the two"),
        (("recommend", "MODEL", "--all"), 2, "expected -o FILE, or --json"),
        (("recommend", "MODEL", "--all", "-o", "x.csv", "--memory", "much"), 2, "512MiB or 2GB"),
        (
            ("recommend", "MODEL", "--all", "-o", "x.csv", "--memory", "1kB"),
            2,
            "at least 5,120 bytes",
        ),
        (("similar", "MODEL", "--all"), 2, "expected -o FILE, or --json"),
        (("similar", "MODEL"), 2, "expected an item or a user, or --all alone"),
        (("similar", "MODEL", "1", "--all"), 2, "expected an item or a user, or --all alone"),
        (("recommend", "MODEL", "5", "--all", "--json"), 2, "no user, no ratings and no novelty"),
        (("predict", "MODEL", "5"), 2, "at least one item"),
        (("fit", "RELEASE", "-o", "out", "-m", "magic"), 2, "one of bias"),
        (("fit", "RELEASE", "-o", "out", "-m", "bias", "--set", "speed=9"), 2, "speed"),
        (("fit", "RELEASE", "-o", "RELEASE", "-m", "bias"), 1, "choose another path"),
        (("evaluate", "RELEASE", "--split", "magic"), 2, "random"),
        (("predict", "MODEL", "5", "3", "-o", "out.xls"), 2, ".parquet"),
        (("info", "RELEASE"), 1, "a saved model"),
        (("tune", "popularity", "RELEASE"), 2, "one with options to vary"),
        (("tune", "mf", "RELEASE", "--figure", "s.gif"), 2, "ending in .html"),
        (("tune", "mf", "RELEASE", "-o", "RELEASE"), 1, "choose another path"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, tuple) else None,
)
def test_wrong_calls_and_failed_jobs(
    folder: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    places = {"MODEL": folder / "bias", "RELEASE": folder / "release"}
    assert says in run(*(places.get(word, word) for word in words), code=code)


def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("user,item,rating\n1,2,4\n1,3,four\n")
    said = run("describe", path, code=1)
    assert "bad.csv" in said
    assert "line 3" in said


def test_a_fault_of_our_own_shows_no_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("tastemap.models.base.artifact.read_manifest", broken)
    said = run("info", folder / "bias", code=1)
    assert (
        said
        == "tastemap: unexpected ZeroDivisionError: oops; run it again with --debug to see where\n"
    )


@pytest.mark.slow
def test_the_lab_from_end_to_end(folder: Path, tmp_path: Path) -> None:
    told = ask("lab", "--data", folder / "release", "-o", tmp_path / "demo")
    assert told["ratings"]["ratings"] == 3000
    assert told["chosen"] == told["leaderboard"][0]["model"]
    assert (tmp_path / "demo" / "report.html").stat().st_size > 100_000
    rows = ask("recommend", tmp_path / "demo" / "model", 5)["rows"]
    assert len(rows) == 10
