"""A model in ten lines; the command: tests/cli/test_info.py."""

import json
from pathlib import Path

from tastemap.data.ratings import Ratings
from tastemap.jobs.info import all_facts, summary
from tastemap.models.bias import BiasModel


def test_scores_stand_beside_the_baseline(tiny: Ratings, tmp_path: Path) -> None:
    model = BiasModel().fit(tiny)
    model.metrics_ = {"test_mse": 0.81, "test_rmse": 0.9, "baseline_test_rmse": 0.95}
    facts = summary(model.save(tmp_path / "m"))
    assert facts["test"] == "rmse 0.9000 (baseline 0.9500)"
    assert len(facts) <= 10
    assert "parameters" not in all_facts(tmp_path / "m"), "the recipe has them"
    document = json.loads((tmp_path / "m" / "model.json").read_text())
    for name in ("learnt_by", "recipe", "stopped", "data", "versions", "parts"):
        document.pop(name, None)  # as an early version wrote it
    (tmp_path / "m" / "model.json").write_text(json.dumps(document))
    assert summary(tmp_path / "m")["made by"] == "tastemap ?, seed 0"
