"""Tell what a saved model is."""

from typing import Annotated

import typer

from tastemap.cli.arguments import Json, Model, output


def info(
    model: Model,
    everything: Annotated[
        bool, typer.Option("--all", help="Also arrays, versions, notes, all scores.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell what a saved model is: class, data, test errors, size."""
    from tastemap.jobs.info import all_facts, summary
    from tastemap.models.base.artifact import read_manifest

    answer = output(as_json)
    if as_json:
        answer.facts(read_manifest(model), f"Model {model}")
    elif everything:
        answer.facts(all_facts(model), f"Model {model}")
    else:
        answer.facts(summary(model), f"Model {model}", ["--all or --json tells everything"])
