"""The tables of an artifact; `test_artifact_damage.py` has those that are refused."""

from pathlib import Path

import polars as pl
import pytest

from damage import vouch
from tastemap.data.ratings import Ratings
from tastemap.models.bias import BiasModel
from tastemap.models.registry import load_model


def saved(path: Path, **columns: object) -> Path:
    """A model of three ratings, and other columns of its items."""
    frame = pl.DataFrame({"user_id": [1, 1, 2], "item_id": [7, 8, 7], "rating": [4.0, 2.0, 5.0]})
    items = pl.DataFrame({"item_id": [7, 8]} | columns)
    return BiasModel().fit(Ratings.from_frame(frame, item_table=items)).save(path / "model")


@pytest.mark.parametrize(
    "columns",
    [
        {"title": ["Alien", None], "year": [1979, None], "genres": [["Horror"], None]},
        {"title": [1984, 2001], "year": [1956.0, 1968.5], "genres": ["Drama|War", "Sci-Fi"]},
        {"title": pl.Series(["a", "b"], dtype=pl.Categorical), "year": ["1979", "?"]},
        {"genres": [[], []], "more": [[1], [2]], "odd": [{"a": 1}, {"a": 2}]},
    ],
    ids=["usual", "numbers", "categories", "other columns"],
)
def test_whatever_people_know_of_items_comes_back(
    columns: dict[str, object], tmp_path: Path
) -> None:
    model = load_model(saved(tmp_path, **columns))
    assert model.ratings_.item_table.columns == ["item_id", *columns]
    assert model.recommend(2, k=1)["item_id"].to_list() == [8]


def test_columns_of_other_widths_are_those_of_ratings(tmp_path: Path) -> None:
    path = saved(tmp_path)
    wide = pl.read_parquet(path / "ratings.parquet").cast(
        {"user_index": pl.Int64, "item_index": pl.UInt8, "rating": pl.Float64}
    )
    wide.write_parquet(path / "ratings.parquet")
    vouch(path)
    ratings = load_model(path).ratings_
    assert ratings.fingerprint() == load_model(saved(tmp_path / "again")).ratings_.fingerprint()
