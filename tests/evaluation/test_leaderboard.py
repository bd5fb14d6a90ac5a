"""The leaderboard: its tables, its paired differences, its means over seeds."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.splits import Split
from tastemap.evaluation.compare import compare
from tastemap.models.bias import BiasModel
from tastemap.models.ease import EASE

MODELS = {
    "damped": BiasModel,
    "undamped": lambda: BiasModel(item_damping=0, user_damping=0),
    "frozen": lambda: BiasModel(item_damping=1e9, user_damping=1e9),
}


MIXED = {"bias": BiasModel, "ease": lambda: EASE(reg=20)}


def test_tables_hold_what_there_is_and_fit_the_models(split: Split) -> None:
    tables = compare(MIXED, *split).tables()
    errors, lists, costs, differences = tables.values()
    assert errors["model"].to_list() == ["bias"]
    assert "test_log_loss" not in errors.columns
    assert lists["model"].to_list() == costs["model"].to_list() == ["ease", "bias"]
    assert set(differences["metric"]) == {"recall", "ndcg"}
    alone = compare(["bias"], *split).tables()
    assert [title.split()[0] for title in alone] == ["Errors", "Cost:"]


def test_differences_are_to_the_best_or_to_the_one_that_is_named(split: Split) -> None:
    board = compare(MODELS, *split)
    differences = board.differences.filter(pl.col("metric") == "rmse")
    assert set(differences["reference"]) == {board.chosen}
    errors = dict(board.frame.select("model", "test_rmse").iter_rows())
    for row in differences.iter_rows(named=True):
        apart = errors[row["model"]] - errors[board.chosen]
        assert row["difference"] == pytest.approx(apart)
        assert row["low"] <= row["difference"] <= row["high"]
    frozen = compare(MODELS, *split, reference="frozen").differences
    assert set(frozen["reference"]) == {"frozen"}
    better = frozen.filter((pl.col("metric") == "rmse") & (pl.col("model") == "damped"))
    assert better["high"][0] < 0
    again = compare(MODELS, *split, reference="frozen").differences
    assert again.equals(frozen)


def test_in_a_mixed_board_errors_are_compared_with_the_best_by_an_error(split: Split) -> None:
    board = compare(MODELS | MIXED, *split)
    best = board.frame.sort("validation_rmse", nulls_last=True)["model"][0]
    references = dict(board.differences.select("metric", "reference").unique().iter_rows())
    assert references == {"rmse": best, "mae": best, "recall": board.chosen, "ndcg": board.chosen}


def test_bands_of_each_model_hold_every_rating(split: Split) -> None:
    bands = compare(MIXED | MODELS, *split).bands
    assert set(bands["model"]) == {"bias", *MODELS}
    sizes = bands.group_by("model", "group").agg(pl.col("n").sum())["n"]
    assert set(sizes) == {len(split.test)}


def test_several_seeds_give_means_and_a_spread(split: Split) -> None:
    one, two = (compare(["bias"], *split, seeds=[seed]).frame["test_mae"][0] for seed in (1, 2))
    both = compare(["bias"], *split, seeds=[1, 2])
    assert both.frame["test_mae"][0] == pytest.approx((one + two) / 2)
    assert both.frame["test_mae_std"][0] == pytest.approx(np.std([one, two], ddof=1))
    assert any(note.startswith("means over 2 seeds") for note in both.notes)
