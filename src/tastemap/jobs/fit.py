"""Fit a model on all the ratings and save it, on this machine or on Apache Spark."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.splits import train_test_split
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.evaluation.evaluate import evaluate
from tastemap.evaluation.objective import like_threshold, liked_from, liking
from tastemap.models.base.artifact import refuse_occupied
from tastemap.models.base.item_based import MAX_ITEMS
from tastemap.models.registry import make_model
from tastemap.support.counts import counted
from tastemap.support.deadline import deadline
from tastemap.terminal import working

NO_TEST = (
    "no test error is kept with the model: --test-size 0.1 measures one first, by a fit without a"
    " tenth of the ratings"
)
TESTED = (
    "the errors are those of a fit on {:,} ratings, tested on {}; the model has learnt from all"
)


def fit_model(
    ratings: Ratings | Interactions,
    out: Path,
    name: str | None,
    options: Mapping[str, Any],
    seed: int,
    seconds: float | None = None,
    test_size: float = 0.0,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Fit a model by its name on this machine and save it: facts about it, and notes.

    Args:
        ratings: The ratings or interactions to learn from.
        out: Folder of the artifact.
        name, options: The model's name, None for the usual one, and options of its constructor.
        seed: Seed of the fit.
        seconds: Time after which the fit is stopped, with what it has learnt; None for no end.
        test_size: Share of the ratings on which a first fit, without them, is scored. The scores
            are saved with the model, which says by them how far off it may be. 0 for no such fit.
    """
    if seconds is not None and not seconds > 0:
        raise ArgumentError("--seconds", expected="more than 0", received=seconds)
    threshold, notes = like_threshold(ratings), ratings.source.notes
    if name is None and isinstance(ratings, Interactions):
        name, why = model_of_interactions(ratings)
        notes = (*notes, why)
    name = name or "mf"
    refuse_occupied(out)
    model = liking(make_model(name, **options), threshold)
    metrics: dict[str, Any] = {}
    remarks: tuple[str, ...] = (NO_TEST,) if model.predicts_ratings else ()
    with deadline(math.inf if seconds is None else seconds):
        if test_size:
            metrics, remarks = _test_scores(ratings, name, options, seed, test_size)
        model.fit(ratings, seed=seed)
    model.metrics_ = metrics
    model.save(out)
    if threshold is not None and vars(model).get("threshold") == threshold:
        notes = (*notes, liked_from(ratings, threshold))
    notes = (*notes, *model.facts_, *remarks)
    if model.stopped_ is not None:
        done, planned = model.stopped_
        notes = (*notes, f"stopped after {done} of {planned} iterations: the time was over")
    scores = {key: value for key, value in metrics.items() if isinstance(value, float)}
    return {"model": name, "saved in": str(out)} | scores, notes


def _test_scores(
    ratings: Ratings | Interactions,
    name: str,
    options: Mapping[str, Any],
    seed: int,
    test_size: float,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The test errors of a fit on a part of the ratings, and notes on them."""
    model = make_model(name, **options)
    if not (isinstance(ratings, Ratings) and model.predicts_ratings):
        raise ArgumentError(
            "--test-size",
            expected="a model that predicts ratings",
            received=name,
            do="tastemap evaluate scores lists",
        )
    parts = train_test_split(ratings, test_size=test_size, seed=seed)
    evaluation = evaluate(model.fit(parts.train, seed=seed), parts.test)
    words = (len(parts.train), counted(len(parts.test), "rating"))
    return evaluation.record, (TESTED.format(*words), *evaluation.notes)


def model_of_interactions(interactions: Interactions) -> tuple[str, str]:
    """The model that learns from interactions if no other is named, and why, in a note."""
    if interactions.n_items <= MAX_ITEMS:
        return "ease", "model ease, the usual one where there are no ratings; -m names another"
    return "ials", f"model ials, for ease has at most {MAX_ITEMS:,} items; -m names another"


def fit_on_spark(
    source: str,
    reading: Mapping[str, Any],
    out: Path,
    name: str | None,
    options: Mapping[str, Any],
    test_size: float,
    seed: int,
    master: str,
    conf: Sequence[str],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read, fit, score and save a model on Spark.

    Args:
        source: The table that Spark reads, see `tastemap.spark.read.read_table`.
        reading: The options to read it with.
        out: Folder of the artifact; it is written whole or not at all.
        name, options: ``als`` or ``ials``, None for the one that learns from the table, and options
            of its constructor.
        test_size: Share of the rows to score a first fit without them; 0 for no such fit.
        seed: Seed of the split and the fits.
        master, conf: The address of the cluster, and settings ``KEY=VALUE``.

    Returns:
        Facts about the model, with its test scores, and notes.
    """
    from tastemap.models.als import ALS
    from tastemap.spark import als, artifact, evaluate, index
    from tastemap.spark.read import address, read_table
    from tastemap.spark.session import Cluster, parse_conf, spark_session

    def made(name: str) -> ALS:
        model = make_model(name, **options)
        if not isinstance(model, ALS):
            raise UnsupportedError(f"Spark fits als and ials, not {name}", do="-m als, or -m ials")
        return model

    model = made(name or "als")
    if not 0 <= test_size < 1:
        raise ArgumentError("--test-size", expected="0 or more, below 1", received=test_size)
    refuse_occupied(out)
    cluster, metrics, scored_on = Cluster(master, parse_conf(conf)), {}, {}
    with working("Spark") as tell, spark_session(cluster) as session:
        tell("reading")
        data = index.index_table(session, read_table(session, address(source), reading))
        if name is None:
            name = "ials" if data.scale is None else "als"
            model = made(name)
        index.refuse_what_the_driver_cannot_hold(data, model.n_factors + 1)
        if test_size:
            tell(f"a first fit, on {100 * (1 - test_size):.0f} %, to be scored")
            train, test = evaluate.split(data.frame, test_size, seed)
            scores = evaluate.score(model, data, als.fit(model, data, train, seed), train, test)
            *rows, (kind, count) = scores.rows()
            metrics = {f"test_{metric}": value for metric, value in rows}
            scored_on = {"scored on": f"{count:,.0f} {kind}"}
        tell(f"fitting on all {data.n:,} rows")
        fitted = als.fit(model, data, data.frame, seed)
        tell("saving")
        artifact.assemble(model, data, fitted, metrics, seed).save(out)
        data.frame.unpersist()
    return {"model": name, "saved in": str(out)} | metrics | scored_on, data.source.notes
