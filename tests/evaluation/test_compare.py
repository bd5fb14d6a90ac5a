"""The leaderboard: chosen on validation, the same ratings for all, each score as it says."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, train_test_split
from tastemap.errors import ArgumentError
from tastemap.evaluation.compare import compare
from tastemap.evaluation.evaluate import rank_unseen
from tastemap.metrics.calibration import log_loss, places
from tastemap.metrics.ranking import METRICS
from tastemap.metrics.rating import mae, rmse
from tastemap.models.bayesian.model import BayesianFactorization
from tastemap.models.bias import BiasModel
from tastemap.models.ease import EASE
from tastemap.models.registry import make_model

MODELS = {
    "damped": BiasModel,
    "undamped": lambda: BiasModel(item_damping=0, user_damping=0),
    "frozen": lambda: BiasModel(item_damping=1e9, user_damping=1e9),
}
MIXED = {"bias": BiasModel, "ease": lambda: EASE(reg=20)}


def row_of(board, name: str) -> dict:
    (row,) = board.frame.filter(pl.col("model") == name).to_dicts()
    return row


def test_errors_are_those_of_the_fitted_models(split: Split) -> None:
    board = compare(MODELS, *split)
    inner, validation = train_test_split(split.train, test_size=0.1, seed=0)
    model = BiasModel().fit(inner)
    row = row_of(board, "damped")
    assert row["train_mae"] == mae(inner.rating, model.predict_ratings(inner))
    assert row["validation_mae"] == mae(validation.rating, model.predict_ratings(validation))
    assert row["validation_rmse"] == rmse(validation.rating, model.predict_ratings(validation))
    assert row["test_mae"] == mae(split.test.rating, model.predict_ratings(split.test))
    assert row["test_rmse"] == rmse(split.test.rating, model.predict_ratings(split.test))
    assert row["point"] == "mean"
    assert row["fit_seconds"] > 0
    assert not any(name.startswith("test_ndcg") for name in board.frame.columns)


def test_a_distribution_is_scored_by_its_median_its_log_loss_and_its_calibration(
    split: Split,
) -> None:
    small = {"bayes": lambda: BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4)}
    board = compare(small | {"bias": BiasModel}, *split, by="mae")
    row, model, true = row_of(board, "bayes"), board.fitted["bayes"], split.test.rating
    assert row["point"] == "median"
    assert row["test_mae"] == mae(true, model.predict_ratings(split.test, point="median"))
    assert row["test_mae_mean"] == mae(true, model.predict_ratings(split.test))
    distribution = model.ratings_distribution(split.test)
    assert row["test_log_loss"] == log_loss(places(true, [1, 2, 3, 4, 5]), distribution)
    assert 0 < row["test_calibration_error"] < 0.2
    assert row_of(board, "bias")["test_log_loss"] is None


def test_the_test_ratings_have_no_say(split: Split) -> None:
    """With the test ratings turned upside down the same model is chosen."""
    upside_down = Ratings(**{**vars_of(split.test), "rating": 6 - split.test.rating})
    for by in ("rmse", "mae", "ndcg"):
        honest = compare(MODELS, *split, by=by)
        scores = honest.frame[f"validation_{by}"]
        assert scores.is_sorted(descending=by == "ndcg")
        assert honest.chosen == honest.frame["model"][0]
        assert compare(MODELS, split.train, upside_down, by=by).chosen == honest.chosen


def vars_of(ratings: Ratings) -> dict[str, object]:
    return {name: getattr(ratings, name) for name in Ratings.__dataclass_fields__}


def test_models_that_only_rank_stand_beside_the_others(split: Split) -> None:
    board = compare(MIXED, *split, k=5)
    assert (board.by, board.k, board.chosen) == ("ndcg", 5, "ease")
    inner, validation = train_test_split(split.train, test_size=0.1, seed=0)
    model = EASE(reg=20).fit(inner)
    ranked = rank_unseen(model, split.test, 5, seen=validation)
    row = row_of(board, "ease")
    for name in METRICS:
        assert row[f"test_{name}"] == ranked.per_user()[name].mean()
    assert row["validation_ndcg"] == rank_unseen(model, validation, 5).per_user()["ndcg"].mean()
    assert row["test_rmse"] is row["predict_seconds"] is None
    # Nobody is recommended what they have rated in the validation part.
    known = set(zip(validation.user_index.tolist(), validation.item_index.tolist(), strict=True))
    users = np.repeat(ranked.user_index, 5).tolist()
    assert known.isdisjoint(zip(users, ranked.items.ravel().tolist(), strict=True))
    by_error = compare(MIXED, *split, by="rmse")
    assert by_error.chosen == "bias"
    assert "without rmse, so never chosen: ease" in by_error.notes


def test_lists_of_rating_models_where_asked_for(split: Split) -> None:
    board = compare(["bias"], *split, lists=True, k=1000)
    assert board.by == "rmse"
    assert board.k == split.train.n_items
    row = row_of(board, "bias")
    assert row["coverage"] == 1.0  # the lists hold all that is unseen
    assert row["popular_share"] < 0.2


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
    found = board.differences.filter(pl.col("metric") == "rmse")
    assert set(found["reference"]) == {board.chosen}
    errors = dict(board.frame.select("model", "test_rmse").iter_rows())
    for row in found.iter_rows(named=True):
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


def test_refit_learns_from_the_validation_ratings_too(split: Split) -> None:
    board = compare(["bias"], *split, refit=True, lists=True)
    whole = BiasModel().fit(split.train)
    row = row_of(board, "bias")
    assert row["test_rmse"] == rmse(split.test.rating, whole.predict_ratings(split.test))
    assert row["test_ndcg"] == rank_unseen(whole, split.test).per_user()["ndcg"].mean()
    assert row["validation_rmse"] == compare(["bias"], *split).frame["validation_rmse"][0]


def test_leaks_are_said(split: Split, ratings: Ratings) -> None:
    assert not any("too good" in note for note in compare(["bias"], *split).notes)
    leaky = compare(["bias"], ratings, split.test)
    assert leaky.notes[0].endswith("the errors are too good to be true")


@pytest.mark.parametrize("name", ["mf", "als", "ials", "knn", "popularity"])
def test_every_quick_model_can_be_compared(name: str, split: Split) -> None:
    board = compare([name, "bias"], *split)
    assert row_of(board, name)["fit_seconds"] > 0
    rates = make_model(name).predicts_ratings
    assert (row_of(board, name).get("test_rmse") is not None) == rates
    assert board.by == ("rmse" if rates else "ndcg")


def test_nothing_to_compare(split: Split) -> None:
    with pytest.raises(ArgumentError, match="at least one of each"):
        compare([], *split)
    with pytest.raises(ArgumentError, match="one of bias"):
        compare(["no such model"], *split)
    with pytest.raises(ArgumentError, match="reference; expected one of bias"):
        compare(["bias"], *split, reference="mf")
    with pytest.raises(ArgumentError, match="by; expected one of rmse, mae, recall"):
        compare(["bias"], *split, by="auc")
    with pytest.raises(ArgumentError, match="for models that only rank"):
        compare(["popularity"], *split, by="rmse")
