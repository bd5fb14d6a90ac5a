"""Put ratings on disk as a table."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import (
    ItemColumn,
    Json,
    RatingColumn,
    TimestampColumn,
    Unrated,
    UserColumn,
    output,
    parse_unrated,
)


def prepare(
    data: Annotated[Path, typer.Argument(help="A Parquet file of ratings, however large.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder of the table.")],
    user: UserColumn = None,
    item: ItemColumn = None,
    rating: RatingColumn = None,
    timestamp: TimestampColumn = None,
    unrated: Unrated = None,
    as_json: Json = False,
) -> None:
    """Put ratings that are more than memory holds on disk, as a folder that is read like a file.

    describe, split and fit -m mf then hold a piece of the table at a time.
    """
    from tastemap import terminal
    from tastemap.data.readers.prepare import prepare_ratings

    columns = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
    marks = parse_unrated(unrated)
    with terminal.download_bar(str(data), "reading") as progress:
        ratings = prepare_ratings(data, out, **columns, unrated=marks, progress=progress)
    facts = {"ratings": len(ratings), "users": ratings.n_users, "items": ratings.n_items}
    output(as_json).facts(
        {**facts, "scale": str(ratings.scale), "table": str(out)}, "Prepared", ratings.source.notes
    )
