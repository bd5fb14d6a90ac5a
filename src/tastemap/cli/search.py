"""Search titles."""

from typing import Annotated

import typer

from tastemap.cli.arguments import Json, K, Out, learnt_or_read, output


def search(
    query: Annotated[list[str], typer.Argument(help="Words of a title.")],
    where: Annotated[
        str, typer.Option("--in", help="A saved model, a ratings file, or a data set's name.")
    ] = "ml-100k",
    k: K = None,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Search titles: case, accents and the order of words do not matter."""
    from tastemap.explore.title_search import search_titles

    words = " ".join(query)
    data = learnt_or_read(where)
    frame = search_titles(data.items, words, k or 10, popularity=data.by_item.counts)
    output(as_json, out).show(frame, f"Titles like “{words}”")
