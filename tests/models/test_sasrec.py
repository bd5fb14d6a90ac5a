"""SASRec: what follows comes first, new people, order, the unknown, without Keras."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.models.test_next_item import walks

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.models.registry import load_model
from tastemap.models.sasrec import SASRec

OPTIONS = {"n_factors": 16, "n_blocks": 1, "window": 3, "batch_size": 40, "learning_rate": 0.03}


@pytest.fixture(scope="module")
def model() -> SASRec:
    """One of users who go from 0 to 9 in a circle."""
    return SASRec(**OPTIONS, n_epochs=30).fit(walks(), progress=False)


def test_what_follows_is_recommended_first_and_the_order_counts(model: SASRec) -> None:
    assert model.recommend(history=[2, 9], k=1)["item_id"].item() == 0
    assert model.recommend(history=[9, 2], k=1)["item_id"].item() == 3
    assert model.recommend(ratings={9: 5, 2: 5}, k=1)["item_id"].item() == 3
    assert model.history_["train_loss"].to_list()[-1] < 0.5 * model.history_["train_loss"][0]


def test_a_new_history_is_answered_like_that_of_a_user(model: SASRec) -> None:
    oldest_first = model.ratings_.rated_items(17).reverse()["item_id"].to_list()
    expected = model.recommend(17, k=4)
    new = model.recommend(history=oldest_first, k=4)
    assert new["item_id"].equals(expected["item_id"])
    np.testing.assert_allclose(new["score"], expected["score"], rtol=1e-5)
    only_the_window = model.recommend(history=oldest_first[-3:], exclude=oldest_first, k=4)
    assert only_the_window["score"].equals(new["score"])


def test_no_part_of_a_score_is_claimed(model: SASRec) -> None:
    user = model.user_at(0)
    for question in (lambda: model.explain(1, item_id=2), lambda: model.lift_rows(user, [1])):
        with pytest.raises(UnsupportedError, match="it is no sum of parts"):
            question()


def test_nobody_and_nothing_known(model: SASRec) -> None:
    strangers = np.array([-1, -1], dtype=np.int32)
    scores = model.predict_rows(strangers, np.array([3, -1], dtype=np.int32))
    assert scores[0] == model.item_bias[3] >= scores[1] == model.item_bias.min()


def test_a_dislike_is_no_step_and_an_untouched_item_comes_last() -> None:
    rows = [(user, item, 1.0, item) for user in range(12) for item in range(5)]
    rows += [(user, 5, -1.0, 9) for user in range(12)]
    frame = pl.DataFrame(rows, ["user_id", "item_id", "weight", "timestamp"], orient="row")
    data = Interactions.from_frame(frame)
    model = SASRec(**OPTIONS, n_epochs=1).fit(data, progress=False)
    row = data.items.index_of(5)
    assert not model.item_factors[row].any()
    assert model.item_bias[row] == model.item_bias.min()
    liked = frame.filter((pl.col("weight") > 0) & (pl.col("user_id") == 0))["item_id"].to_list()
    expected = model.score_rows(model.fold_in(liked))
    np.testing.assert_array_equal(model.score_rows(model.user_at(0)), expected)


def test_without_times_the_order_is_drawn(tiny: Ratings) -> None:
    frame = tiny.to_frame().select("user_id", "item_id", "rating")
    model = SASRec(**OPTIONS, n_epochs=1).fit(Ratings.from_frame(frame), progress=False)
    assert np.isfinite(model.score_rows(model.user_at(0))).all()


@pytest.mark.parametrize(
    "option",
    [
        {"n_factors": 0},
        {"n_blocks": 0},
        {"window": 1.5},
        {"n_epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0},
        {"dropout": 1.0},
        {"n_negatives": 0},
    ],
    ids=str,
)
def test_impossible_options(option: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match=f"{next(iter(option))}; expected"):
        SASRec(**option)


WITHOUT_KERAS = """
import sys
sys.modules["keras"] = None
from tastemap.models.registry import load_model
model = load_model(sys.argv[1])
print(*model.recommend(history=[2, 9], k=5)["item_id"])
"""


def test_it_serves_without_keras(model: SASRec, tmp_path: Path) -> None:
    path = model.save(tmp_path / "model")
    expected = load_model(path).recommend(history=[2, 9], k=5)["item_id"].to_list()
    command = [sys.executable, "-c", WITHOUT_KERAS, str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == [str(item) for item in expected]
