"""Run the teaching lab."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import Json, Seed, output, read_data


def lab(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the results.")] = Path("demo"),
    data: Annotated[str, typer.Option(help="A ratings file or a data set's name.")] = "ml-100k",
    seeds: Annotated[int, typer.Option(help="Fits of each model on the leaderboard.")] = 1,
    source: Annotated[
        Path | None, typer.Option("--from", help="A zip or folder that holds the data set.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Run the teaching lab from end to end: data, model, errors, neighbours, map, report."""
    from tastemap.jobs.lab import run_lab

    ratings = read_data(data, {"source": source})
    run_lab(ratings, out, seeds=range(seed, seed + seeds), output=output(as_json))
