"""Fit a saved model anew."""

from typing import Annotated

import typer

from tastemap.cli.arguments import Json, Model, Seed, output


def update(
    model: Model,
    from_store: Annotated[
        str, typer.Option(help="The store of serve: a file, or a PostgreSQL URL.")
    ] = "ratings.db",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Fit a saved model anew with what people said to serve, and save it in its place."""
    from tastemap.serve.people.retrain import update_model
    from tastemap.serve.settings import Settings

    changed = update_model(model, Settings(model, from_store).store_url, seed=seed)
    facts = {"persons": changed.profiles, changed.noun: changed.ratings}
    facts |= {"withdrawn": changed.withdrawn, f"n_{changed.noun}": changed.n_ratings}
    output(as_json).facts(facts, "Updated")
