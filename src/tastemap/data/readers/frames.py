"""Data frames of other libraries as frames of Polars."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

from tastemap.data.readers.roles import find_columns
from tastemap.errors import ArgumentError, DataError, MissingPackageError
from tastemap.support.boundary import refusing

NAME = "the frame"


def as_polars(source: Any, chosen: Mapping[str, str | None]) -> tuple[pl.DataFrame, list[str]]:
    """Any data frame as one of Polars, and a note if columns that nobody needs are left out.

    A named index of pandas becomes a column, and so does one of text.

    Args:
        source: The frame.
        chosen: For a role of the ratings, the column that the caller has named.

    Raises:
        ArgumentError: If it is no frame.
        DataError: If it has two columns of a name, or one that is needed cannot be read: pandas may
            hold numbers and text in one column.
    """
    if isinstance(source, pl.DataFrame):
        return source, []
    if isinstance(source, pl.LazyFrame):
        return source.collect(), []
    if not hasattr(source, "__arrow_c_stream__") and not hasattr(source, "__dataframe__"):
        raise ArgumentError(
            "source",
            expected="a path or a data frame (Polars, pandas, Arrow)",
            received=type(source).__name__,
            do="give a path, or make a frame of it: polars.DataFrame(...)",
        )
    source = _with_index(source)
    names = _names(source)
    doubled = [name for name, n in Counter(names).items() if n > 1]
    if doubled:
        raise DataError(
            NAME,
            expected="each column name once",
            received=f"{', '.join(doubled)} more than once",
            do="rename all but one",
        )
    try:
        with refusing(_refusal, MissingPackageError):
            return _converted(source), []
    except DataError:
        if not hasattr(source, "iloc") or not names:
            raise
        return _by_column(source, names, chosen)


def _with_index(source: Any) -> Any:
    """A frame of pandas with its index as columns, if that has names or is text."""
    if not hasattr(source, "reset_index") or not hasattr(source, "columns"):
        return source
    index = source.index
    names = [name for name in index.names if name is not None]
    is_meant = names or getattr(index, "inferred_type", "") == "string"
    return source.reset_index() if is_meant and not {*names} & {*source.columns} else source


def _names(source: Any) -> list[str]:
    """The names of the columns, whatever the library calls them."""
    names: Any = getattr(source, "column_names", None)
    if names is None:
        names = getattr(source, "columns", [])
    return [str(name) for name in (names() if callable(names) else names)]


def _converted(source: Any) -> pl.DataFrame:
    if hasattr(source, "__arrow_c_stream__"):
        return pl.DataFrame(source)
    try:  # the older interchange protocol, which pyarrow still supports
        from pyarrow.interchange import from_dataframe
    except ImportError as error:
        raise MissingPackageError(
            "a frame that speaks the interchange protocol alone",
            expected="the package pyarrow",
            received="none",
            do="pip install pyarrow, or convert the frame to Polars",
        ) from error
    return pl.DataFrame(from_dataframe(source))


def _by_column(
    source: Any, names: list[str], chosen: Mapping[str, str | None]
) -> tuple[pl.DataFrame, list[str]]:
    """A frame of pandas without the columns that cannot be read, if nobody needs them."""
    columns, mixed = [], []
    for place, name in enumerate(names):
        try:
            with refusing(_refusal):
                columns.append(pl.Series(name, source.iloc[:, place]))
        except DataError:
            mixed.append(name)
    try:
        roles, _ = find_columns(NAME, names, chosen)
        needed = [name for name in mixed if name in roles.values()]
    except DataError:
        needed = mixed
    if needed:
        raise DataError(
            f"{NAME}, column {needed[0]}",
            expected="values of one kind",
            received="numbers and text, or values that are neither",
            do=f"make them text: frame[{needed[0]!r}].astype(str)",
        )
    return pl.DataFrame(columns), [
        f"columns that hold more than numbers or text left out: {', '.join(mixed)}"
    ]


def _refusal(reason: str) -> DataError:
    return DataError(
        NAME,
        expected="columns of numbers and text",
        received=reason,
        do="convert it to a Polars or pandas frame of plain columns",
    )
