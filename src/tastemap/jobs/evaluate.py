"""Fit a model on one part of the ratings and score it on the other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.evaluation.by_gap import gaps_before, is_next, joined_gaps, lists_by_gap
from tastemap.evaluation.evaluate import evaluate, rank_unseen
from tastemap.evaluation.leakage import leak_notes
from tastemap.evaluation.objective import like_threshold, liked_from, liking
from tastemap.evaluation.ranked_lists import RankedLists
from tastemap.jobs.fit import model_of_interactions
from tastemap.jobs.held_out import parts_of
from tastemap.models.base.recommender import Recommender
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
        lists: Score lists of ten recommended items too; models that only rank always have them,
            and all models where the split is "last" and times are known.
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
    has_gaps = is_next(fitted.fitted_data, tested)
    if lists or has_gaps or not fitted.predicts_ratings:
        threshold = like_threshold(fitted.fitted_data)
        if threshold is not None:
            notes += (liked_from(fitted.fitted_data, threshold),)
        if not tables:  # the errors bring theirs
            rows = fitted.rows_of(tested)
            notes += tuple(leak_notes(fitted.fitted_data, *rows, of_lists=True))
        tables |= _list_tables(fitted, tested, threshold, seed, has_gaps)
    return tables, notes


def _list_tables(
    fitted: Recommender, tested: Feedback, threshold: float | None, seed: int, has_gaps: bool
) -> dict[str, pl.DataFrame]:
    """The scores of the lists, and those by gap, beside the most popular items."""
    data = fitted.fitted_data
    k, models = min(10, data.n_items), {str(fitted): fitted}
    if has_gaps or isinstance(data, Interactions):
        models["popularity"] = liking(make_model("popularity"), threshold).fit(data, seed=seed)
    ranked = {
        name: rank_unseen(model, tested, k, threshold=threshold) for name, model in models.items()
    }
    scores, *others = (lists.frame(data) for lists in ranked.values())
    for frame in others:
        scores = scores.with_columns(frame["value"].alias("popularity"))
    tables = {f"Lists of {k} for each user, all unseen items ranked": scores}
    if has_gaps:
        title = f"Lists of {k} by the time since the user was there last"
        tables[title] = gap_table(ranked, data, tested)
    return tables


def gap_table(ranked: Mapping[str, RankedLists], train: Feedback, test: Feedback) -> pl.DataFrame:
    """The lists of several models by the time between a user's training part and their test.

    Returns:
        Frame ``gap, model, users, share, recall, recall_low, recall_high, ndcg``.
    """
    gap = gaps_before(train, test)
    parts = {name: lists_by_gap(lists, gap).drop("mrr") for name, lists in ranked.items()}
    return joined_gaps(parts)


def record_of_lists(scores: pl.DataFrame, by_gap: pl.DataFrame | None = None) -> dict[str, Any]:
    """What is saved of tested lists: scores, those of the baseline, and the same by gap if known.

    Args:
        scores: Frame ``metric``, values of the model, values of the baseline.
        by_gap: A frame of `joined_gaps`, or None.
    """
    record: dict[str, Any] = {f"test_{metric}": value for metric, value, _ in scores.rows()}
    scored = scores.filter(~pl.col("metric").str.starts_with("users"))  # the same for both
    record |= {f"baseline_test_{metric}": value for metric, _, value in scored.rows()}
    return record if by_gap is None else record | {"gaps": by_gap.to_dict(as_series=False)}
