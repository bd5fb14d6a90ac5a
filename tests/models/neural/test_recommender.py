"""`NeuralRecommender`: any Keras model of pairs as a recommender."""

import json
import subprocess
import sys
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import polars as pl
import pytest
from keras import layers, ops

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.models.base.factors import Factors
from tastemap.models.bias import BiasModel
from tastemap.models.neural import NeuralRecommender, RegressionModel
from tastemap.models.neural.networks import PairModel
from tastemap.models.registry import load_model

QUICK = {"n_epochs": 2, "batch_size": 512}
# A learning rate that settles on the few ratings of a test.
SETTLED = {"n_epochs": 40, "batch_size": 128, "learning_rate": 0.02, "cosine_decay": True}


def fit(network: Any, ratings: Ratings, seed: int = 0, **options: Any) -> NeuralRecommender:
    model = NeuralRecommender(network, **(QUICK | options))
    return model.fit(ratings, seed=seed, progress=False)


def table(rating: np.ndarray) -> Ratings:
    """A full table of ratings, users by items, ids from 1."""
    users, items = np.indices(rating.shape) + 1
    columns = {"user_id": users.ravel(), "item_id": items.ravel(), "rating": rating.ravel()}
    return Ratings.from_frame(pl.DataFrame(columns))


def halves(ratings: Ratings, share: float = 0.2) -> Split:
    held_out = np.random.default_rng(0).random(len(ratings)) < share
    return Split(ratings.take(~held_out), ratings.take(held_out))


# ---- known answers ----


def test_a_table_of_rank_one_is_learnt() -> None:
    rng = np.random.default_rng(0)
    user, item = rng.uniform(1, 2, (60, 1)), rng.uniform(0.5, 2.5, (1, 40))
    train, test = halves(table(user * item))
    options = {"network_options": {"embedding_size": 4, "reg": 1e-6, "bias_reg": 1e-6}}
    model = fit("biased-dot", train, loss="mse", **options, **SETTLED)
    predicted = model.predict_ratings(test, clip=False)
    assert np.abs(predicted - test.rating).mean() < 0.1
    assert np.abs(test.rating - train.global_mean).mean() > 0.6


def test_a_checkerboard_is_learnt() -> None:
    users, items = np.indices((40, 30))
    train, test = halves(table(np.where((users + items) % 2, 5.0, 1.0)))
    options = {"network_options": {"embedding_size": 4, "reg": 1e-5}}
    model = fit("biased-dot", train, loss="mse", **options, **SETTLED)
    assert np.abs(model.predict_ratings(test) - test.rating).mean() < 0.3


@pytest.fixture(scope="module", params=["dot", "biased-dot"])
def trained(request: pytest.FixtureRequest, ratings: Ratings) -> NeuralRecommender:
    """A model of factors that has learnt the two tastes."""
    options = {"dot": {"batch_size": 64, "learning_rate": 0.005}, "biased-dot": SETTLED}
    options["biased-dot"] = SETTLED | {"loss": "mse", "network_options": {"reg": 2e-3}}
    return fit(request.param, ratings, **({"n_epochs": 30} | options[request.param]))


def test_neighbours_are_of_the_same_genre(trained: NeuralRecommender, ratings: Ratings) -> None:
    assert trained.network_share_ == 1.0
    popular = ratings.items.ids_at(np.flatnonzero(ratings.by_item.counts >= 40)).to_list()
    same, opposite = [], []
    for item in popular:
        # Odd ids are comedies, even ones dramas.
        near = trained.similar_items(item, 5)["item_id"].to_numpy()
        far = trained.dissimilar_items(item, 5)["item_id"].to_numpy()
        same.append(np.mean(near % 2 == item % 2))
        opposite.append(np.mean(far % 2 != item % 2))
    assert np.mean(same) > 0.85
    assert trained.network == "dot" or np.mean(opposite) > 0.85


def test_folding_in_known_ratings_gives_nearly_the_same_predictions(
    trained: NeuralRecommender, ratings: Ratings
) -> None:
    items = ratings.items.ids
    correlations = []
    for user in range(1, 31):
        known = trained.predict(user, items, clip=False)
        folded = trained._score(trained.fold_in(ratings.rated_items(user)).description)
        correlations.append(np.corrcoef(known, folded)[0, 1])
    assert np.mean(correlations) > 0.9


def test_a_new_person_gets_what_their_taste_likes(trained: NeuralRecommender) -> None:
    answer = trained.recommend(ratings={1: 5, 3: 5, 5: 5, 2: 1, 4: 1, 6: 1}, k=10)
    assert np.mean(answer["item_id"].to_numpy() % 2 == 1) > 0.8


# ---- validation ----


def test_validation_is_drawn_at_random_and_not_the_last_rows(ratings: Ratings) -> None:
    frame = ratings.to_frame().sort("user_id")
    by_user = Ratings.from_frame(frame)
    seen: list[Ratings] = []

    def network(part: Ratings) -> PairModel:
        seen.append(part)
        return RegressionModel(4, part.n_users - 1, part.n_items - 1)

    for seed in (0, 1):
        fit(network, by_user, seed=seed, validation_size=0.3, n_epochs=1)
    first, second = seen
    assert len(first) == len(second) == 2100
    # Each user keeps about seven tenths, where the last rows are all of the last users.
    share = first.by_user.counts / by_user.by_user.counts
    assert share.min() > 0.3
    assert share[-36:].mean() == pytest.approx(0.7, abs=0.05)
    assert first.fingerprint() != second.fingerprint()


def test_validation_that_is_given_is_used(split: Split) -> None:
    seen: list[int] = []

    def network(part: Ratings) -> PairModel:
        seen.append(len(part))
        return RegressionModel(4, part.n_users - 1, part.n_items - 1)

    model = NeuralRecommender(network, **QUICK)
    model.fit(split.train, validation=split.test, progress=False)
    assert seen == [len(split.train)]
    raw = model.predict_ratings(split.test, clip=False)
    expected = np.abs(raw - split.test.rating).mean()
    assert model.history_["validation_loss"][-1] == pytest.approx(expected, rel=1e-4)


def test_validation_counts_what_the_training_ratings_know(ratings: Ratings) -> None:
    rows = {"user_id": [9001, 2, 1], "item_id": [1, 9001, 80], "rating": [3.0, 4.0, 5.0]}
    some = Ratings.from_frame(pl.DataFrame(rows))
    model = NeuralRecommender("dot", **QUICK).fit(ratings, validation=some, progress=False)
    expected = abs(5.0 - model.predict(1, 80, clip=False)[0])
    assert model.history_["validation_loss"][-1] == pytest.approx(expected, rel=1e-4)
    none = some.take(np.array([0, 1]))
    model.fit(ratings, validation=none, progress=False)
    assert model.history_.columns == ["epoch", "train_loss"]


def test_history(trained: NeuralRecommender, ratings: Ratings) -> None:
    history = trained.history_
    assert history.columns == ["epoch", "train_loss", "validation_loss"]
    assert history["epoch"].to_list() == list(range(1, trained.n_epochs + 1))
    if trained.network != "dot":
        return
    assert fit("dot", ratings, validation_size=0).history_.columns == ["epoch", "train_loss"]
    few = ratings.take(np.arange(9))
    assert fit("dot", few).history_.columns == ["epoch", "train_loss"]


def test_patience_keeps_the_best_epoch(split: Split) -> None:
    options = {"n_epochs": 60, "learning_rate": 0.05, "patience": 2}
    model = NeuralRecommender("dot", **(QUICK | options))
    model.fit(split.train, validation=split.test, progress=False)
    curve = model.history_["validation_loss"]
    assert len(curve) == curve.arg_min() + 1 + 2 < 60
    raw = model.predict_ratings(split.test, clip=False)
    assert np.abs(raw - split.test.rating).mean() == pytest.approx(curve.min(), rel=1e-4)


def test_the_progress_bar_is_on_standard_error(
    ratings: Ratings, capsys: pytest.CaptureFixture[str]
) -> None:
    NeuralRecommender("dot", n_epochs=1, batch_size=512).fit(ratings)
    assert capsys.readouterr().out == ""


# ---- networks of others ----


def functional(n_users: int = 120, n_items: int = 80, outputs: int = 1) -> keras.Model:
    """What a notebook would have: the functional interface, a dropout, ids of shape (1,)."""
    user, item = (keras.Input((1,), dtype="int32", name=name) for name in ("user", "item"))
    vectors = [
        layers.Flatten()(layers.Embedding(rows, 6)(ids))
        for rows, ids in ((n_users, user), (n_items, item))
    ]
    x = layers.Dropout(0.2)(layers.Dense(8, activation="relu")(layers.Concatenate()(vectors)))
    activation = "softmax" if outputs > 1 else None
    return keras.Model([user, item], layers.Dense(outputs, activation=activation)(x))


class Subclassed(keras.Model):
    """A keras.Model that has never heard of tastemap, nor of ``training``; predicts (n,)."""

    def __init__(self) -> None:
        super().__init__()
        self.users, self.items = layers.Embedding(120, 4), layers.Embedding(80, 4)

    def call(self, pairs: Any) -> Any:
        return 3.0 + ops.sum(self.users(pairs[0]) * self.items(pairs[1]), axis=-1)


@pytest.mark.parametrize("make", [functional, Subclassed])
def test_a_keras_model_of_pairs(make: Any, split: Split) -> None:
    network = make()
    model = fit(network, split.train, n_epochs=10, learning_rate=0.01, batch_size=128)
    assert model.network_ is network
    assert model.history_["train_loss"][-1] < 0.8 * model.history_["train_loss"][0]
    raw = model.predict_ratings(split.test, clip=False)[:5]
    ids = [split.test.user_index[:5], split.test.item_index[:5]]
    np.testing.assert_allclose(raw, ops.convert_to_numpy(network(ids)).ravel(), rtol=1e-5)
    assert not model.folds_in
    assert len(model.recommend(5, k=3)) == 3
    with pytest.raises(UnsupportedError, match="new person"):
        model.recommend(ratings={1: 5})


def test_a_refit_starts_from_the_weights_the_model_came_with(ratings: Ratings) -> None:
    network = functional()
    given = network.get_weights()
    model = fit(network, ratings)
    first = model.predict_ratings(ratings)
    assert not np.array_equal(network.get_weights()[0], given[0])
    model.fit(ratings, progress=False)
    np.testing.assert_array_equal(model.predict_ratings(ratings), first)


def test_a_function_makes_a_new_model_for_each_fit(ratings: Ratings) -> None:
    model = fit(lambda part: functional(part.n_users, part.n_items), ratings)
    first, network = model.predict_ratings(ratings), model.network_
    model.fit(ratings, progress=False)
    assert model.network_ is not network
    np.testing.assert_array_equal(model.predict_ratings(ratings), first)


def test_a_softmax_over_the_scale_gives_a_distribution(ratings: Ratings) -> None:
    model = fit(functional(outputs=5), ratings)
    assert model.has_distribution
    np.testing.assert_allclose(model.predict_distribution(1, [1, 2]).sum(axis=1), 1.0, rtol=1e-6)
    assert set(model.predict_ratings(ratings, point="median")) <= {1.0, 2.0, 3.0, 4.0, 5.0}


@pytest.mark.parametrize("outputs", [2, 4, 6])
def test_another_number_of_outputs_is_refused(ratings: Ratings, outputs: int) -> None:
    message = f"one for each value of the scale 1 to 5 in steps of 1; received {outputs} outputs"
    with pytest.raises(ArgumentError, match=message):
        fit(functional(outputs=outputs), ratings)


def test_a_distribution_needs_steps() -> None:
    continuous = table(np.random.default_rng(0).uniform(0, 1, (6, 5)))
    with pytest.raises(ArgumentError, match="received 5 outputs"):
        fit(functional(outputs=5), continuous)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="TensorFlow itself refuses")
@pytest.mark.parametrize(("n_users", "n_items"), [(119, 80), (120, 79), (3, 3)])
def test_an_embedding_that_is_too_small(ratings: Ratings, n_users: int, n_items: int) -> None:
    with pytest.raises(ArgumentError, match="room for 120 users and 80 items; .*larger embeddings"):
        fit(functional(n_users, n_items), ratings)


def test_a_named_network_that_is_too_small(ratings: Ratings) -> None:
    with pytest.raises(ArgumentError, match="user_ids; expected .* from 0 to 3; received 119"):
        fit("dot", ratings, network_options={"max_user_id": 3})


@pytest.mark.parametrize("network", [3, None, lambda ratings: "dot", ["dot"]])
def test_what_is_no_network(ratings: Ratings, network: Any) -> None:
    with pytest.raises(ArgumentError, match="network; expected a name, a Keras model, or a func"):
        fit(network, ratings)


def test_unknown_names_and_options(ratings: Ratings) -> None:
    with pytest.raises(ArgumentError, match="one of dot, biased-dot, deep, ordinal; .*'dott'"):
        fit("dott", ratings)
    with pytest.raises(ArgumentError, match="network_options; expected options of Regression.*reg"):
        fit("dot", ratings, network_options={"reg": 0.1})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("n_epochs", [0, -1, 2.5, None, "3"]),
        ("batch_size", [0, 1.5, None]),
        ("learning_rate", [0, -0.1, np.nan]),
    ],
)
def test_options_out_of_range(name: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(ArgumentError, match=f"{name}; expected"):
            NeuralRecommender("dot", **{name: value})


def test_a_training_that_diverges_is_an_error(ratings: Ratings) -> None:
    with pytest.raises(ArgumentError, match="expected a finite loss; .*smaller learning_rate"):
        fit("dot", ratings, loss="mse", learning_rate=1e30)


# ---- predictions ----


def test_clipping(ratings: Ratings) -> None:
    model = fit("dot", ratings)
    raw = model.predict_ratings(ratings, clip=False)
    assert raw.max() < 1  # hardly trained: a dot product of small embeddings
    assert model.network_share_ == 1.0  # the lab's network is shown as it is
    np.testing.assert_array_equal(model.predict_ratings(ratings), np.clip(raw, 1, 5))


def test_a_model_of_factors_predicts_what_its_network_does(trained: NeuralRecommender) -> None:
    data = trained.ratings_
    users, items = data.user_index[:200], data.item_index[:200]
    raw = trained.predict(data.users.ids_at(users), data.items.ids_at(items), clip=False)
    np.testing.assert_allclose(raw, trained._forward(users, items)[:, 0], rtol=1e-4, atol=1e-5)


def test_factors_and_biases_are_mixed_as_predictions_are(trained: NeuralRecommender) -> None:
    data, before = trained.ratings_, trained.network_share_
    users, items = data.user_index[:200], data.item_index[:200]
    trained.network_share_ = 0.25
    mixed = Factors.of(data, *trained._mixed_factors(trained.factors)).predict(users, items)
    trained.network_share_ = before
    parts = trained.factors.predict(users, items), trained._baseline.predict(users, items)
    np.testing.assert_allclose(mixed, 0.25 * parts[0] + 0.75 * parts[1], rtol=1e-5)


def test_another_loss(split: Split) -> None:
    model = fit("biased-dot", split.train, loss="huber", n_epochs=5, learning_rate=0.02)
    error = np.abs(model.predict_ratings(split.test) - split.test.rating).mean()
    assert error < np.abs(split.train.global_mean - split.test.rating).mean()


# ---- the artifact ----

WITHOUT_KERAS = """
import json, sys

sys.modules.update(dict.fromkeys(["keras", "jax", "jaxlib", "tensorflow", "torch"]))
import tastemap as tm

model = tm.load_model(sys.argv[1])
new = model.recommend(ratings={1: 5, 3: 5, 2: 1}, k=5)
print(json.dumps({
    "known": model.recommend(5, k=5).rows(),
    "new": new.rows(),
    "similar": model.similar_items(1, 5).rows(),
    "predicted": model.predict(7, model.ratings_.items.ids, clip=False).tolist(),
    "learnt_by": model.learnt_by_,
}))
"""


def test_a_model_of_factors_serves_without_keras(
    trained: NeuralRecommender, tmp_path: Path
) -> None:
    path = trained.save(tmp_path / "model")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_KERAS, str(path)], capture_output=True, text=True, check=True
    )
    there = json.loads(done.stdout)
    here = {
        "known": trained.recommend(5, k=5).rows(),
        "new": trained.recommend(ratings={1: 5, 3: 5, 2: 1}, k=5).rows(),
        "similar": trained.similar_items(1, 5).rows(),
        "predicted": trained.predict(7, trained.ratings_.items.ids, clip=False).tolist(),
        "learnt_by": trained.learnt_by_,
    }
    assert there == json.loads(json.dumps(here))


@pytest.fixture(scope="module")
def deep(split: Split) -> NeuralRecommender:
    """A small one, and as if it had seen no ratings of user 3 and of item 4."""
    options = {"hidden": (6, 3), "dropout": 0.3, "embedding_size": 5}
    model = fit("deep", split.train, network_options=options)
    for rows, row in zip(model._is_trained, (3, 4), strict=True):
        rows[row] = False
    model.network_share_ = 0.25
    return model


def test_the_bias_model_has_the_rest_and_what_the_network_has_not_seen(
    deep: NeuralRecommender, split: Split
) -> None:
    users, items = np.array([[0, 3, 7, 3, -1, 7], [9, 9, 4, 4, 9, -1]], dtype=np.int32)
    bias = BiasModel().fit(split.train, progress=False).predict_rows(users, items)
    predicted = deep.predict_rows(users, items)
    network = deep._forward(users[:1], items[:1])[0, 0]
    assert predicted[0] == pytest.approx(0.25 * network + 0.75 * bias[0], rel=1e-6)
    np.testing.assert_array_equal(predicted[1:], bias[1:])
    assert deep.score_rows(deep.user_at(7))[4] == pytest.approx(bias[2], rel=1e-6)


def test_a_deep_model_round_trip(deep: NeuralRecommender, split: Split, tmp_path: Path) -> None:
    model = deep
    loaded = load_model(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(
        loaded.predict_ratings(split.test, clip=False),
        model.predict_ratings(split.test, clip=False),
    )
    for ours, theirs in zip(
        model.network_.trainable_variables, loaded.network_.trainable_variables, strict=True
    ):
        np.testing.assert_array_equal(
            ops.convert_to_numpy(ours.value), ops.convert_to_numpy(theirs.value)
        )
    assert loaded.similar_items(1, 5).equals(model.similar_items(1, 5))


def test_what_older_versions_saved_is_the_network_alone(
    deep: NeuralRecommender, split: Split
) -> None:
    artifact = deep.to_artifact()
    added = {"share", "trained_users", "trained_items"}
    arrays = {name: array for name, array in artifact.arrays.items() if name not in added}
    loaded = NeuralRecommender.from_artifact(replace(artifact, arrays=arrays))
    pairs = split.test.user_index, split.test.item_index
    np.testing.assert_array_equal(loaded.predict_rows(*pairs), deep._forward(*pairs)[:, 0])
    for share in (-0.1, 1.5):
        arrays = artifact.arrays | {"share": np.array([share])}
        with pytest.raises(ArgumentError, match="share; expected a number from 0 to 1"):
            NeuralRecommender.from_artifact(replace(artifact, arrays=arrays))


def test_a_network_of_others_is_not_saved(ratings: Ratings, tmp_path: Path) -> None:
    model = fit(functional(), ratings, n_epochs=1)
    with pytest.raises(UnsupportedError, match="not one of tastemap's own; save model.network_"):
        model.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_network_of_others_made_of_factors_is_saved(split: Split, tmp_path: Path) -> None:
    model = fit(lambda part: RegressionModel(4, 119, 79), split.train)
    loaded = load_model(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(
        loaded.predict_ratings(split.test), model.predict_ratings(split.test)
    )


def test_what_does_not_fit_into_an_artifact_is_said(
    deep: NeuralRecommender, tmp_path: Path
) -> None:
    model = copy(deep)
    model.network_options = {"embedding_size": np.int64(5)}
    for loss in (None, keras.losses.Huber()):
        model.loss = loss
        with pytest.raises(UnsupportedError, match="no plain values; use plain numbers"):
            model.save(tmp_path / "model")
        model.network_options = {"embedding_size": 5}
    assert list(tmp_path.iterdir()) == []
