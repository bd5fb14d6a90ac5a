"""Commands on data: get it, tell what is in it, find a title."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tastemap.cli.arguments import Json, K, Out, model_or_ratings, reads_ratings
from tastemap.cli.program import app

if TYPE_CHECKING:
    from tastemap.data.ratings import Ratings


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="ml-100k, ml-1m, ml-25m, ml-latest-small …")],
    source: Annotated[
        Path | None, typer.Option("--from", help="A zip or folder to take it from.")
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Fetch again what is there.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch a MovieLens data set into the cache and verify it."""
    from tastemap import terminal
    from tastemap.data.fetch import fetch_dataset

    with terminal.download_bar(name) as progress:
        folder = fetch_dataset(
            name, source=source, refresh=refresh, report=terminal.say, progress=progress
        )
    terminal.Output(as_json).facts({"name": name, "folder": str(folder)}, f"{name} is here")


@app.command()
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


@app.command()
def search(
    query: Annotated[list[str], typer.Argument(help="Words of a title.")],
    where: Annotated[
        str, typer.Option("--in", help="A saved model, a ratings file, or a data set's name.")
    ] = "ml-100k",
    k: K = None,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Search titles: case, accents and the order of words do not matter."""
    from tastemap.explore.search import search_titles
    from tastemap.terminal import Output

    words = " ".join(query)
    frame = search_titles(model_or_ratings(where).items, words, k=k or 10)
    Output(as_json, out).show(frame, f"Titles like “{words}”")
