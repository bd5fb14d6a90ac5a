import importlib.util
import json
import sys
from pathlib import Path

import polars as pl
import pytest

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.ratings import Ratings
from tastemap.models.base import orders

BENCHMARK = Path(__file__).parent.parent.parent / "benchmarks" / "orders.py"


def test_each_order_is_judged_and_the_inner_split_chooses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("orders_benchmark", BENCHMARK)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    frame = synthetic_ratings().to_frame().sort("user_id")
    times = pl.int_range(pl.len()).over("user_id").alias("timestamp")
    table = Ratings.from_frame(frame.with_columns(times))
    monkeypatch.setattr(benchmark, "table", lambda name, source: table)
    command = ["orders.py", "--data", "ml-100k", "--models", "bias", "knn", "--json"]
    monkeypatch.setattr(sys, "argv", command)
    benchmark.main()
    rows = json.loads(capsys.readouterr().out)
    judged = [(row["model"], row["order"]) for row in rows]
    assert judged[:3] == [("bias", "expected"), ("bias", "cautious"), ("bias", "curious")]
    assert judged[3:] == [("knn", by) for by in ("expected", "cautious", "curious", "relative")]
    assert all(1 <= row["stars"] <= 5 and 0 < row["ndcg"] <= 1 for row in rows)
    assert all(0 < row["coverage"] <= 1 and 0 <= row["rare"] <= 1 for row in rows)
    monkeypatch.setattr(sys, "argv", [*command, "--part", "inner"])
    before = orders.CAUTION, orders.SHRINKAGE
    benchmark.main()
    assert before == (orders.CAUTION, orders.SHRINKAGE)
    inner = json.loads(capsys.readouterr().out)
    rows = [row | {"rare": 0.0, "stars": 4.0} for row in inner]
    assert benchmark.choice(rows) == "cautious 0.2533, relative 1"
    rows = [row | {"rare": 0.01 * (row["order"] < "cautious 1"), "stars": 4.0} for row in inner]
    assert benchmark.choice(rows) == "cautious 1.2816, relative 1"
