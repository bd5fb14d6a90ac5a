"""Which backend runs, and that JAX and TensorFlow give the same models."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tastemap.errors import MissingPackageError
from tastemap.models.neural import backend

# One worker trains on each backend, once for all tests.
pytestmark = pytest.mark.xdist_group("backends")


@pytest.fixture
def no_keras_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


def installed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    spec = ModuleType("anything")
    monkeypatch.setattr(backend, "find_spec", lambda name: spec if name in names else None)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["keras", "torch", "tensorflow", "jax"], "jax"),
        (["keras", "torch", "tensorflow"], "tensorflow"),
        (["keras", "torch"], "torch"),
    ],
)
def test_the_first_of_those_installed(
    monkeypatch: pytest.MonkeyPatch, no_keras_yet: None, names: list[str], chosen: str
) -> None:
    installed(monkeypatch, *names)
    assert backend.choose_backend() == os.environ["KERAS_BACKEND"] == chosen


def test_the_users_choice_is_kept(monkeypatch: pytest.MonkeyPatch, no_keras_yet: None) -> None:
    installed(monkeypatch, "keras", "jax", "torch")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert backend.choose_backend() == "torch"


def test_once_keras_runs_nothing_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "keras")
    monkeypatch.setitem(sys.modules, "keras", ModuleType("keras"))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert backend.choose_backend() == ""
    assert "KERAS_BACKEND" not in os.environ


@pytest.mark.parametrize(
    ("names", "variable", "message"),
    [
        (["jax"], "", "the package keras; .*pip install"),
        (["keras"], "", "one of the packages jax, tensorflow, torch; .*pip install"),
        (["keras", "jax"], "torch", "the package torch, which KERAS_BACKEND names; .*pip install"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch,
    no_keras_yet: None,
    names: list[str],
    variable: str,
    message: str,
) -> None:
    installed(monkeypatch, *names)
    monkeypatch.setenv("KERAS_BACKEND", variable)
    with pytest.raises(MissingPackageError, match=message):
        backend.choose_backend()


TRAIN = """
import json, sys
import numpy as np
from tastemap.data.splits import train_test_split
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.models.neural import NeuralRecommender, RegressionModel
import keras

train, test = train_test_split(synthetic_ratings(), test_size=0.2, seed=0)
OPTIONS = {
    "dot": dict(n_epochs=10, batch_size=64, learning_rate=0.005),
    "biased-dot": dict(
        n_epochs=10, batch_size=64, learning_rate=0.01, loss="mse", network_options={"reg": 2e-3}
    ),
}
found = {"backend": keras.backend.backend()}
for name, options in OPTIONS.items():
    model = NeuralRecommender(name, **options).fit(train, validation=test, progress=False)
    found[name] = {
        "val_loss": model.history_["validation_loss"].to_list(),
        "loss": model.history_["train_loss"].to_list(),
        "mae": float(np.abs(model.predict_ratings(test) - test.rating).mean()),
    }
again = NeuralRecommender(name, **options).fit(train, validation=test, progress=False)
found["repeats"] = bool(
    np.array_equal(again.predict_ratings(test), model.predict_ratings(test))
)
network = RegressionModel(4, np.int64(9), np.int64(9))
network.compile("adam", "mae")
network.fit([[1, 2, 3], [4, 5, 6]], [3.0, 4.0, 5.0], epochs=1, verbose=0)
try:
    network.predict([[1, 99], [1, 1]], verbose=0)
except ValueError as error:
    found["refusal"] = str(error)
print(json.dumps(found))
"""


def start(code: str, chosen: str | None, folder: Path) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    # A folder without keras.json, which is not a choice of ours or the user's.
    environment |= {"KERAS_HOME": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    if chosen is not None:
        environment["KERAS_BACKEND"] = chosen
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=pipe, stderr=pipe, text=True
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same training on both backends, side by side; on JAX because nobody chose."""
    if find_spec("tensorflow") is None:
        pytest.skip("TensorFlow is not installed")
    folder = tmp_path_factory.mktemp("keras")
    chosen = {"tensorflow": "tensorflow", "jax": None}
    started = {name: start(TRAIN, choice, folder) for name, choice in chosen.items()}
    found = {}
    for name, process in started.items():
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        found[name] = json.loads(out.splitlines()[-1])
    return found


@pytest.mark.slow
def test_jax_runs_unless_another_is_chosen(runs: dict[str, Any]) -> None:
    assert {name: run["backend"] for name, run in runs.items()} == {
        "jax": "jax",
        "tensorflow": "tensorflow",
    }


@pytest.mark.slow
@pytest.mark.parametrize("network", ["dot", "biased-dot"])
def test_backends_learn_the_same(runs: dict[str, Any], network: str) -> None:
    jax, tensorflow = runs["jax"][network], runs["tensorflow"][network]
    # Other draws of first weights and batches: nearly the same, not the same.
    assert jax["val_loss"][-1] == pytest.approx(tensorflow["val_loss"][-1], rel=0.1)
    assert jax["mae"] == pytest.approx(tensorflow["mae"], rel=0.1)
    for run in (jax, tensorflow):
        assert run["loss"][-1] < run["loss"][0]
        assert run["val_loss"][-1] < 0.9 * run["val_loss"][0]


@pytest.mark.slow
def test_every_backend_repeats_itself_and_refuses_the_same(runs: dict[str, Any]) -> None:
    for run in runs.values():
        assert run["repeats"]
        assert "user_ids; expected whole numbers from 0 to 9; received 99" in run["refusal"]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is not None, reason="PyTorch is installed")
def test_a_backend_that_is_not_installed(tmp_path: Path) -> None:
    process = start("import tastemap.models.neural", "torch", tmp_path)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "MissingPackageError: neural models; expected the package torch" in err
