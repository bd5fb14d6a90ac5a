"""Lists of the cluster for everyone, held against those of one machine."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import UnsupportedError
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.registry import make_model
from tastemap.spark import artifact, recommend


@pytest.mark.slow
@pytest.mark.xdist_group("spark")
def test_lists_are_those_of_one_machine(
    spark: Any, fitted: Any, tmp_path: Path, ratings: Ratings
) -> None:
    model, data, result, train, _ = fitted
    there = artifact.assemble(model, replace(data, frame=train), result, {}, seed=0)
    for how in ({}, {"exclude_seen": False, "where": "year >= 1990"}):
        if "where" in how:  # the table of items comes from elsewhere
            there.ratings_ = replace(there.ratings_, items=ratings.items)
        out = tmp_path / "recommend.parquet"
        n_rows = recommend.recommend_all(spark, there, str(out), 7, **how)
        expected = recommend_all(there, 7, **how)
        assert n_rows == len(expected)
        lists = pl.read_parquet(out).sort("user_id", "rank")
        assert lists.equals(expected.cast(lists.schema))


def test_a_model_whose_scores_are_no_products_is_refused(ratings: Ratings) -> None:
    model = make_model("popularity").fit(ratings, progress=False)
    with pytest.raises(UnsupportedError, match="no factors for executors to multiply"):
        recommend.recommend_all(None, model, "lists.parquet")
