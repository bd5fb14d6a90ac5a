"""Part a table on disk."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import Json, Seed, Table, output, reads_feedback


@reads_feedback
def split(
    ratings: Table,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for train and test.")],
    by: Annotated[str, typer.Option(help="hash of user and item, or time.")] = "hash",
    test_size: Annotated[float, typer.Option(help="Share of the test part.")] = 0.1,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Write a training and a test part, as tables on disk that every command reads."""
    from tastemap.data.prepared_splits import split_prepared

    parts = split_prepared(ratings, out, by, test_size=test_size, seed=seed)
    named = zip(parts._fields, parts, strict=True)
    facts = {f"{name} {part.noun}": len(part) for name, part in named}
    output(as_json).facts({**facts, "folder": str(out)}, f"Split by {by}", ratings.source.notes)
