"""Score a model."""

from typing import Annotated

import typer

from tastemap.cli.arguments import (
    Json,
    Lists,
    Out,
    Seed,
    SplitName,
    Table,
    TestSize,
    output,
    reads_feedback,
)


@reads_feedback
def evaluate(
    ratings: Table,
    model: Annotated[
        str | None,
        typer.Option(
            "-m",
            "--model",
            help="A model's name, mf if not said, ease without ratings; or a saved model to score"
            " on all of DATA.",
        ),
    ] = None,
    split: SplitName = "random",
    test_size: TestSize = 0.2,
    test: Table | None = None,
    lists: Lists = False,
    seed: Seed = 0,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Fit a model on one part of the ratings and score it on the other, beside the baseline.

    Of interactions lists are scored, beside those of the most popular items.
    """
    from tastemap.jobs.evaluate import evaluation_tables

    tables, notes = evaluation_tables(
        ratings, model, split=split, test_size=test_size, seed=seed, lists=lists, test=test
    )
    output(as_json, out).tables(tables, notes)
