"""Go from a table to a report."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import Json, Seed, Table, output, reads_feedback


@reads_feedback
def run(
    ratings: Table,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the results.")] = Path("run"),
    seconds: Annotated[
        float, typer.Option(help="Time for all of it: reading, choosing, fitting, report.")
    ] = 60.0,
    goal: Annotated[
        str | None,
        typer.Option(
            help="ratings: predict them; lists: rank what is liked. If not said ratings, and lists"
            " where there are none."
        ),
    ] = None,
    test: Table | None = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Go from a table to a report: describe, choose a model, test it, fit it, map it, save it."""
    from tastemap.jobs.run import run_all

    run_all(
        ratings,
        out,
        seconds=seconds,
        goal=goal,
        seed=seed,
        output=output(as_json),
        test=test,
    )
