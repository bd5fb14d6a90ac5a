"""The scores of a fitted model: its row of a leaderboard, and sums for paired differences."""

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tastemap.arrays import F64, FloatArray
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.evaluation.by_gap import lists_by_gap
from tastemap.evaluation.evaluate import best_point, error_bands, model_calibration, rank_unseen
from tastemap.metrics.bootstrap import user_sums
from tastemap.metrics.ranking import METRICS
from tastemap.metrics.rating import mae, rmse
from tastemap.models.base.recommender import Recommender

#: The scores that can choose a model: errors (the least is best), then scores of lists.
ERRORS = ("rmse", "mae")
CHOOSERS = (*ERRORS, *METRICS)
#: The scores of lists that are taken of test ratings, and not of the lists alone.
TEST_SCORES = (*METRICS, "debiased_recall", "debiased_ndcg")


class Protocol(NamedTuple):
    """How models are scored.

    Attributes:
        by: The name from `CHOOSERS` that chooses on validation ratings.
        lists: Whether recommended lists are scored on the test ratings.
        k: Their length.
        threshold: Lowest rating of a relevant item; None as in `evaluate_ranking`.
    """

    by: str
    lists: bool
    k: int
    threshold: float | None


@dataclass(frozen=True)
class Scores:
    """The scores of a model on the test ratings.

    Attributes:
        row: Scores by the name of their column.
        sums: By metric, the sum over each user's test ratings, or lists, and their number: squared
            errors under ``rmse``, absolute errors of ``point`` under ``mae``.
        bands: Frame ``group, band, n, mae, rmse`` of the mean predictions; None if there are none.
        gaps: The lists by the time since a user was there last (`lists_by_gap`), or None.
    """

    row: dict[str, Any]
    sums: dict[str, tuple[F64, F64]]
    bands: pl.DataFrame | None
    gaps: pl.DataFrame | None = None


def validation_scores(model: Recommender, validation: Any, protocol: Protocol) -> dict[str, float]:
    """The scores that choose: ``validation_rmse``, ``validation_mae``, a score of the lists."""
    scores: dict[str, float] = {}
    if model.predicts_ratings:
        true = validation.rating
        scores["validation_rmse"] = rmse(true, model.predict_ratings(validation))
        predicted = model.predict_ratings(validation, point=best_point(model))
        scores["validation_mae"] = mae(true, predicted)
    if protocol.by in METRICS:
        ranked = rank_unseen(model, validation, protocol.k, threshold=protocol.threshold)
        scores[f"validation_{protocol.by}"] = float(ranked.per_user()[protocol.by].mean())
    return scores


def score_on_test(
    model: Recommender, test: Any, protocol: Protocol, seen: Any, gap: F64 | None = None
) -> Scores:
    """Errors and lists of a model on the test ratings.

    Args:
        model: A fitted model.
        test: Ratings that it has not seen.
        protocol: How to score.
        seen: Ratings that are neither trained on nor tested; their items are left out of lists.
        gap: Seconds (n_users,) before each user's test rating, or None to leave them aside.
    """
    row: dict[str, Any] = {}
    sums: dict[str, tuple[F64, F64]] = {}
    bands = gaps = None
    if model.predicts_ratings:
        row, predicted, at_point = _errors(model, test)
        true = test.rating.astype(np.float64)
        sums["rmse"] = user_sums(test.user_index, (true - predicted) ** 2)
        sums["mae"] = user_sums(test.user_index, np.abs(true - at_point))
        bands = error_bands(model, test, predicted)
    if protocol.lists:
        started = time.perf_counter()
        ranked = rank_unseen(model, test, protocol.k, threshold=protocol.threshold, seen=seen)
        seconds = time.perf_counter() - started
        names = {name: f"test_{name}" for name in TEST_SCORES}
        summary = ranked.summary(model.fitted_data)
        row |= {names.get(name, name): value for name, value in summary.items()}
        row["list_seconds"] = seconds
        counts = np.ones(len(ranked.user_index))
        sums |= {name: (values, counts) for name, values in ranked.per_user().items()}
        gaps = None if gap is None else lists_by_gap(ranked, gap)
    return Scores(row, sums, bands, gaps)


def _errors(model: Recommender, test: Ratings) -> tuple[dict[str, Any], FloatArray, FloatArray]:
    """The row of errors, the mean predictions, and the predictions at the best point."""
    true, point, train = test.rating, best_point(model), model.ratings_
    started = time.perf_counter()
    predicted = model.predict_ratings(test)
    seconds = time.perf_counter() - started
    at_point = predicted if point == "mean" else model.predict_ratings(test, point=point)
    row = {
        "point": point,
        "train_mae": mae(train.rating, model.predict_ratings(train, point=point)),
        "test_rmse": rmse(true, predicted),
        "test_mae": mae(true, at_point),
        "test_mae_mean": mae(true, predicted),
        "predict_seconds": seconds,
    }
    return row | _calibration(model, test), predicted, at_point


def _calibration(model: Recommender, test: Ratings) -> dict[str, float]:
    """Log-loss and calibration error, as far as the model has a distribution."""
    calibration = model_calibration(model, test)
    return {} if calibration is None else calibration.metrics


def check_protocol(protocol: Protocol, models: dict[str, Recommender]) -> None:
    """Refuse a score by which no model can be chosen.

    Raises:
        ArgumentError: If ``by`` is not in `CHOOSERS`, or is an error and no model predicts ratings.
    """
    if protocol.by not in CHOOSERS:
        raise ArgumentError(
            "by", expected=f"one of {', '.join(CHOOSERS)}", received=repr(protocol.by)
        )
    if protocol.by in ERRORS and not any(model.predicts_ratings for model in models.values()):
        raise ArgumentError(
            "by",
            expected=f"one of {', '.join(METRICS)}, for models that only rank",
            received=repr(protocol.by),
        )
