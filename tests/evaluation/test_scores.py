"""The scores of a model: each is what its name says."""

import polars as pl

from tastemap.data.splits import Split, train_test_split
from tastemap.evaluation.compare import compare
from tastemap.metrics.calibration import log_loss, places
from tastemap.metrics.rating import mae, rmse
from tastemap.models.bayesian.model import BayesianFactorization
from tastemap.models.bias import BiasModel

MODELS = {
    "damped": BiasModel,
    "undamped": lambda: BiasModel(item_damping=0, user_damping=0),
    "frozen": lambda: BiasModel(item_damping=1e9, user_damping=1e9),
}


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


def test_lists_of_rating_models_where_asked_for(split: Split) -> None:
    board = compare(["bias"], *split, lists=True, k=1000)
    assert board.by == "rmse"
    assert board.k == split.train.n_items
    row = row_of(board, "bias")
    assert row["coverage"] == 1.0  # the lists hold all that is unseen
    assert row["popular_share"] < 0.2
