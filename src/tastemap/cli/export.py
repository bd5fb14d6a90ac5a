"""Write a saved model as a site."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import Json, Model, load_saved, output


def export(
    model: Model,
    out: Annotated[Path, typer.Argument(help="A new folder, or an exported site to replace.")],
    as_json: Json = False,
) -> None:
    """Write a saved model as static files that search, rate, recommend and explain in a browser."""
    from tastemap.serve.static_site import export_site

    output(as_json).facts({"open in a browser": str(export_site(load_saved(model), out))}, "Site")
