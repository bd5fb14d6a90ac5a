"""The leaderboard: chosen on validation, the same ratings for all."""

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, train_test_split
from tastemap.errors import ArgumentError
from tastemap.evaluation.compare import compare
from tastemap.evaluation.metrics import mae
from tastemap.models.bias import BiasModel

MODELS = {
    "damped": BiasModel,
    "undamped": lambda: BiasModel(item_damping=0, user_damping=0),
    "frozen": lambda: BiasModel(item_damping=1e9, user_damping=1e9),
}


def test_errors_are_those_of_the_fitted_models(split: Split) -> None:
    board = compare(MODELS, *split)
    inner, validation = train_test_split(split.train, test_size=0.1, seed=0)
    model = BiasModel().fit(inner)
    row = board.frame.filter(board.frame["model"] == "damped").to_dicts()[0]
    assert row["train_mae"] == mae(inner.rating, model.predict_ratings(inner))
    assert row["validation_mae"] == mae(validation.rating, model.predict_ratings(validation))
    assert row["test_mae"] == mae(split.test.rating, model.predict_ratings(split.test))
    assert row["point"] == "mean"


def test_the_test_ratings_have_no_say(split: Split) -> None:
    """With the test ratings turned upside down the same model is chosen."""
    honest = compare(MODELS, *split)
    assert honest.frame["validation_mae"].is_sorted()
    assert honest.chosen == honest.frame["model"][0]
    upside_down = Ratings(**{**vars_of(split.test), "rating": 6 - split.test.rating})
    assert compare(MODELS, split.train, upside_down).chosen == honest.chosen


def vars_of(ratings: Ratings) -> dict[str, object]:
    return {name: getattr(ratings, name) for name in Ratings.__dataclass_fields__}


def test_several_seeds_give_means_and_a_spread(split: Split) -> None:
    one, two = (compare(["bias"], *split, seeds=[seed]).frame["test_mae"][0] for seed in (1, 2))
    both = compare(["bias"], *split, seeds=[1, 2]).frame
    assert both["test_mae"][0] == pytest.approx((one + two) / 2)
    assert both["test_mae_std"][0] == pytest.approx(np.std([one, two], ddof=1))


def test_nothing_to_compare(split: Split) -> None:
    with pytest.raises(ArgumentError, match="at least one of each"):
        compare([], *split)
    with pytest.raises(ArgumentError, match="one of bias"):
        compare(["no such model"], *split)
