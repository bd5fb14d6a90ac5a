"""The Keras models themselves, used as the lab uses them."""

from typing import Any

import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest

from tastemap.errors import ArgumentError
from tastemap.models.neural import BiasedRegressionModel, DeepRegressionModel, RegressionModel
from tastemap.models.neural.networks import PairModel, as_numpy

N, LARGEST_USER, LARGEST_ITEM = 50, 9, 7
RNG = np.random.default_rng(0)
USERS, ITEMS = RNG.integers(1, LARGEST_USER + 1, N), RNG.integers(1, LARGEST_ITEM + 1, N)
RATINGS = RNG.integers(1, 6, N).astype(float)


@pytest.fixture(scope="module")
def model() -> RegressionModel:
    """The lab's model, its sizes from ``max()`` of a column: NumPy integers."""
    model = RegressionModel(np.int64(4), USERS.max(), ITEMS.max())
    model.compile(optimizer="adam", loss="mae")
    return model


def test_the_labs_own_lines(model: RegressionModel) -> None:
    history = model.fit(
        [USERS, ITEMS], RATINGS, batch_size=16, epochs=2, validation_split=0.1, verbose=0
    )
    assert set(history.history) == {"loss", "val_loss"}
    assert [weight.shape for weight in model.get_weights()] == [(10, 4), (8, 4)]
    predicted = model.predict([USERS, ITEMS], verbose=0)
    assert predicted.shape == (N, 1)
    error = np.abs(predicted[:, 0] - RATINGS).mean()
    assert model.evaluate([USERS, ITEMS], RATINGS, verbose=0) == pytest.approx(error, rel=1e-5)


def test_keras_own_arguments_keep_their_places(model: RegressionModel) -> None:
    history = model.fit([USERS, ITEMS], RATINGS, 16, 2, 0)
    assert len(history.history["loss"]) == 2
    assert np.isfinite(model.evaluate([USERS, ITEMS], RATINGS, 16, 0))
    assert model.predict([USERS, ITEMS], 16, 0).shape == (N, 1)


FORMS = {
    "arrays": lambda ids: ids,
    "lists": lambda ids: ids.tolist(),
    "pandas series": pd.Series,
    "nullable pandas series": lambda ids: pd.Series(ids).astype("Int64"),
    "polars series": pl.Series,
    "one column": lambda ids: ids[:, None],
    "whole floats": lambda ids: ids.astype(float),
    "small integers": lambda ids: ids.astype(np.uint8),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_ids_come_in_any_form(model: RegressionModel, form: Any) -> None:
    pairs, ratings = [form(USERS), form(ITEMS)], form(RATINGS)
    expected = model.predict([USERS, ITEMS], verbose=0)
    np.testing.assert_array_equal(model.predict(pairs, verbose=0), expected)
    np.testing.assert_array_equal(model.predict(tuple(pairs), verbose=0), expected)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(pairs)), expected, rtol=1e-5)
    error = np.abs(expected[:, 0] - RATINGS).mean()
    assert model.evaluate(pairs, ratings, verbose=0) == pytest.approx(error, rel=1e-5)
    history = model.fit(pairs, ratings, validation_data=(pairs, ratings), verbose=0)
    assert np.isfinite(history.history["val_loss"]).all()


GOOD, TWO = np.array([1, 2]), np.array([3.0, 4.0])
CALLS = {
    "fit": lambda model, pairs: model.fit(pairs, TWO, verbose=0),
    "validation_data": lambda model, pairs: model.fit(
        [GOOD, GOOD], TWO, validation_data=(pairs, TWO), verbose=0
    ),
    "validation_data as a list": lambda model, pairs: model.fit(
        [GOOD, GOOD], TWO, validation_data=[pairs, TWO], verbose=0
    ),
    "predict": lambda model, pairs: model.predict(pairs, verbose=0),
    "evaluate": lambda model, pairs: model.evaluate(pairs, TWO, verbose=0),
    "train_on_batch": lambda model, pairs: model.train_on_batch(pairs, TWO),
    "test_on_batch": lambda model, pairs: model.test_on_batch(pairs, TWO),
    "predict_on_batch": lambda model, pairs: model.predict_on_batch(pairs),
    "call": lambda model, pairs: model(pairs),
}
BAD = {
    "past the end": ([1, 99], "99"),
    "negative": ([-1, 2], "-1"),
    "fractional": ([1.5, 2], "1.5"),
    "missing": ([1, np.nan], "nan"),
    "infinite": ([np.inf, 1], "inf"),
    "none": ([1, None], "object"),
    "text": (["a", "b"], "<U1"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(("ids", "received"), BAD.values(), ids=BAD)
def test_ids_without_an_embedding_are_refused(
    model: RegressionModel, call: Any, ids: list[Any], received: str
) -> None:
    before = model.get_weights()
    for name, largest, pairs in (("user_ids", 9, [ids, GOOD]), ("item_ids", 7, [GOOD, ids])):
        message = f"{name}; expected whole numbers from 0 to {largest}; received .*{received}"
        with pytest.raises(ArgumentError, match=message):
            call(model, pairs)
    for weight, same in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)


def test_one_array_for_both_is_refused(model: RegressionModel) -> None:
    with pytest.raises(ArgumentError, match=r"expected \[user_ids, item_ids\]; received one array"):
        model.predict(np.column_stack([USERS, ITEMS]), verbose=0)


@pytest.mark.parametrize("whole", [np.int64, float], ids=["integers", "floats"])
def test_large_ids_do_not_collide(whole: type) -> None:
    # As float32, in which Keras passes numbers on by default, the two would be one.
    model = RegressionModel(1, 2**24 + 1, 1)
    pairs = [np.array([2**24, 2**24 + 1], dtype=whole), np.array([1, 1])]
    predicted = keras.ops.convert_to_numpy(model(pairs))[:, 0]
    users, items = (as_numpy(t.embeddings) for t in (model.user_embedding, model.item_embedding))
    np.testing.assert_allclose(predicted, users[-2:, 0] * items[1, 0], rtol=1e-6)
    assert predicted[0] != predicted[1]


@pytest.mark.parametrize("size", [0, -1, 2.5, True, None, "8", np.nan])
def test_sizes_are_whole_numbers(size: Any) -> None:
    for network in (RegressionModel, BiasedRegressionModel, DeepRegressionModel):
        with pytest.raises(ArgumentError, match="embedding_size; expected a whole number"):
            network(size, 5, 5)
    with pytest.raises(ArgumentError, match="hidden; expected a whole number"):
        DeepRegressionModel(4, 5, 5, hidden=(8, size))


@pytest.mark.parametrize("name", ["max_user_id", "max_item_id"])
def test_largest_ids_are_whole_numbers(name: str) -> None:
    for largest in (-1, 2.5, None, "9"):
        with pytest.raises(ArgumentError, match=f"{name}; expected a whole number of at least 0"):
            RegressionModel(
                **{"embedding_size": 4, "max_user_id": 5, "max_item_id": 5, name: largest}
            )


def predict(network: PairModel, **options: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(network([USERS, ITEMS], **options))[:, 0]


def randomised(network: PairModel) -> PairModel:
    """The same with random weights, as those that start at zero hide what they do."""
    network([[0], [0]])
    rng = np.random.default_rng(1)
    network.set_weights([rng.normal(0, 0.3, weight.shape) for weight in network.get_weights()])
    return network


@pytest.mark.parametrize(
    "network",
    [RegressionModel(4, 9, 7), BiasedRegressionModel(4, 9, 7, global_mean=3.5)],
    ids=["dot", "biased-dot"],
)
def test_a_prediction_is_made_of_the_factors(network: PairModel) -> None:
    mean, users, items = randomised(network).factors()
    u, i = users[USERS], items[ITEMS]
    expected = mean + u[:, 0] + i[:, 0] + (u[:, 1:] * i[:, 1:]).sum(axis=1)
    np.testing.assert_allclose(predict(network), expected, rtol=1e-4, atol=1e-5)
    for vectors, rows in zip(network.vectors(), (users, items), strict=True):
        np.testing.assert_array_equal(vectors, rows[:, 1:])


def test_deep_sizes() -> None:
    network = DeepRegressionModel(4, 9, 7, hidden=(6, 5, 3))
    network([[0], [0]])
    shapes = [weight.shape for weight in network.trainable_variables]
    assert [shape for shape in shapes if len(shape) == 2] == [
        (10, 4),
        (8, 4),
        (8, 6),
        (6, 5),
        (5, 3),
        (3, 1),
    ]
    assert DeepRegressionModel(4, 9, 7, hidden=())([[1], [1]]).shape == (1, 1)
    assert network.factors() is None


def test_deep_prediction_starts_at_the_mean() -> None:
    assert predict(DeepRegressionModel(4, 9, 7, global_mean=3.5)) == pytest.approx(3.5, abs=0.3)


def test_dropout_acts_in_training_and_not_in_prediction() -> None:
    network = randomised(DeepRegressionModel(4, 9, 7, hidden=(32,), dropout=0.5))
    np.testing.assert_array_equal(predict(network), predict(network))
    np.testing.assert_array_equal(predict(network), predict(network, training=False))
    once, again = predict(network, training=True), predict(network, training=True)
    assert not np.allclose(once, again)
    without = DeepRegressionModel(4, 9, 7, hidden=(32,), dropout=0.0)
    without([[0], [0]])
    without.set_weights(network.get_weights()[: len(without.get_weights())])
    np.testing.assert_array_equal(predict(without, training=True), predict(without))


def test_penalties_are_the_squared_weights() -> None:
    network = randomised(BiasedRegressionModel(4, 9, 7, reg=0.1, bias_reg=0.01))
    _, users, items = network.factors()
    expected = sum(
        0.1 * (rows[:, 1:] ** 2).sum() + 0.01 * (rows[:, 0] ** 2).sum() for rows in (users, items)
    )
    penalty = sum(float(part) for part in network.losses)
    assert penalty == pytest.approx(expected, rel=1e-5)
    # And Keras minimises them: they are part of the loss that it reports.
    network.compile(optimizer="adam", loss="mae")
    error = np.abs(predict(network) - RATINGS).mean()
    total = network.evaluate([USERS, ITEMS], RATINGS, verbose=0)
    assert total == pytest.approx(error + penalty, rel=1e-5)


def test_without_a_penalty_there_is_none() -> None:
    for network in (RegressionModel(4, 9, 7), DeepRegressionModel(4, 9, 7)):
        network([[0], [0]])
        assert network.losses == []
    deep = randomised(DeepRegressionModel(4, 9, 7, reg=0.1))
    expected = sum(0.1 * (vectors**2).sum() for vectors in deep.vectors())
    assert sum(float(part) for part in deep.losses) == pytest.approx(expected, rel=1e-5)
