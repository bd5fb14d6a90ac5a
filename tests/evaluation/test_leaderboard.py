"""The leaderboard: its tables, its paired differences, its means over seeds."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, leave_last_out
from tastemap.evaluation.compare import compare
from tastemap.evaluation.leaderboard import difference_notes
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
    errors, lists, variety, costs, differences = tables.values()
    assert errors["model"].to_list() == ["bias"]
    assert "test_log_loss" not in errors.columns
    assert lists["model"].to_list() == costs["model"].to_list() == ["ease", "bias"]
    assert variety.columns == ["model", "coverage", "novelty", "diversity", "popular_share"]
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


def test_what_holds_after_the_correction_is_said(split: Split) -> None:
    """Of two comparisons the smaller p value counts twice; of a single one it is as it is."""
    board = compare(MODELS, *split, reference="frozen")
    both = board.differences.filter(metric="rmse").sort("p_holm").rows_by_key("model")
    (model, ((*_, smaller),)), (other, ((*_, larger),)) = both.items()
    for name, times, corrected in ((model, 2, smaller), (other, 1, larger)):
        pair = {key: MODELS[key] for key in (name, "frozen")}
        alone = compare(pair, *split, reference="frozen")
        (p,) = alone.differences.filter(metric="rmse")["p_holm"]
        assert corrected == pytest.approx(times * p)
        assert not any("Holm" in note for note in alone.notes)
    (note,) = (note for note in board.notes if "Holm" in note)
    assert note == (
        "after Holm’s correction for the number of models, these differ at 5 %:"
        f" rmse of {model} from that of frozen; mae of no model from that of frozen"
    )


def test_that_all_models_differ_is_said_without_a_list() -> None:
    columns = {"metric": "ndcg", "model": ["a", "b"], "reference": "c", "p_holm": [0.01, 0.02]}
    (note,) = difference_notes(pl.DataFrame(columns))
    assert note.endswith(": ndcg of all 2 models from that of c")


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
    assert both.gaps.is_empty()
    assert both.frame["test_mae"][0] == pytest.approx((one + two) / 2)
    assert both.frame["test_mae_std"][0] == pytest.approx(np.std([one, two], ddof=1))
    assert any(note.startswith("means over 2 seeds") for note in both.notes)


def test_gaps_are_means_over_the_seeds_and_stand_beside_the_lists(ratings: Ratings) -> None:
    parts = leave_last_out(ratings)
    one, two, both = (
        compare(["ease", "bias"], *parts, by="rmse", seeds=seeds) for seeds in ([1], [2], [1, 2])
    )
    means = (one.gaps["ndcg"] + two.gaps["ndcg"]) / 2
    assert both.gaps["ndcg"].to_list() == pytest.approx(means.to_list())
    assert both.gaps["model"].to_list() == ["bias", "ease"] * 2
    (title,) = (title for title in both.tables() if "there last" in title)
    assert title == "Lists of 10 by the time since the user was there last"
