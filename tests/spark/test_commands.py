"""The commands on Spark, as a person uses them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from commands import run
from tastemap.data.ratings import Ratings
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.bias import BiasModel
from tastemap.models.registry import load_model


@pytest.fixture(scope="module")
def data(ratings: Ratings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("commands") / "ratings.csv"
    ratings.to_frame().write_csv(path)
    return path


@pytest.mark.slow
@pytest.mark.xdist_group("spark")
def test_fit_then_ask_and_lists_for_everyone(spark: Any, data: Path, tmp_path: Path) -> None:
    out, options = tmp_path / "model", ("--set", "n_factors=4", "--set", "n_epochs=1")
    words = (data, "--engine", "spark", "-o", out, *options, "--test-size", 0.2, "--json")
    answer = json.loads(run("fit", *words))
    assert answer["model"] == "als"
    assert 0 < answer["test_rmse"] < 1.2
    model = load_model(out)
    assert model.metrics_["test_rmse"] == answer["test_rmse"]
    assert len(model.ratings_) == 3000
    assert json.loads(run("predict", out, 1, 2, "--json"))["rows"]
    assert len(json.loads(run("similar", out, 2, "-k", 3, "--json"))["rows"]) == 3
    assert "test_rmse" in run("info", out, "--all")
    lists = tmp_path / "lists.parquet"
    run("recommend", out, "--all", "--engine", "spark", "-k", 3, "-o", lists)
    frame = pl.read_parquet(lists).sort("user_id", "rank")
    assert frame.equals(recommend_all(model, 3).cast(frame.schema))
    (lists / "notes.txt").write_text("mine")
    message = run("recommend", out, "--all", "--engine", "spark", "-o", lists, code=2)
    assert "one of Parquet files to replace" in message
    assert (lists / "notes.txt").exists()


@pytest.mark.slow
@pytest.mark.xdist_group("spark")
def test_a_table_of_plays_gives_lists(spark: Any, ratings: Ratings, tmp_path: Path) -> None:
    plays, out = tmp_path / "plays.csv", tmp_path / "model"
    frame = ratings.likes().to_frame().with_columns(plays=pl.col("item_id") + 20)
    frame.select("user_id", "item_id", "plays").write_csv(plays)
    words = (plays, "--engine", "spark", "-o", out, "--set", "n_factors=4", "--set", "n_epochs=1")
    answer = json.loads(run("fit", *words, "--json"))
    assert answer["model"] == "ials"
    assert 0 < answer["test_ndcg"] < 1
    model = load_model(out)
    assert len(model.fitted_data) == len(frame)
    lists = tmp_path / "lists.parquet"
    run("recommend", out, "--all", "--engine", "spark", "-k", 3, "-o", lists)
    made = pl.read_parquet(lists).sort("user_id", "rank")
    assert made.equals(recommend_all(model, 3).cast(made.schema))
    assert made["predicted_rating"].is_null().all()
    message = run("fit", *words, "-m", "als", code=1)
    assert "als on Spark; expected ratings; received interactions" in message


def test_what_cannot_be_done_is_said_before_spark_starts(data: Path, tmp_path: Path) -> None:
    fit = ("fit", data, "--engine", "spark", "-o", tmp_path / "model")
    assert "Spark fits als and ials, not mf" in run(*fit, "-m", "mf", code=1)
    assert "--test-size" in run(*fit, "--test-size", "1", code=2)
    assert "--conf" in run(*fit, "--conf", "memory", code=2)
    assert "--engine; expected local or spark" in run(
        "fit", data, "-o", tmp_path / "m", "--engine", "sparc", code=2
    )
    ask = ("recommend", tmp_path / "model", "--engine", "spark")
    assert "--all and -o FOLDER" in run(*ask, "--all", "--json", code=2)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.txt").touch()
    assert "something else that is already there" in run(*fit, code=1)


@pytest.mark.slow
@pytest.mark.xdist_group("spark")
def test_a_run_that_is_killed_leaves_the_old_model_and_no_process(
    spark_home: Path, data: Path, ratings: Ratings, tmp_path: Path
) -> None:
    out = BiasModel().fit(ratings).save(tmp_path / "model")
    words = ("fit", data, "--engine", "spark", "--master", "local[1]", "-o", out)
    command = [
        sys.executable,
        "-m",
        "tastemap",
        *map(str, words),
        "--set",
        "n_epochs=500",
        "--test-size",
        "0",
    ]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        (java,) = until(lambda: spark_processes(process.pid))
        until(lambda: seconds_of(java) > 8)  # it reads or fits
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    until(lambda: not Path(f"/proc/{java}").exists())
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert type(load_model(out)) is BiasModel


def seconds_of(pid: int) -> float:
    """Processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().split()
    return sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")


def spark_processes(pid: int) -> list[int]:
    """Java processes of Spark's that a process has started."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    words = {int(one): Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0") for one in found}
    return [
        one for one, said in words.items() if said[0].endswith(b"java") and b"pyspark-shell" in said
    ]


def until(holds: Any) -> Any:
    end = time.monotonic() + 240
    while not (found := holds()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return found
