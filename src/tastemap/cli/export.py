"""Write a saved model as a site."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import Json, Model, Noun, load_saved, output


def export(
    model: Model,
    out: Annotated[Path, typer.Argument(help="A new folder, or an exported site to replace.")],
    noun: Noun = None,
    as_json: Json = False,
) -> None:
    """Write a saved model as static files that search, rate, recommend and explain in a browser."""
    from tastemap.data.nouns import named_anew
    from tastemap.serve.static_site import export_site

    saved = named_anew(load_saved(model), noun)
    output(as_json).facts({"open in a browser": str(export_site(saved, out))}, "Site")
