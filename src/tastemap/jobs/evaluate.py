"""Fit a model on one part of the ratings and score it on the other."""

from pathlib import Path

import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.evaluation.evaluate import evaluate, evaluate_ranking
from tastemap.evaluation.objective import like_threshold, liking
from tastemap.jobs.held_out import parts_of
from tastemap.models.registry import load_model, make_model


def evaluation_tables(
    ratings: Ratings,
    model: str,
    *,
    split: str,
    test_size: float,
    seed: int,
    lists: bool,
    test: Ratings | None = None,
) -> tuple[dict[str, pl.DataFrame], tuple[str, ...]]:
    """Fit a model on one part of the ratings and score it on the other.

    Args:
        ratings: All ratings.
        model: A model's name; or the path of a saved model, which is scored on all ratings.
        split, test_size, seed: As in `split_by_name`.
        lists: Score lists of ten recommended items too; models that only rank always have them.
        test: Test ratings of their own, in place of a split.

    Returns:
        Tables by title, and notes.
    """
    notes: tuple[str, ...] = ()
    if (Path(model) / "model.json").is_file():
        if test is not None:
            expected, do = "a model's name beside --test", "give the test table as DATA"
            raise ArgumentError("-m", expected=expected, received="a saved model", do=do)
        fitted, tested = load_model(model), ratings
    else:
        parts = parts_of(ratings, test, split, test_size=test_size, seed=seed)
        (train, tested), _, notes = parts
        fitted = liking(make_model(model), like_threshold(train)).fit(train, seed=seed)
    tables: dict[str, pl.DataFrame] = {}
    if fitted.predicts_ratings:
        evaluation = evaluate(fitted, tested)
        tables |= evaluation.tables
        notes += evaluation.notes
    if lists or not fitted.predicts_ratings:
        threshold, k = like_threshold(fitted.ratings_), min(10, fitted.ratings_.n_items)
        if threshold is not None:
            notes += (f"an item counts as liked from {threshold:g} on",)
        tables[f"Lists of {k} for each user, all unseen items ranked"] = evaluate_ranking(
            fitted, tested, k, threshold=threshold
        )
    return tables, notes
