import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

BENCHMARK = Path(__file__).parent.parent.parent / "benchmarks" / "next_item.py"


@pytest.mark.slow
def test_what_order_gives_vanishes_when_histories_are_shuffled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everyone walks up from an item of their own, and the time of the second step is missing."""
    start, step = np.repeat(np.arange(60) % 20, 9), np.tile(np.arange(9), 60)
    rows = pl.DataFrame({"user_id": np.repeat(np.arange(60), 9), "item_id": (start + step) % 30})
    time = pl.Series(np.where(step == 8, 90_000, step) + 100).set(pl.Series(step == 1), None)
    rows.with_columns(rating=4.0, timestamp=time).write_parquet(tmp_path / "ratings.parquet")
    rows.with_columns(position=pl.Series(step)).write_parquet(tmp_path / "order.parquet")
    spec = importlib.util.spec_from_file_location("next_item_benchmark", BENCHMARK)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    files = ("--ratings", str(tmp_path / "ratings.parquet"))
    files += ("--order", str(tmp_path / "order.parquet"))
    models = "popularity,next-item,at request,last week,neighbours,shuffled"
    command = ["next_item.py", *files, "--models", models]
    monkeypatch.setattr(sys, "argv", [*command, "--json"])
    benchmark.main()
    hits = {}
    for row in json.loads(capsys.readouterr().out):
        (only, total) = row["classes"]
        assert (only["gap"], only["users"]) == ("over an hour", 60)
        hits[row["model"]] = total["ndcg"]
    assert set(hits) == set(models.split(","))
    assert hits["next-item"] > 0.9
    assert hits["shuffled"] < 0.8 * hits["next-item"]
    monkeypatch.setattr(sys, "argv", [*command[:-1], "popularity", "--validation"])
    benchmark.main()
    assert "| popularity |" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*command[:-1], "neighbours,shuffled", "--sittings"])
    benchmark.main()
    table, notes = capsys.readouterr()
    assert "100.0% of the ratings have a time" in table, "a sitting is of known times alone"
    assert "| model | within a minute (60) | all (60) |" in table, "the last step is one of its own"
    assert notes.startswith(
        "120 sittings of 60 users, cut where more than 30 minutes passed; 60 of"
    )
    assert {"last week", "neighbours", "shuffled"} <= set(benchmark.NAMES)
