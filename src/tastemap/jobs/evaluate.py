"""Fit a model on one part of the ratings and score it on the other."""

from pathlib import Path

import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.data.splits import split_by_name
from tastemap.evaluation.evaluate import evaluate, evaluate_ranking
from tastemap.models.registry import load_model, make_model


def evaluation_tables(
    ratings: Ratings, model: str, *, split: str, test_size: float, seed: int, lists: bool
) -> tuple[dict[str, pl.DataFrame], tuple[str, ...]]:
    """Fit a model on one part of the ratings and score it on the other.

    Args:
        ratings: All ratings.
        model: A model's name; or the path of a saved model, which is scored on all ratings.
        split, test_size, seed: As in `split_by_name`.
        lists: Score lists of ten recommended items too; models that only rank always have them.

    Returns:
        Tables by title, and notes.
    """
    notes: tuple[str, ...] = ()
    if (Path(model) / "model.json").is_file():
        fitted, test = load_model(model), ratings
    else:
        parts = split_by_name(ratings, split, test_size=test_size, seed=seed)
        train, test = parts
        notes = parts.notes
        fitted = make_model(model).fit(train, seed=seed)
    tables: dict[str, pl.DataFrame] = {}
    if fitted.predicts_ratings:
        evaluation = evaluate(fitted, test)
        tables |= evaluation.tables
        notes += evaluation.notes
    if lists or not fitted.predicts_ratings:
        k = min(10, ratings.n_items)
        tables[f"Lists of {k} for each user, all unseen items ranked"] = evaluate_ranking(
            fitted, test, k
        )
    return tables, notes
