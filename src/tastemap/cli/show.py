"""Commands that show a saved model, and what is installed."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import Json, Model, load_saved
from tastemap.cli.program import app


@app.command("map")
def draw_map(
    model: Model,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="An .html page, or a picture (.png, .svg, .pdf).")
    ] = Path("map.html"),
    colour: Annotated[str, typer.Option(help="popularity, average, year or genre.")] = "popularity",
    as_json: Json = False,
) -> None:
    """Draw the items on a plane, those with similar factors close together."""
    from tastemap.jobs.report import write_map
    from tastemap.terminal import Output

    Output(as_json).facts(write_map(model, out, colour), "Map of the items")


@app.command()
def report(
    model: Model,
    out: Annotated[Path, typer.Option("-o", "--out", help="The page.")] = Path("report.html"),
    as_json: Json = False,
) -> None:
    """Write a self-contained page about a saved model: its data, its training, its map."""
    from tastemap.jobs.report import write_report
    from tastemap.terminal import Output

    write_report(load_saved(model), out)
    Output(as_json).facts({"report": str(out)}, "Report")


@app.command()
def info(model: Model, as_json: Json = False) -> None:
    """Tell what a saved model is: class, data, errors, versions."""
    from tastemap.models.base.artifact import read_manifest
    from tastemap.terminal import Output

    Output(as_json).facts(read_manifest(model), f"Model {model}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check what is installed, what runs, and where data is kept."""
    from tastemap.jobs.doctor import diagnosis
    from tastemap.terminal import Output

    Output(as_json).show(diagnosis(), "tastemap doctor")
