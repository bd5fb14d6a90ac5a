"""Tuning: the defaults first, on an inner split alone, and a study that can be continued."""

import time
from dataclasses import replace

import numpy as np
import pytest

import tastemap.evaluation.tuning.tune as module
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.data.splits import train_test_split
from tastemap.errors import ArgumentError, TastemapError, UnsupportedError
from tastemap.evaluation.tuning.spaces import SPACES, Span
from tastemap.evaluation.tuning.tune import tune
from tastemap.metrics.rating import rmse
from tastemap.models.registry import MODELS, make_model


def test_the_first_trial_has_the_defaults_and_the_best_is_no_worse(ratings: Ratings) -> None:
    tuning = tune("mf", ratings, n_trials=6, options={"n_epochs": 5})
    first = tuning.trials.row(0, named=True)
    assert first["note"] == "the defaults"
    assert (first["n_factors"], first["reg"]) == (64, 0.045)
    assert tuning.default_value == first["rmse"]
    assert tuning.value == tuning.trials["rmse"].min()
    assert len(tuning.trials) == 6
    assert "n_epochs" not in tuning.trials.columns


def test_the_value_is_that_of_a_fit_on_the_inner_split(ratings: Ratings) -> None:
    tuning = tune("bias", ratings, n_trials=8, seed=3)
    inner, held_out = train_test_split(ratings, 0.1, seed=3)
    assert tuning.options, "the defaults are not the best of these"
    for model, value in ((tuning.make(), tuning.value), (make_model("bias"), tuning.default_value)):
        predicted = model.fit(inner).predict_ratings(held_out)
        assert value == pytest.approx(rmse(held_out.rating, predicted))
    assert tuning.gain.value == pytest.approx(tuning.value - tuning.default_value)
    assert "2,700 ratings and judged by 300 others (split random)" in tuning.judged


def test_same_seed_same_trials(ratings: Ratings) -> None:
    one, two, other = (
        tune("bias", ratings, n_trials=13, seed=seed).trials.drop("seconds") for seed in (1, 1, 2)
    )
    assert one.equals(two)
    assert not one["item_damping"].equals(other["item_damping"])


def test_models_that_rank_are_tuned_by_their_lists(ratings: Ratings) -> None:
    tuning = tune("ease", ratings, n_trials=5)
    assert tuning.metric == "ndcg"
    assert tuning.value == tuning.trials["ndcg"].max() >= tuning.default_value
    assert tuning.words.startswith(f"-m ease --set reg={tuning.options['reg']:g} --set dropout=")


def test_interactions_are_tuned_by_their_lists_and_models_of_ratings_are_refused(
    ratings: Ratings,
) -> None:
    tuning = tune("item-knn", ratings.likes(), n_trials=3, split="forecast")
    assert tuning.metric == "ndcg"
    assert tuning.value >= tuning.default_value > 0
    assert "interactions and judged by" in tuning.judged
    for words, error in (
        (("bias",), UnsupportedError),
        (("item-knn", "rmse"), ArgumentError),
    ):
        with pytest.raises(error, match="expected"):
            tune(words[0], ratings.likes(), n_trials=1, metric=words[1] if words[1:] else None)


def test_options_of_networks_are_nested(ratings: Ratings, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def bias_instead(name: str, **options: object) -> object:
        made.append(options)
        return make_model(name, **options) if len(made) == 1 else make_model("bias")

    monkeypatch.setattr(module, "make_model", bias_instead)
    tuning = tune("biased-dot", ratings, n_trials=2, options={"batch_size": 512})
    assert made[1] == {"batch_size": 512}, "the defaults are no options at all"
    assert set(made[2]) == {"batch_size", "network_options", "n_epochs", "learning_rate"}
    assert set(made[2]["network_options"]) == {"embedding_size", "reg"}
    assert tuning.trials["network_options.embedding_size"][0] == 16


def test_a_trial_that_fails_is_noted_and_the_search_goes_on(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short_of_memory(name: str, **options: float) -> object:
        if options.get("item_damping", 0) > 3:
            raise MemoryError("out of it")
        return make_model(name, **options)

    monkeypatch.setattr(module, "make_model", short_of_memory)
    tuning = tune("bias", ratings, n_trials=12)
    failed = tuning.trials.filter(state="failed")
    assert 0 < len(failed) < 12
    assert failed["note"].unique().to_list() == ["MemoryError: out of it"]
    assert failed["rmse"].null_count() == len(failed)
    assert tuning.value == tuning.trials["rmse"].min()


def test_a_model_that_never_succeeds_gives_up(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = []

    def hopeless(*_: object) -> object:
        fits.append(1)
        raise ZeroDivisionError("why")

    monkeypatch.setattr(module._Search, "_scored", hopeless)
    with pytest.raises(TastemapError, match="ZeroDivisionError: why"):
        tune("bias", ratings)
    assert len(fits) == 5


def test_ctrl_c_keeps_what_was_found(ratings: Ratings, monkeypatch: pytest.MonkeyPatch) -> None:
    scored, calls = module._Search._scored, []

    def stopped_in_the_third(self: object, options: dict[str, float]) -> object:
        calls.append(options)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return scored(self, options)

    monkeypatch.setattr(module._Search, "_scored", stopped_in_the_third)
    tuning = tune("bias", ratings, n_trials=9)
    assert tuning.interrupted
    assert tuning.trials["note"].to_list() == ["the defaults", None, "stopped"]
    calls[:] = [{}, {}]
    with pytest.raises(KeyboardInterrupt):
        tune("bias", ratings, n_trials=9)


def test_a_short_time_still_gives_one_trial(ratings: Ratings) -> None:
    notes: list[str] = []
    tuning = tune("bias", ratings, seconds=1e-9, progress=notes.append)
    assert len(tuning.trials) == 1
    assert tuning.gain is None
    assert tuning.options == {}
    assert notes == ["the defaults"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"seconds": 0}, "more than 0"),
        ({"n_trials": 0}, "more than 0"),
        ({"metric": "auc"}, "rmse or mae or ndcg"),
        ({"split": "magic"}, "one of random"),
        ({"options": {"speed": 3}}, "speed"),
    ],
)
def test_wrong_calls(ratings: Ratings, wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        tune("bias", ratings, **wrong)


@pytest.mark.usefixtures("trouble")
def test_a_trial_whose_time_is_over_is_stopped_and_has_failed(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The defaults take no time, the other trials a minute or so."""
    space = {"pause": Span("float", 0.0, 0.2, log=False)}
    monkeypatch.setitem(SPACES, "slow", space)
    monkeypatch.setitem(MODELS, "slow", ("SlowModel", {"pause": 0.0, "n_epochs": 600}))
    begin = time.monotonic()
    tuning = tune("slow", ratings, seconds=2)
    assert time.monotonic() - begin < 200, "a generous bound"
    assert tuning.options == {}
    last = tuning.trials.row(-1, named=True)
    assert (last["state"], last["note"]) == ("failed", "stopped: the time was over")


def test_lists_of_counts_are_learnt_from_and_judged_by_the_upper_half(ratings: Ratings) -> None:
    rating = ratings.rating.copy()
    rating[0] = 350_000
    counts = replace(ratings, rating=rating, scale=Scale.infer(rating))
    tuning = tune("ease", counts, n_trials=2)
    assert tuning.value > 0
    assert f"--set threshold={np.median(rating):g}" in tuning.words
