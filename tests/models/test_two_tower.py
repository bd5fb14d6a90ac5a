"""The two-tower model: tastes found, new people, explanations, the unknown, without Keras."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.models.registry import load_model
from tastemap.models.two_tower import TwoTower


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> TwoTower:
    options = {"n_factors": 16, "n_epochs": 15, "batch_size": 256}
    return TwoTower(**options).fit(ratings, progress=False)


def test_two_tastes_are_found(model: TwoTower) -> None:
    for loved, genre in ((1, "Comedy"), (2, "Drama")):
        similar = model.similar_items(loved, k=10)["title"]
        assert sum(title.startswith(genre) for title in similar) >= 9
        answer = model.recommend(ratings={loved: 5, loved + 2: 5}, k=10)["title"]
        assert sum(title.startswith(genre) for title in answer) >= 9


def test_a_new_person_gets_what_a_user_with_the_same_ratings_gets(
    model: TwoTower, ratings: Ratings
) -> None:
    known, new = model.recommend(5, k=10), model.recommend(ratings=ratings.rated_items(5), k=10)
    assert new["item_id"].equals(known["item_id"])
    np.testing.assert_allclose(new["score"], known["score"], rtol=1e-5)


def test_a_persons_vector_is_the_average_of_their_likes(model: TwoTower, ratings: Ratings) -> None:
    rated = ratings.rated_items(5)
    liked = rated.filter(pl.col("rating") >= 4)["item_id"]
    mean = model.history_embedding[ratings.items.index(liked)].mean(axis=0)
    expected = mean / np.linalg.norm(mean) / model.temperature
    np.testing.assert_allclose(model.user_factors[4], expected, rtol=1e-4)


def test_explanations_sum_to_the_score(model: TwoTower) -> None:
    for who in ({"user_id": 5}, {"ratings": {1: 5, 3: 4, 2: 1}}):
        parts = model.explain(**who, item_id=40)
        assert set(parts["part"]) == {"item bias", "your rating"}
        disliked = parts.filter(pl.col("rating") < 4)["contribution"]
        assert set(disliked) == {0.0}
        answer = model.recommend(**who, candidates=[40], k=1, exclude_seen=False)
        assert parts["contribution"].sum() == pytest.approx(answer["score"].item(), abs=1e-4)


def test_who_likes_nothing_is_told_what_is_liked(model: TwoTower) -> None:
    answer = model.recommend(ratings={1: 1}, k=79)
    order = model.ratings_.items.index(answer["item_id"])
    np.testing.assert_allclose(answer["score"], np.sort(model.item_bias[order])[::-1], rtol=1e-6)


def test_an_item_that_no_one_likes_comes_last() -> None:
    rows = [(u, i, 5.0) for u in range(12) for i in range(6) if (u + i) % 3]
    frame = pl.DataFrame(
        [*rows, (0, 99, 1.0)], schema=["user_id", "item_id", "rating"], orient="row"
    )
    model = TwoTower(n_factors=4, n_epochs=2).fit(Ratings.from_frame(frame), progress=False)
    row = model.ratings_.items.index_of(99)
    assert not model.item_factors[row].any()
    assert model.item_bias[row] == model.item_bias.min() == model.factors.item_weights[-1, 0]
    assert model.recommend(ratings={1: 1}, k=6)["item_id"].to_list()[-1] == 99


def test_nobody_likes_anything(tiny: Ratings) -> None:
    model = TwoTower(threshold=6).fit(tiny, progress=False)
    assert model.recommend("ann", k=1)["score"].item() == 0


@pytest.mark.parametrize(
    "option",
    [
        {"n_factors": 0},
        {"n_epochs": 1.5},
        {"batch_size": 0},
        {"learning_rate": 0},
        {"temperature": np.nan},
        {"dropout": 1.0},
    ],
    ids=str,
)
def test_impossible_options(option: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match=f"{next(iter(option))}; expected"):
        TwoTower(**option)


WITHOUT_KERAS = """
import sys
sys.modules["keras"] = None
from tastemap.models.registry import load_model
model = load_model(sys.argv[1])
print(*model.recommend(ratings={1: 5, 3: 5}, k=5)["item_id"])
"""


def test_it_serves_without_keras(model: TwoTower, tmp_path: Path) -> None:
    path = model.save(tmp_path / "model")
    expected = load_model(path).recommend(ratings={1: 5, 3: 5}, k=5)["item_id"].to_list()
    command = [sys.executable, "-c", WITHOUT_KERAS, str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.split() == [str(item) for item in expected]
