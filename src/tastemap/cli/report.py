"""Draw a saved model: its map, its report."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import Json, Model, load_saved, output


def draw_map(
    model: Model,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="Write an .html page, or a picture: .png, .svg, .pdf. If not said the map is only"
            " kept with the model, for serve and export.",
        ),
    ] = None,
    colour: Annotated[str, typer.Option(help="popularity, average, year or genre.")] = "popularity",
    as_json: Json = False,
) -> None:
    """Draw the items on a plane, those with similar factors close together."""
    from tastemap.jobs.report import write_map

    output(as_json).facts(write_map(model, out, colour), "The map")


def report(
    model: Model,
    out: Annotated[Path, typer.Option("-o", "--out", help="The page.")] = Path("report.html"),
    as_json: Json = False,
) -> None:
    """Write a self-contained page about a saved model: its data, its training, its map."""
    from tastemap.jobs.report import write_report

    write_report(load_saved(model), out)
    output(as_json).facts({"report": str(out)}, "Report")
