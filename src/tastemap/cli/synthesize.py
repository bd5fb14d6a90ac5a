"""Make ratings of any size."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import Json, Seed, output, read_data


def synthesize(
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder to write, new or old.")],
    like: Annotated[
        str,
        typer.Option(help="A ratings file, folder or name to expand; or ml-25m, ml-32m: a size."),
    ] = "ml-100k",
    base: Annotated[str, typer.Option(help="What to expand to ml-25m or ml-32m.")] = "ml-100k",
    n_ratings: Annotated[
        float | None, typer.Option("--ratings", help="How many, 25e6 say.")
    ] = None,
    n_users: Annotated[
        int | None, typer.Option("--users", help="In proportion to the ratings if not said.")
    ] = None,
    n_items: Annotated[
        int | None, typer.Option("--items", help="As the root of the ratings if not said.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    figure: Annotated[
        Path | None, typer.Option(help="Draw both sets: a .png, .svg or .pdf.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Make realistic ratings of any size: the fractal expansion of a real set."""
    from tastemap import terminal
    from tastemap.data.datasets.fractal import SIZES
    from tastemap.jobs import synthesize as job

    original = read_data(base if like in SIZES else like, {})
    size = job.expanded_size(like, original, n_ratings, n_users, n_items)
    with terminal.counting("writing ratings", size.n_ratings) as progress:
        made = job.synthesize(
            original, size, out, form=form, seed=seed, figure=figure, progress=progress
        )
    output(as_json).facts(made, f"{size.n_ratings:,} ratings")
