"""What the tests of commands share: a release of data, and models fitted on it."""

from pathlib import Path

import polars as pl
import pytest

from commands import ask, run
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


@pytest.fixture(scope="session")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``clicks.csv``, of people who stay within one of two groups, and its model."""
    path = tmp_path_factory.mktemp("clicks")
    rows = [
        f"u{user},{'ab'[user % 2]}{(user // 2 + 5 * step) % 12},{1 + step % 3},"
        f"{1700000000 + 86400 * step + user}"
        for user in range(40)
        for step in range(6)
    ]
    text = "\n".join(["user,article,clicks,timestamp", *rows])
    (path / "clicks.csv").write_text(text, encoding="utf-8")
    facts = ask("fit", path / "clicks.csv", "-o", path / "model")
    assert facts["model"] == "ease"
    return path
