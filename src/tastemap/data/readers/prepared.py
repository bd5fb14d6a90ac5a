"""Read prepared tables, in which columns, weights and repeats are settled."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tastemap.data.interactions import Interactions
from tastemap.data.memmap import read_prepared
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, DataError, NoRatingsError


def prepared_ratings(path: Path) -> Ratings:
    """The ratings of a prepared table.

    Raises:
        NoRatingsError: If it has interactions.
    """
    table = read_prepared(path)
    if isinstance(table, Ratings):
        return table
    raise NoRatingsError(
        f"prepared table {path}",
        expected="ratings",
        received="interactions",
        do="give a table of ratings",
    )


def prepared_interactions(path: Path, given: Mapping[str, Any]) -> Interactions:
    """The interactions of a prepared table.

    Args:
        path: Its folder.
        given: Arguments of `read_interactions` for other tables; None for each that is not given.

    Raises:
        DataError: If it has ratings.
        ArgumentError: If an argument asks for what was settled when the table was written.
    """
    names = [name for name, value in given.items() if value is not None]
    if names:
        raise ArgumentError(
            ", ".join(names),
            expected="a table that is not prepared",
            received=f"{path}, whose weights and repeats are settled",
            do="leave this out, or give it when the table is split",
        )
    table = read_prepared(path)
    if isinstance(table, Interactions):
        return table
    raise DataError(
        f"prepared table {path}",
        expected="interactions",
        received="ratings",
        do="read it with tm.read_ratings(...)",
    )
