"""Search the options of a model."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import (
    Json,
    Seed,
    Table,
    data_words,
    output,
    parse_options,
    reads_feedback,
)


@reads_feedback
def tune(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    ratings: Table,
    seconds: Annotated[float, typer.Option(help="Time to search in.")] = 60.0,
    trials: Annotated[int | None, typer.Option(help="At most so many fits.")] = None,
    metric: Annotated[
        str | None, typer.Option(help="rmse, mae or ndcg; rmse or, for rankers, ndcg if not said.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Set the test part of this split aside, unseen: u1, time …")
    ] = None,
    test_size: Annotated[float, typer.Option(help="Share of the test ratings.")] = 0.2,
    option: Annotated[
        list[str] | None, typer.Option("--set", help="An option to give and not to search.")
    ] = None,
    study: Annotated[
        Path | None, typer.Option(help="An SQLite file of the trials, to go on with later.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for the best, fitted on everything.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw the search: .png, .svg, .pdf, or an .html page.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Search a model's options for a while, on an inner split of the training ratings alone."""
    from tastemap.jobs.tune import Files, run_tuning

    how = {"seconds": seconds, "n_trials": trials, "metric": metric, "study": study}
    run_tuning(
        ratings,
        model,
        data=data_words(ctx),
        split=split,
        test_size=test_size,
        seed=seed,
        files=Files(out, figure),
        output=output(as_json),
        options=parse_options(option or []),
        **how,
    )
