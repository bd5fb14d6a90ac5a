"""A model scored on a part of the ratings, or a saved one on all of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.data.splits import Split
from tastemap.errors import ArgumentError
from tastemap.jobs.evaluate import evaluation_tables, record_of_lists
from tastemap.models.registry import make_model

SPLIT = {"split": "random", "test_size": 0.2, "seed": 0, "lists": False}


def test_a_model_that_ranks_has_scores_of_lists_alone(ratings: Ratings) -> None:
    tables, notes = evaluation_tables(ratings, "popularity", **SPLIT)
    assert list(tables) == ["Lists of 10 for each user, all unseen items ranked"]
    assert notes == ()


def test_a_saved_model_is_scored_on_all_ratings(ratings: Ratings, tmp_path: Path) -> None:
    make_model("bias").fit(ratings).save(tmp_path / "model")
    tables, (note,) = evaluation_tables(ratings, str(tmp_path / "model"), **SPLIT)
    assert tables["Test errors"]["n"].to_list() == [3000, 3000]
    assert note.startswith("3,000 of 3,000 test pairs are among the training ratings too")


def test_a_test_table_takes_the_place_of_a_split(split: Split, tmp_path: Path) -> None:
    tables, notes = evaluation_tables(split.train, "bias", **SPLIT, test=split.test)
    assert tables["Test errors"]["n"].to_list() == [600, 600]
    assert notes[0] == "tested on 600 ratings of synthetic"
    make_model("bias").fit(split.train).save(tmp_path / "model")
    with pytest.raises(ArgumentError, match="a model's name beside --test; received a saved"):
        evaluation_tables(split.train, str(tmp_path / "model"), **SPLIT, test=split.test)


def test_of_counts_the_upper_half_is_liked(ratings: Ratings) -> None:
    rating = ratings.rating.copy()
    rating[0] = 350_000
    counts = replace(ratings, rating=rating, scale=Scale.infer(rating))
    tables, notes = evaluation_tables(counts, "ease", **SPLIT)
    ((_, scores),) = tables.items()
    assert scores.filter(metric="ndcg")["value"][0] > 0, "it learns from these likes, too"
    assert notes == (f"an item counts as liked from {np.median(rating):g} on",)


def test_where_the_last_is_the_test_lists_are_scored_by_the_gap(ratings: Ratings) -> None:
    """Models of ratings too, and beside the most popular items."""
    words = SPLIT | {"split": "last"}
    tables, _ = evaluation_tables(ratings, "bias", **words)
    lists, gaps = (frame for title, frame in tables.items() if title.startswith("Lists of 10"))
    assert lists.columns == ["metric", "k", "value", "popularity"]
    assert gaps["gap"].to_list() == ["within a minute"] * 2 + ["all"] * 2
    assert gaps["model"][:2].to_list() == ["BiasModel", "popularity"]
    assert gaps["ndcg"][2:].to_list() == [*lists.filter(metric="ndcg").row(0)[2:]]
    untimed, _ = evaluation_tables(replace(ratings, timestamp=None), "bias", **SPLIT)
    assert not any(title.startswith("Lists") for title in untimed)


def test_the_record_of_lists_has_the_baseline_and_the_gaps() -> None:
    scores = pl.DataFrame(
        {"metric": ["ndcg", "users"], "ease": [0.5, 9.0], "baseline": [0.25, 9.0]}
    )
    record = {"test_ndcg": 0.5, "test_users": 9.0, "baseline_test_ndcg": 0.25}
    assert record_of_lists(scores) == record
    gaps = pl.DataFrame({"gap": ["all"], "recall": [0.5]})
    assert record_of_lists(scores, gaps) == record | {"gaps": {"gap": ["all"], "recall": [0.5]}}
