"""Say why a model expects a rating."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import Json, Model, Out, Rated, load_saved, output, parse_new_user


def explain(
    model: Model,
    item: Annotated[str, typer.Argument(help="An item id, a title, or words of one.")],
    user: Annotated[str | None, typer.Option(help="A user of the data; or --rate.")] = None,
    rate: Rated = None,
    like: Annotated[
        list[str] | None,
        typer.Option(help="Without ratings: an item that a new person chose; may be repeated."),
    ] = None,
    ratings: Annotated[
        Path | None, typer.Option(help="A new person's file: title or item_id, rating; an export.")
    ] = None,
    k: Annotated[
        int | None, typer.Option("-k", min=1, help="How many ratings have a row; ten if not said.")
    ] = None,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Say why a model expects a rating of an item: what each part and each rating adds to it."""
    from tastemap.jobs.explain import explained

    single = {"user": user, "ratings": parse_new_user(rate, ratings, like)}
    answer = explained(load_saved(model), item, single, k)
    output(as_json, out).show(answer.frame, answer.title, answer.notes, shown=answer.shown)
