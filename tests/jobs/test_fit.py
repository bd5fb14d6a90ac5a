"""A model fitted and saved, or refused before Spark starts; Spark's own part: tests/spark."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.jobs.fit import NO_TEST, fit_model, fit_on_spark
from tastemap.models.registry import load_model


def test_facts_and_notes_of_a_fit(tiny: Ratings, tmp_path: Path) -> None:
    facts, notes = fit_model(tiny, tmp_path / "m", "bias", {"item_damping": 2}, seed=7)
    assert facts == {"model": "bias", "saved in": str(tmp_path / "m")}
    assert notes == (*tiny.source.notes, NO_TEST)
    model = load_model(tmp_path / "m")
    assert (model.item_damping, model.seed_) == (2, 7)


def test_a_test_error_is_kept_where_asked_for(ratings: Ratings, tmp_path: Path) -> None:
    facts, notes = fit_model(ratings, tmp_path / "m", "bias", {}, seed=0, test_size=0.1)
    model = load_model(tmp_path / "m")
    assert model.metrics_["test_rmse"] == facts["test_rmse"] > 0
    assert len(model.fitted_ratings) == len(ratings), "the model has learnt from all"
    assert NO_TEST not in notes
    assert "2,700 ratings, tested on 300 ratings" in notes[0]
    with pytest.raises(ArgumentError, match="--test-size; expected a model that predicts ratings"):
        fit_model(ratings, tmp_path / "n", "ease", {}, seed=0, test_size=0.1)


def test_a_fit_ends_with_its_time_and_says_so(ratings: Ratings, tmp_path: Path) -> None:
    options = {"n_epochs": 10_000_000}
    _, notes = fit_model(ratings, tmp_path / "m", "mf", options, seed=0, seconds=0.3)
    assert notes[-1].startswith("stopped after ")
    assert notes[-1].endswith(" of 10000000 iterations: the time was over")
    assert len(load_model(tmp_path / "m").recommend(5, k=3)) == 3
    with pytest.raises(ArgumentError, match="--seconds; expected more than 0; received 0"):
        fit_model(ratings, tmp_path / "n", "mf", {}, seed=0, seconds=0)


def test_of_counts_the_upper_half_is_liked(ratings: Ratings, tmp_path: Path) -> None:
    rating = ratings.rating.copy()
    rating[0] = 350_000
    counts = replace(ratings, rating=rating, scale=Scale.infer(rating))
    _, notes = fit_model(counts, tmp_path / "m", "ease", {}, seed=0)
    assert notes[-1] == f"an item counts as liked from {np.median(rating):g} on"
    assert load_model(tmp_path / "m").item_weights.any()
    assert fit_model(counts, tmp_path / "n", "mf", {}, seed=0)[1] == (
        *ratings.source.notes,
        NO_TEST,
    )


def test_what_spark_cannot_do_is_refused_before_it_starts(tmp_path: Path) -> None:
    def fit(name: str, test_size: float, conf: list[str]) -> None:
        fit_on_spark("none.csv", {}, tmp_path / "m", name, {}, test_size, 0, "local", conf)

    with pytest.raises(UnsupportedError, match="Spark fits als and ials, not mf"):
        fit("mf", 0.1, [])
    with pytest.raises(ArgumentError, match="--test-size; expected 0 or more, below 1"):
        fit("als", 1.0, [])
    with pytest.raises(ArgumentError, match="--conf"):
        fit("als", 0.1, ["memory"])
