"""The leaderboard: chosen on validation, the same ratings for all, each score as it says."""

from dataclasses import fields

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, leave_last_out, train_test_split
from tastemap.errors import ArgumentError, TastemapError
from tastemap.evaluation.by_gap import evaluate_by_gap
from tastemap.evaluation.compare import compare
from tastemap.evaluation.evaluate import rank_unseen
from tastemap.metrics.ranking import METRICS
from tastemap.metrics.rating import rmse
from tastemap.models.bias import BiasModel
from tastemap.models.ease import EASE
from tastemap.models.registry import make_model

MODELS = {
    "damped": BiasModel,
    "undamped": lambda: BiasModel(item_damping=0, user_damping=0),
    "frozen": lambda: BiasModel(item_damping=1e9, user_damping=1e9),
}
MIXED = {"bias": BiasModel, "ease": lambda: EASE(reg=20)}


def row_of(board, name: str) -> dict:
    (row,) = board.frame.filter(pl.col("model") == name).to_dicts()
    return row


def test_the_test_ratings_have_no_say(split: Split) -> None:
    """With the test ratings turned upside down the same model is chosen."""
    upside_down = Ratings(**{**vars_of(split.test), "rating": 6 - split.test.rating})
    for by in ("rmse", "mae", "ndcg"):
        honest = compare(MODELS, *split, by=by)
        scores = honest.frame[f"validation_{by}"]
        assert scores.is_sorted(descending=by == "ndcg")
        assert honest.chosen == honest.frame["model"][0]
        assert compare(MODELS, split.train, upside_down, by=by).chosen == honest.chosen


def vars_of(ratings: Ratings) -> dict[str, object]:
    return {field.name: getattr(ratings, field.name) for field in fields(Ratings)}


def test_models_that_only_rank_stand_beside_the_others(split: Split) -> None:
    board = compare(MIXED, *split, k=5)
    assert (board.by, board.k, board.chosen) == ("ndcg", 5, "ease")
    inner, validation = train_test_split(split.train, test_size=0.1, seed=0)
    model = EASE(reg=20).fit(inner)
    ranked = rank_unseen(model, split.test, 5, seen=validation)
    row = row_of(board, "ease")
    for name in METRICS:
        assert row[f"test_{name}"] == ranked.per_user()[name].mean()
    assert row["validation_ndcg"] == rank_unseen(model, validation, 5).per_user()["ndcg"].mean()
    assert row["test_rmse"] is row["predict_seconds"] is None
    # Nobody is recommended what they have rated in the validation part.
    rated = set(zip(validation.user_index.tolist(), validation.item_index.tolist(), strict=True))
    users = np.repeat(ranked.user_index, 5).tolist()
    assert rated.isdisjoint(zip(users, ranked.items.ravel().tolist(), strict=True))
    by_error = compare(MIXED, *split, by="rmse")
    assert by_error.chosen == "bias"
    assert "without rmse, so never chosen: ease" in by_error.notes


def test_refit_learns_from_the_validation_ratings_too(split: Split) -> None:
    board = compare(["bias"], *split, refit=True, lists=True)
    whole = BiasModel().fit(split.train)
    row = row_of(board, "bias")
    assert row["test_rmse"] == rmse(split.test.rating, whole.predict_ratings(split.test))
    assert row["test_ndcg"] == rank_unseen(whole, split.test).per_user()["ndcg"].mean()
    assert row["validation_rmse"] == compare(["bias"], *split).frame["validation_rmse"][0]


def test_the_next_item_is_chosen_by_the_next_item_and_scored_by_the_gap(ratings: Ratings) -> None:
    """A random validation part asked another question, and cut holes into the histories."""
    train, test = leave_last_out(ratings)
    board = compare(["popularity", "ease"], train, test, k=5, by="ndcg")
    inner, validation = leave_last_out(train)
    for name in ("popularity", "ease"):
        row, model = row_of(board, name), make_model(name)
        held_out = rank_unseen(model.fit(inner, progress=False), validation, 5)
        assert row["validation_ndcg"] == held_out.per_user()["ndcg"].mean()
        whole = model.fit(train, progress=False)
        assert row["test_ndcg"] == rank_unseen(whole, test, 5).per_user()["ndcg"].mean()
        gaps = board.gaps.filter(model=name).drop("model")
        assert gaps.equals(evaluate_by_gap(whole, test, 5))
    assert board.gaps["model"][:2].to_list() == board.frame["model"].to_list()
    assert "the last of each user in the training part" in " ".join(board.notes)
    errors = compare(["bias"], train, test)
    assert errors.k == 10, "lists are scored too"
    assert "10 % of the training part drawn at random" in " ".join(errors.notes)
    hated = test.take(~test.liked(test.values))
    assert compare(["bias"], train, hated).k is None, "no list can be scored"


def test_leaks_are_said(split: Split, ratings: Ratings) -> None:
    assert not any("too good" in note for note in compare(["bias"], *split).notes)
    leaky = compare(["bias"], ratings, split.test)
    assert leaky.notes[0].endswith("the errors are too good to be true")


@pytest.mark.parametrize("name", ["mf", "als", "ials", "knn", "popularity"])
def test_every_quick_model_can_be_compared(name: str, split: Split) -> None:
    board = compare([name, "bias"], *split)
    assert row_of(board, name)["fit_seconds"] > 0
    rates = make_model(name).predicts_ratings
    assert (row_of(board, name).get("test_rmse") is not None) == rates
    assert board.by == ("rmse" if rates else "ndcg")


def test_nothing_to_compare(split: Split) -> None:
    with pytest.raises(ArgumentError, match="at least one of each"):
        compare([], *split)
    with pytest.raises(ArgumentError, match="one of bias"):
        compare(["no such model"], *split)
    with pytest.raises(ArgumentError, match="reference; expected one of bias"):
        compare(["bias"], *split, reference="mf")
    with pytest.raises(ArgumentError, match="by; expected one of rmse, mae, recall"):
        compare(["bias"], *split, by="auc")
    with pytest.raises(ArgumentError, match="for models that only rank"):
        compare(["popularity"], *split, by="rmse")


@pytest.mark.usefixtures("trouble")
def test_a_model_that_fails_is_a_row_that_says_why(split: Split) -> None:
    board = compare(["zero", "bias", "panic", "knn"], *split, seeds=(0, 1))
    assert board.frame["model"].to_list()[2:] == ["zero", "panic"]
    assert board.chosen == board.frame["model"][0]
    assert set(board.fitted) == {"bias", "knn"}
    assert row_of(board, "bias")["failed"] is None
    why = row_of(board, "zero")["failed"]
    assert why.startswith("ZeroDivisionError: division by zero; leave this model out")
    failed = board.tables()["Failed"]
    assert failed["model"].to_list() == ["zero", "panic"]
    assert "zero" not in board.tables()["Errors of predicted ratings"]["model"]
    assert not any("never chosen" in note for note in board.notes)
    with pytest.raises(TastemapError, match="a model that does not fail; received ZeroDivision"):
        compare(["zero"], *split)
    with pytest.raises(KeyboardInterrupt):
        compare(["bias", "ctrl-c"], *split)


def test_a_model_that_fails_with_one_seed_has_no_scores(split: Split) -> None:
    class Unlucky(BiasModel):
        def _fit(self, ratings: Ratings, validation: object, seed: int, progress: bool) -> None:
            if seed == 1:
                raise ValueError("seed 1")
            super()._fit(ratings, validation, seed, progress)

    models = {"unlucky": Unlucky, "bias": BiasModel}
    board = compare(models, *split, seeds=(0, 1, 2), reference="unlucky")
    assert board.chosen == "bias"
    assert row_of(board, "unlucky")["test_rmse"] is None
    assert board.bands["model"].unique().to_list() == ["bias"]
    assert len(board.differences) == 0
