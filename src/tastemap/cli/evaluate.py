"""Score a model."""

from typing import TYPE_CHECKING, Annotated

import typer

from tastemap.cli.arguments import (
    Json,
    Lists,
    Out,
    Seed,
    SplitName,
    TestSize,
    reads_ratings,
)

if TYPE_CHECKING:
    from tastemap.data.ratings import Ratings


@reads_ratings
def evaluate(
    ratings: "Ratings",
    model: Annotated[
        str,
        typer.Option(
            "-m", "--model", help="A model's name, or a saved model to score on all ratings."
        ),
    ] = "mf",
    split: SplitName = "random",
    test_size: TestSize = 0.2,
    lists: Lists = False,
    seed: Seed = 0,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Fit a model on one part of the ratings and score it on the other, beside the baseline."""
    from tastemap.jobs.evaluate import evaluation_tables
    from tastemap.terminal import Output

    tables, notes = evaluation_tables(
        ratings, model, split=split, test_size=test_size, seed=seed, lists=lists
    )
    Output(as_json, out).tables(tables, notes)
