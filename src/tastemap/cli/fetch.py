"""Fetch a data set."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import Json, output


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
    from tastemap.data.datasets.fetch import fetch_dataset

    with terminal.download_bar(name) as progress:
        folder = fetch_dataset(
            name, source=source, refresh=refresh, report=terminal.say, progress=progress
        )
    output(as_json).facts({"name": name, "folder": str(folder)}, f"{name} is here")
