"""What the tests of commands share: a release of data, and models fitted on it."""

from pathlib import Path

import polars as pl
import pytest

from commands import run
from tastemap.data.ratings import Ratings


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, ratings: Ratings) -> Path:
    """A folder in the form of MovieLens' newer releases, and models fitted on it."""
    path = tmp_path_factory.mktemp("cli")
    release = path / "release"
    release.mkdir()
    columns = {"user_id": "userId", "item_id": "movieId"}
    ratings.to_frame().rename(columns).write_csv(release / "ratings.csv")
    ratings.item_table.select(
        pl.col("item_id").alias("movieId"),
        pl.format("{} ({})", "title", "year").alias("title"),
        pl.col("genres").list.join("|"),
    ).write_csv(release / "movies.csv")
    run("fit", release, "-m", "bias", "-o", path / "bias")
    run("fit", release, "-m", "dot", "-o", path / "dot", "--set", "n_epochs=3")
    return path
