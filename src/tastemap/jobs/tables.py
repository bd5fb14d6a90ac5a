"""Tables in files beside ratings: pairs to predict, a person's own ratings."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from tastemap.data.readers.archive import first_bytes
from tastemap.errors import DataError
from tastemap.support.boundary import refusing
from tastemap.support.formulas import restored

# Readers by the ending of a file; any other file is CSV.
TABLE_READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": pl.read_parquet,
    ".json": pl.read_json,
    ".tsv": lambda file: pl.read_csv(file, separator="\t"),
}


def read_table(path: Path) -> pl.DataFrame:
    """A CSV, TSV, Parquet or JSON file; text that was made safe for spreadsheets is as it was.

    Raises:
        DataError: If the file cannot be read.
    """

    def refusal(reason: str) -> DataError:
        return DataError(f"file {path}", expected="a table", received=reason)

    with refusing(refusal, DataError):
        first_bytes(path)
        return restored(TABLE_READERS.get(path.suffix, pl.read_csv)(path))
