"""Tell what is in ratings."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import Json, Table, output, reads_feedback


@reads_feedback
def describe(
    ratings: Table,
    as_json: Json = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A folder for the figures (PNG).")
    ] = None,
) -> None:
    """Tell what is in a file of ratings or interactions, and how it was read."""
    from tastemap import terminal
    from tastemap.jobs import describe as job

    output(as_json).tables(job.statistics_tables(ratings), job.notes_of(ratings))
    if out is not None:
        job.save_figures(job.statistics_figures(ratings), out)
        terminal.say(f"wrote the figures to {out}")
