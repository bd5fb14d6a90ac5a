"""Fit a model on one part of the ratings and score it on the other."""

from pathlib import Path

import polars as pl

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.evaluation.evaluate import evaluate, evaluate_ranking
from tastemap.evaluation.objective import like_threshold, liking
from tastemap.jobs.fit import model_of_interactions
from tastemap.jobs.held_out import parts_of
from tastemap.models.registry import load_model, make_model


def evaluation_tables(
    ratings: Ratings | Interactions,
    model: str | None,
    *,
    split: str,
    test_size: float,
    seed: int,
    lists: bool,
    test: Ratings | Interactions | None = None,
) -> tuple[dict[str, pl.DataFrame], tuple[str, ...]]:
    """Fit a model on one part of the ratings and score it on the other.

    Args:
        ratings: All ratings or interactions.
        model: A model's name, or None for the usual one; or the path of a saved model, which is
            scored on all ratings.
        split, test_size, seed: As in `split_by_name`.
        lists: Score lists of ten recommended items too; models that only rank always have them.
        test: Test ratings of their own, in place of a split.

    Returns:
        Tables by title, and notes.
    """
    notes: tuple[str, ...] = ()
    if isinstance(ratings, Interactions):
        notes = ratings.source.notes
        if model is None:
            model, why = model_of_interactions(ratings)
            notes = (*notes, why)
    model = model or "mf"
    if (Path(model) / "model.json").is_file():
        if test is not None:
            expected, do = "a model's name beside --test", "give the test table as DATA"
            raise ArgumentError("-m", expected=expected, received="a saved model", do=do)
        fitted, tested = load_model(model), ratings
    else:
        parts = parts_of(ratings, test, split, test_size=test_size, seed=seed)
        train, tested = parts.split
        notes += parts.notes
        fitted = liking(make_model(model), like_threshold(train)).fit(train, seed=seed)
    tables: dict[str, pl.DataFrame] = {}
    if fitted.predicts_ratings and isinstance(tested, Ratings):
        evaluation = evaluate(fitted, tested)
        tables |= evaluation.tables
        notes += evaluation.notes
    if lists or not fitted.predicts_ratings:
        data = fitted.ratings_
        threshold, k = like_threshold(data), min(10, data.n_items)
        if threshold is not None:
            notes += (f"an item counts as liked from {threshold:g} on",)
        scores = evaluate_ranking(fitted, tested, k, threshold=threshold)
        if isinstance(data, Interactions):
            popular = make_model("popularity").fit(data, seed=seed)
            of_popular = evaluate_ranking(popular, tested, k)["value"].alias("popularity")
            scores = scores.with_columns(of_popular)
        tables[f"Lists of {k} for each user, all unseen items ranked"] = scores
    return tables, notes
