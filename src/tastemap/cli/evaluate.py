"""Score a model."""

from typing import Annotated

import typer

from tastemap.cli.arguments import (
    Json,
    Lists,
    Out,
    Ratings,
    Seed,
    SplitName,
    TestSize,
    output,
    reads_ratings,
)


@reads_ratings
def evaluate(
    ratings: Ratings,
    model: Annotated[
        str,
        typer.Option(
            "-m", "--model", help="A model's name, or a saved model to score on all ratings."
        ),
    ] = "mf",
    split: SplitName = "random",
    test_size: TestSize = 0.2,
    test: Ratings | None = None,
    lists: Lists = False,
    seed: Seed = 0,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Fit a model on one part of the ratings and score it on the other, beside the baseline."""
    from tastemap.jobs.evaluate import evaluation_tables

    tables, notes = evaluation_tables(
        ratings, model, split=split, test_size=test_size, seed=seed, lists=lists, test=test
    )
    output(as_json, out).tables(tables, notes)
