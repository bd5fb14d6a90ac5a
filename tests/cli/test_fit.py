"""tastemap fit."""

from pathlib import Path

import numpy as np

from commands import ask, run
from tastemap.data.ratings import Ratings
from tastemap.models.bias import BiasModel
from tastemap.models.registry import load_model


def test_options_reach_the_model_that_is_saved(
    folder: Path, tmp_path: Path, ratings: Ratings
) -> None:
    options = ("--set", "item_damping=3", "--set", "user_damping=1.5")
    facts = ask("fit", folder / "release", "-m", "bias", "-o", tmp_path / "m", *options)
    assert facts == {"model": "bias", "saved in": str(tmp_path / "m")}
    expected = BiasModel(item_damping=3, user_damping=1.5).fit(ratings)
    assert np.allclose(load_model(tmp_path / "m").item_bias, expected.item_bias, atol=1e-6)


def test_a_model_of_ratings_refuses_a_table_without(clicks: Path, tmp_path: Path) -> None:
    shown = run("fit", clicks / "clicks.csv", "-m", "mf", "-o", tmp_path / "mf", code=1)
    assert "received interactions (no ratings); use one of: ease, ials" in shown
