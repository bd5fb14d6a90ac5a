"""The figures of the page about the model."""

import re
from pathlib import Path

import pytest
from clients import client_of
from small_models import save_small, small_interactions, small_ratings
from starlette.testclient import TestClient

from tastemap.data.splits import leave_last_out
from tastemap.evaluation.by_gap import evaluate_by_gap, joined_gaps
from tastemap.evaluation.evaluate import evaluate
from tastemap.models.registry import load_model, make_model


@pytest.mark.parametrize("name", ["ratings", "popularity", "people", "predicted", "no-such"])
def test_figures_of_the_model(client: TestClient, name: str) -> None:
    answer = client.get(f"/model/figures/{name}.png")
    if name == "no-such":
        assert answer.status_code == 404
    else:
        assert answer.content.startswith(b"\x89PNG")


def test_calibration_that_was_measured_is_drawn(tmp_path: Path) -> None:
    path, ratings = save_small(small_ratings(), tmp_path / "model", "bayes"), small_ratings()
    address = "/model/figures/calibration.png"
    with client_of(path, tmp_path / "before") as client:
        assert client.get(address).status_code == 404
    model = load_model(path)
    model.metrics_ = evaluate(model, ratings).record
    with client_of(model.save(path), tmp_path / "after") as client:
        assert address in client.get("/model").text
        assert client.get(address).content.startswith(b"\x89PNG")


def test_figures_and_scores_of_a_model_of_interactions(
    clicks_artifact: Path, tmp_path: Path
) -> None:
    train, test = leave_last_out(small_interactions())
    model = load_model(clicks_artifact)
    model.metrics_ = {"test_ndcg": 0.25, "baseline_test_ndcg": 0.125, "test_users": 120.0}
    gaps = evaluate_by_gap(make_model("popularity").fit(train), test)
    model.metrics_["gaps"] = joined_gaps({"next-item": gaps}).to_dict(as_series=False)
    with client_of(model.save(tmp_path / "model"), tmp_path) as client:
        page = client.get("/model").text
        assert "<td>test ndcg</td>" in page
        assert "120.0" not in page
        names = re.findall(r"/model/figures/([a-z]+)[.]png", page)
        assert names == ["gaps", "popularity", "people", "weights", "activity", "years"]
        for name in names:
            assert client.get(f"/model/figures/{name}.png").content.startswith(b"\x89PNG")
        assert client.get("/model/figures/ratings.png").status_code == 404
