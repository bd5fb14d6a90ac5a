"""A written set is read back, and is whole or not there."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tastemap.data.datasets.fractal import FractalExpansion, Size
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.datasets.writer import write_release
from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError, DataError

BASE = synthetic_ratings()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_written_set_is_read_back_and_replaced(form: str, tmp_path: Path) -> None:
    folder, told = tmp_path / "big", []
    for seed in (0, 1):
        big = FractalExpansion(BASE, Size(500, 200, 10_000), seed)
        write_release(
            big.blocks(), big.schema, big.items(), folder, form=form, progress=told.append
        )
    assert sum(told) == 20_000
    assert {path.name for path in folder.iterdir()} == {f"ratings.{form}", "movies.csv"}
    ratings = read_ratings(folder)
    assert (len(ratings), ratings.n_users, ratings.n_items) == (10_000, 500, 200)
    assert ratings.timestamp is not None
    assert "no. " in ratings.items.titles[0]
    assert f"(ratings.{form})" in ratings.source.notes[0]
    same = pl.concat(FractalExpansion(BASE, Size(500, 200, 10_000), seed=1).blocks())
    assert ratings.to_frame().rows() == same.rows()
    assert [path.name for path in tmp_path.iterdir()] == ["big"]


def test_titles_that_a_spreadsheet_would_compute_are_text_and_come_back(tmp_path: Path) -> None:
    titles = ['=HYPERLINK("http://x")', "-2+3", "'Tis"]
    items = pl.DataFrame({"movieId": [1, 2, 3], "title": titles, "genres": ["@SUM(1)", "a", "b"]})
    rows = pl.DataFrame({"userId": [1, 1, 1], "movieId": [1, 2, 3], "rating": [1.0, 2.0, 3.0]})
    folder = write_release([rows], rows.schema, items, tmp_path / "set")
    cells = (folder / "movies.csv").read_text(encoding="utf-8").splitlines()
    assert cells[1:] == ['1,"\'=HYPERLINK(""http://x"")",\'@SUM(1)', "2,'-2+3,a", "3,'Tis,b"]
    read = read_ratings(folder)
    assert read.items.titles.to_list() == titles
    assert read.items.frame["genres"].to_list()[0] == ["@SUM(1)"]


def test_other_folders_and_forms_are_refused(tmp_path: Path) -> None:
    big = FractalExpansion(BASE, Size(120, 80, 3000))
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ArgumentError, match="expected a new folder, or an expanded set to repl"):
        write_release(big.blocks(), big.schema, big.items(), tmp_path)
    with pytest.raises(ArgumentError, match="form; expected one of csv, parquet; received 'tsv'"):
        write_release(big.blocks(), big.schema, big.items(), tmp_path / "x", form="tsv")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


FULL_DISK = """
import resource, sys
from tastemap.data.datasets.fractal import FractalExpansion, Size
from tastemap.data.datasets.writer import write_release
from tastemap.data.datasets.synthetic import synthetic_ratings
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
big = FractalExpansion(synthetic_ratings(), Size(1000, 500, 90_000))
write_release(big.blocks(), big.schema, big.items(), sys.argv[1], form=sys.argv[2])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are those of Unix")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_disk_that_fills_leaves_the_old_set_whole(form: str, tmp_path: Path) -> None:
    folder = tmp_path / "big"
    small = FractalExpansion(BASE, Size(120, 80, 3000))
    write_release(small.blocks(), small.schema, small.items(), folder, form=form)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, folder, form], capture_output=True, text=True, check=False
    )
    assert "DataError: folder" in done.stderr
    assert "File too large" in done.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["big"]


def test_an_error_while_making_the_blocks_leaves_nothing(tmp_path: Path) -> None:
    def broken():
        yield from list(big.blocks())[:1]
        raise OSError(28, "No space left on device")

    big = FractalExpansion(BASE, Size(240, 160, 9_000))
    with pytest.raises(DataError, match="No space left on device"):
        write_release(broken(), big.schema, big.items(), tmp_path / "big")
    assert not list(tmp_path.iterdir())
