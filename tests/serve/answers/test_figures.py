"""The figures of the page about the model."""

from pathlib import Path

import pytest
from clients import client_of
from small_models import save_small, small_ratings
from starlette.testclient import TestClient

from tastemap.evaluation.evaluate import evaluate
from tastemap.models.registry import load_model


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
