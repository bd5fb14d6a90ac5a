"""Tell what is in ratings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tastemap.cli.arguments import Json, reads_ratings

if TYPE_CHECKING:
    from tastemap.data.ratings import Ratings


@reads_ratings
def describe(
    ratings: "Ratings",
    as_json: Json = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A folder for the figures (PNG).")
    ] = None,
) -> None:
    """Tell what is in a ratings file, and how it was read."""
    from tastemap import terminal
    from tastemap.jobs import describe as jobs

    output = terminal.Output(as_json)
    output.tables(jobs.statistics_tables(ratings), ratings.source.notes)
    if out is not None:
        jobs.save_figures(jobs.statistics_figures(ratings), out)
        terminal.say(f"wrote the figures to {out}")
