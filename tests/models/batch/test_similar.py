"""Neighbours of all items: those of `similar_items`, and an index whose recall is measured."""

import sys

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, MissingPackageError, UnsupportedError
from tastemap.models.base.recommender import Recommender
from tastemap.models.batch import similar as neighbours
from tastemap.models.batch.similar import similar_all
from tastemap.models.registry import make_model


@pytest.fixture(scope="module")
def mf(ratings: Ratings) -> Recommender:
    return make_model("mf", n_factors=8, n_epochs=5).fit(ratings, progress=False)


def one_by_one(model: Recommender, k: int) -> pl.DataFrame:
    return pl.concat(
        model.similar_items(item, k=k).select(
            pl.lit(item).alias("item_id"),
            "rank",
            pl.col("item_id").alias("neighbour_id"),
            "title",
            pl.col("similarity").cast(pl.Float32),
        )
        for item in model.ratings_.items.ids
    )


@pytest.mark.parametrize("k", [1, 10])
def test_exact_neighbours_are_those_of_similar_items(
    mf: Recommender, k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "BLOCK_BYTES", 1)
    monkeypatch.setattr(neighbours, "MIN_BLOCK_ITEMS", 7)
    found, expected = similar_all(mf, k), one_by_one(mf, k)
    assert found.recall is None
    assert found.seconds > 0
    assert found.frame.columns == expected.columns
    names = ["item_id", "rank", "neighbour_id", "title"]
    assert found.frame.select(names).equals(expected.select(names))
    assert np.allclose(found.frame["similarity"], expected["similarity"], atol=1e-6)


def test_an_index_says_what_it_finds(mf: Recommender) -> None:
    exact, near = similar_all(mf, 5), similar_all(mf, 5, approximate=True)
    same = exact.frame.join(near.frame, on=["item_id", "neighbour_id"])
    assert near.recall == pytest.approx(len(same) / len(exact.frame))
    assert near.recall > 0.9
    assert not (near.frame["item_id"] == near.frame["neighbour_id"]).any()
    assert near.frame.group_by("item_id").len()["len"].unique().to_list() == [5]


def test_a_poor_index_is_seen(mf: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = np.random.default_rng(1)
    monkeypatch.setattr(
        neighbours,
        "_by_index",
        lambda _index, unit, asked, k: wrong.integers(0, len(unit), (len(asked), k)),
    )
    assert similar_all(mf, 5, approximate=True).recall < 0.5


def test_many_items_are_indexed(mf: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MAX_EXACT_ITEMS", 79)
    assert similar_all(mf, 5).recall is not None
    assert similar_all(mf, 5, approximate=False).recall is None
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(MissingPackageError, match="80 items; expected it to be installed"):
        similar_all(mf, 5)


def test_items_without_a_rating_are_left_out(mf: Recommender, ratings: Ratings) -> None:
    part = ratings.take(ratings.item_index != 3)
    found = similar_all(
        make_model("mf", n_factors=4, n_epochs=2).fit(part, progress=False), 3
    ).frame
    left_out = ratings.items.ids[3]
    assert left_out not in found["item_id"].to_list() + found["neighbour_id"].to_list()
    assert len(found) == 3 * 79


def test_wrong_calls(mf: Recommender, ratings: Ratings) -> None:
    for k in (0, 80, True, 2.5):
        with pytest.raises(ArgumentError, match="k; expected a whole number from 1 to 79"):
            similar_all(mf, k)
    with pytest.raises(UnsupportedError, match="BiasModel has no factors"):
        similar_all(make_model("bias").fit(ratings))
