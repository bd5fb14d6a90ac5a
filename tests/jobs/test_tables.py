"""Tables beside ratings, in each format."""

from pathlib import Path

import polars as pl
import pytest

from tastemap.errors import DataError
from tastemap.jobs.tables import TABLE_READERS, read_table
from tastemap.terminal import write_frame


@pytest.mark.parametrize("ending", [".csv", *TABLE_READERS])
def test_each_format_gives_the_same_table(tmp_path: Path, ending: str) -> None:
    frame = pl.DataFrame({"title": ["=1+1", "Alien"], "rating": [4.5, 1.0]})
    path = tmp_path / f"mine{ending}"
    write_frame(frame, path)
    assert read_table(path).equals(frame)


@pytest.mark.parametrize("ending", [".csv", *TABLE_READERS])
def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mine{ending}"
    path.write_bytes(b"" if ending in (".csv", ".tsv") else b"{")
    with pytest.raises(DataError, match="expected a table"):
        read_table(path)
