"""Fit a model and save it."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import (
    Conf,
    Engine,
    Json,
    Master,
    Seed,
    Table,
    Unread,
    output,
    parse_options,
    reads_feedback,
)


@reads_feedback
def fit(
    ratings: Table | Unread,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to save the model in.")],
    model: Annotated[
        str | None,
        typer.Option(
            "-m",
            "--model",
            help="Name of the model: mf if not said, ease without ratings; on Spark als, ials.",
        ),
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the model, n_epochs=20.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(help="Stop the fit after this time, and keep what it has learnt."),
    ] = None,
    engine: Engine = "local",
    master: Master = "local[*]",
    conf: Conf = None,
    test_size: Annotated[
        float | None,
        typer.Option(
            help="Share to score a first fit on, whose errors are kept with the model: 0 if not"
            " said, 0.1 on Spark."
        ),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Fit a model on all the ratings, or interactions, and save it."""
    from tastemap.jobs import fit as job

    options = parse_options(option or [])
    if isinstance(ratings, Unread):
        facts, notes = job.fit_on_spark(
            *(*ratings, out, model, options),
            *(0.1 if test_size is None else test_size, seed, master, conf or []),
        )
    else:
        facts, notes = job.fit_model(
            *(ratings, out, model, options, seed, seconds, test_size or 0.0)
        )
    output(as_json).facts(facts, "Fitted", notes)
