"""Errors beside the baseline's, and what a reader must be told."""

import json

import numpy as np
import polars as pl
import pytest

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.errors import ArgumentError, NotFittedError
from tastemap.evaluation.evaluate import evaluate, evaluate_ranking
from tastemap.metrics.calibration import calibration_of
from tastemap.metrics.rating import mae
from tastemap.models.bayesian.model import BayesianFactorization
from tastemap.models.bias import BiasModel
from tastemap.models.popularity import Popularity


def test_model_and_baseline_stand_beside_each_other(split: Split) -> None:
    model = BiasModel(item_damping=0, user_damping=0).fit(split.train)
    result = evaluate(model, split.test)
    assert result.overall["model"].to_list() == ["BiasModel", "baseline"]
    assert result.overall["mae"][0] == mae(split.test.rating, model.predict_ratings(split.test))
    baseline = BiasModel().fit(split.train)
    assert result.overall["mae"][1] == mae(split.test.rating, baseline.predict_ratings(split.test))
    names = {"test_mse", "test_rmse", "test_mae"}
    assert set(result.metrics) == names | {f"baseline_{name}" for name in names}
    assert result.metrics["baseline_test_mae"] == result.overall["mae"][1]


def test_a_model_with_probabilities_is_calibrated_on_the_test_ratings(split: Split) -> None:
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4)
    result = evaluate(model.fit(split.train, progress=False), split.test)
    levels = model.ratings_.scale.levels
    expected = calibration_of(split.test.rating, levels, model.ratings_distribution(split.test))
    assert result.calibration.coverage.equals(expected.coverage)
    assert result.metrics["test_log_loss"] == expected.log_loss
    assert result.metrics["test_calibration_error"] == expected.error
    title = "Test ratings inside the shortest intervals that hold the mass or more"
    table = result.tables[title]
    assert table["mass"].to_list() == [0.5, 0.8, 0.95]
    assert table["calibration_error"].unique().to_list() == [expected.error]
    record = json.loads(json.dumps(result.record))["calibration"]
    assert pl.DataFrame(record["reliability"]).equals(expected.reliability)
    plain = evaluate(BiasModel().fit(split.train), split.test)
    assert plain.calibration is None
    assert plain.record == plain.metrics
    assert len(plain.tables) == 2


def test_bands_hold_every_rating_once_and_average_to_the_whole(split: Split) -> None:
    result = evaluate(BiasModel().fit(split.train), split.test)
    for group in ("popularity", "activity"):
        bands = result.bands.filter(pl.col("group") == group)
        assert bands["n"].sum() == len(split.test)
        weighted = (bands["mae"] * bands["n"]).sum() / len(split.test)
        assert weighted == pytest.approx(result.overall["mae"][0])


def test_a_leak_is_reported(split: Split, ratings: Ratings) -> None:
    assert evaluate(BiasModel().fit(split.train), split.test).notes == ()
    (note,) = evaluate(BiasModel().fit(ratings), split.test).notes
    assert note.startswith(f"{len(split.test)} of {len(split.test)} test pairs are among")


def test_unknown_users_are_reported(split: Split) -> None:
    strangers = Ratings.from_frame(
        split.test.to_frame().head(3).with_columns(user_id=pl.lit(9999), item_id=pl.lit(1))[:1]
    )
    (note,) = evaluate(BiasModel().fit(split.train), strangers).notes
    assert note == "1 test rating is of a user that the model does not know"


def test_a_model_that_is_not_fitted_is_refused(split: Split) -> None:
    for ask in (evaluate, evaluate_ranking):
        with pytest.raises(NotFittedError, match="BiasModel; expected a fitted model"):
            ask(BiasModel(), split.test)


def test_nothing_to_test_on(split: Split) -> None:
    with pytest.raises(ArgumentError, match="test; expected at least one rating"):
        evaluate(BiasModel().fit(split.train), split.test.take(np.arange(0)))


def test_lists_of_a_model_of_interactions_by_hand() -> None:
    """Popularity ranks 1, 2, 3; ann has seen 1, and the sum of her weights of 3 is above 0."""
    schema = ["user_id", "item_id", "weight"]
    rows = [("ann", 1, 1), ("bo", 1, 1), ("cy", 1, 1), ("bo", 2, 1), ("cy", 2, 1), ("cy", 3, 1)]
    train = Interactions.from_frame(pl.DataFrame(rows, schema=schema, orient="row"))
    rows = [("ann", 2, 1), ("ann", 2, -1), ("ann", 3, 1), ("ann", 3, 1), ("dee", 3, 1)]
    test = Interactions.from_frame(pl.DataFrame(rows, schema=schema, orient="row"))
    frame = evaluate_ranking(Popularity().fit(train), test, k=2)
    scores = dict(frame.select("metric", "value").rows())
    assert (scores["recall"], scores["precision"]) == (1, 0.5)
    assert scores["ndcg"] == pytest.approx(1 / np.log2(3))
    assert (scores["users"], scores["users_left_out"]) == (1, 1)
    disliked = test.take(test.weight < 0)
    with pytest.raises(ArgumentError, match="an interaction of a weight above 0"):
        evaluate_ranking(Popularity().fit(train), disliked, k=2)


def test_lists_have_their_variety_and_what_popularity_owes_taken_off() -> None:
    """Four people, one of whom played item 1 ten times; the weights of a rare hit are larger."""
    rows = [("a", 1)] * 10 + [("b", 1), ("c", 1), ("a", 2), ("b", 2), ("d", 2), ("d", 3)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id"], orient="row")
    train = Interactions.from_frame(frame)
    test = Interactions.from_frame(pl.DataFrame({"user_id": ["c", "d", "d"], "item_id": [2, 1, 9]}))
    scores = dict(evaluate_ranking(Popularity().fit(train), test, k=2)["metric", "value"].rows())
    # c is listed 2 and 3, d is listed 1; items 1 and 2 have three of four people, 3 and 9 one.
    assert scores["novelty"] == pytest.approx((np.log2(4 / 3) * 2 + 2) / 3)
    assert scores["diversity"] == pytest.approx(1 - 1 / np.sqrt(3)), "of 2 and 3: d has both"
    assert scores["recall"] == 0.75
    assert scores["debiased_recall"] == pytest.approx((4 / 3 + 2 / 3) / (4 / 3 + 2 / 3 + 4 / 2))
    assert (
        dict(evaluate_ranking(Popularity().fit(train), test, k=1)["metric", "value"].rows())[
            "diversity"
        ]
        is None
    )
