"""Recommendations for everyone: the lists of `recommend`, whatever the block and the threads."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import tastemap as tm
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, UnknownIdError
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.selection import ShortAnswerWarning
from tastemap.models.batch import recommend as everyone
from tastemap.models.batch.recommend import best_items, recommend_all
from tastemap.models.registry import make_model


@pytest.fixture(scope="module")
def mf(ratings: Ratings) -> Recommender:
    return make_model("mf", n_factors=8, n_epochs=5).fit(ratings, progress=False)


def one_by_one(model: Recommender, **options: object) -> pl.DataFrame:
    """The frame of `recommend_all`, by asking for each user."""
    return pl.concat(
        model.recommend(user, **options).select(pl.lit(user).alias("user_id"), pl.all())
        for user in model.ratings_.users.ids
    )


@pytest.mark.parametrize("k", [1, 10, 40])
def test_lists_are_those_of_recommend(mf: Recommender, k: int) -> None:
    found = recommend_all(mf, k)
    assert found.columns == ["user_id", "rank", "item_id", "title", "predicted_rating", "score"]
    assert found.equals(one_by_one(mf, k=k))


def test_other_choices_are_those_of_recommend(mf: Recommender) -> None:
    for options in (
        {"exclude_seen": False, "k": 5},
        {"where": "year >= 1970", "k": 5},
        {"candidates": list(range(1, 60)), "exclude": [4, 7], "k": 3},
        {"novelty": 0.4, "k": 5, "exclude_seen": False},
        {"by": "likely-and-liked", "novelty": -0.2, "where": "year >= 1970", "k": 5},
    ):
        assert recommend_all(mf, **options).equals(one_by_one(mf, **options))


def test_users_in_the_order_asked_for(mf: Recommender) -> None:
    found = recommend_all(mf, 2, users=[9, 3, 9])
    assert found["user_id"].to_list() == [9, 9, 3, 3, 9, 9]
    assert found[:2].drop("user_id").equals(mf.recommend(9, k=2))
    assert recommend_all(mf, 2, users=[]).shape == (0, 6)
    with pytest.raises(UnknownIdError):
        recommend_all(mf, users=[123456])


def test_equal_items_come_in_the_order_of_their_rows(ratings: Ratings) -> None:
    model = make_model("mf", n_factors=5, n_epochs=2).fit(ratings, progress=False)
    model.factors.item_weights[10:70] = model.factors.item_weights[10]
    found = recommend_all(model, 30)
    assert found.equals(one_by_one(model, k=30))
    assert found["score"].n_unique() < len(found) / 2


def test_blocks_change_nothing(mf: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = recommend_all(mf)
    monkeypatch.setattr(everyone, "BLOCK_BYTES", 1)
    monkeypatch.setattr(everyone, "MIN_BLOCK_USERS", 7)
    assert recommend_all(mf).equals(whole)


def test_short_lists_are_counted(tiny: Ratings) -> None:
    model = make_model("bias").fit(tiny)
    with pytest.warns(ShortAnswerWarning, match="3 of 3 users have fewer than 2 items"):
        found = recommend_all(model, 2)
    assert found.select("user_id", "rank", "item_id").rows() == [
        ("ann", 1, 30),
        ("ben", 1, 20),
        ("cy", 1, 10),
    ]
    lists = best_items(model, np.array([0], np.int32), 2, seen=[tiny])
    assert lists.items.tolist() == [[2, -1]]
    assert np.isnan(lists.scores[0, 1])


def test_impossible_lengths(mf: Recommender) -> None:
    for k in (0, 81, 2.5, True, "ten"):
        with pytest.raises(ArgumentError, match="k; expected a whole number from 1 to 80"):
            recommend_all(mf, k)


def test_the_public_name() -> None:
    assert tm.recommend_all is recommend_all


@pytest.mark.slow
def test_one_thread_and_two_give_the_same() -> None:
    code = (
        "import tastemap as tm; from tastemap.data.datasets.synthetic import synthetic_ratings;"
        "model = tm.ALS(n_factors=16).fit(synthetic_ratings(n_users=900, n_items=500), seed=1);"
        "print(tm.recommend_all(model).hash_rows().sum())"
    )
    sums = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={
                "OPENBLAS_NUM_THREADS": n,
                "NUMBA_NUM_THREADS": n,
                "PYTHONPATH": ":".join(sys.path),
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in ("1", "2")
    }
    assert len(sums) == 1
