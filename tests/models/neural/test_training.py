"""The training loops: the compiled one against Keras' own, and what both promise."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from tastemap.errors import ArgumentError
from tastemap.models.neural import (
    BiasedRegressionModel,
    DeepRegressionModel,
    RegressionModel,
    training,
)
from tastemap.models.neural.training import Batches, Plan, Row

N_USERS, N_ITEMS, BATCH = 40, 30, 32
PLAN = Plan(
    loss="mae",
    learning_rate=0.01,
    cosine_decay=False,
    n_epochs=2,
    batch_size=BATCH,
    patience=None,
    seed=5,
)
on_jax = pytest.mark.skipif(keras.backend.backend() != "jax", reason="the compiled loop is JAX's")
LOOPS = [pytest.param(training._train_jax, id="compiled", marks=on_jax)]
LOOPS += [pytest.param(training._train_keras, id="keras")]
Loop = Callable[..., list[Row]]


def table(n: int, seed: int = 0) -> Batches:
    rng = np.random.default_rng(seed)
    users, items = rng.integers(0, N_USERS, n), rng.integers(0, N_ITEMS, n)
    target = rng.integers(1, 6, n).astype(np.float32)
    return Batches(users.astype(np.int32), items.astype(np.int32), target)


def dot() -> RegressionModel:
    return RegressionModel(8, N_USERS - 1, N_ITEMS - 1)


def biased(reg: float = 0.01) -> BiasedRegressionModel:
    return BiasedRegressionModel(8, N_USERS - 1, N_ITEMS - 1, global_mean=3.0, reg=reg)


def deep() -> DeepRegressionModel:
    return DeepRegressionModel(8, N_USERS - 1, N_ITEMS - 1, hidden=(16,), dropout=0.5)


def fresh(make: Callable[[], Any]) -> Any:
    """A network with the weights, and the dropout, of one seed."""
    keras.utils.set_random_seed(1)
    network = make()
    network([[0], [0]])
    return network


def silent(row: Row) -> None:
    """What to call after an epoch: nothing."""


def predict(network: Any, data: Batches) -> np.ndarray:
    output = network([data.users, data.items], training=False)
    return keras.ops.convert_to_numpy(output)[:, 0]


def mae(network: Any, data: Batches) -> float:
    return float(np.abs(predict(network, data) - data.target).mean())


def fit_by_keras(network: Any, data: Batches, plan: Plan) -> list[float]:
    """`model.fit` itself, given the rows in the order that the compiled loop draws."""
    network.compile(plan.optimizer(len(data)), loss=plan.loss)
    rng, losses = np.random.default_rng(plan.seed), []
    for _ in range(plan.n_epochs):
        order = rng.permutation(len(data))
        history = network.fit(
            [data.users[order], data.items[order]],
            data.target[order],
            batch_size=plan.batch_size,
            shuffle=False,
            verbose=0,
        )
        losses += history.history["loss"]
    return losses


@on_jax
@pytest.mark.parametrize(
    ("make", "n", "changes"),
    [
        (dot, BATCH * 20 + 7, {}),
        (dot, BATCH * 20 + 7, {"loss": "mse", "cosine_decay": True}),
        (biased, BATCH * 20 + 7, {"loss": "mse"}),
        # Dropout draws for a whole batch, so a short last one has other draws.
        (deep, BATCH * 20, {}),
    ],
    ids=[
        "dot",
        "dot, squared, learning rate decays",
        "biased-dot with penalty",
        "deep with dropout",
    ],
)
def test_the_compiled_loop_is_keras_own(
    make: Callable[[], Any], n: int, changes: dict[str, Any]
) -> None:
    data, plan = table(n), replace(PLAN, **changes)
    ours, theirs = fresh(make), fresh(make)
    history = training._train_jax(ours, data, None, plan, silent)
    losses = fit_by_keras(theirs, data, plan)
    for weight, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=0, atol=1e-6)
    if not ours.losses:
        np.testing.assert_allclose([row["train_loss"] for row in history], losses, rtol=1e-5)


@on_jax
def test_same_seed_same_bits_other_seed_other_weights() -> None:
    data = table(500)
    weights = []
    for seed in (5, 5, 6):
        network = fresh(deep)
        training.train(network, data, None, replace(PLAN, seed=seed, n_epochs=1), silent)
        weights.append(network.get_weights())
    for first, again, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, again)
        if np.issubdtype(first.dtype, np.floating):
            assert not np.array_equal(first, other)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_curve_is_the_loss_alone(loop: Loop) -> None:
    data, held_out = table(200), table(50, seed=1)
    network = fresh(lambda: biased(reg=10.0))
    assert sum(float(part) for part in network.losses) > 10
    start = mae(network, data)
    # One batch an epoch: its loss is that of the weights before the update.
    plan = replace(PLAN, n_epochs=1, batch_size=len(data))
    (row,) = loop(network, data, held_out, plan, silent)
    assert row["train_loss"] == pytest.approx(start, rel=1e-5)
    assert row["validation_loss"] == pytest.approx(mae(network, held_out), rel=1e-5)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_short_last_batch_weighs_as_much_as_it_has_ratings(loop: Loop) -> None:
    data = table(101)
    network = fresh(biased)
    start = mae(network, data)
    plan = replace(PLAN, n_epochs=1, batch_size=100, learning_rate=1e-8)
    (row,) = loop(network, data, None, plan, silent)
    assert row == {"epoch": 1, "train_loss": pytest.approx(start, rel=1e-5)}


def memorising(loop: Loop, patience: int | None) -> tuple[Any, list[Row], Batches]:
    """A network with more weights than ratings, and ratings that are noise."""
    data, held_out = table(300), table(200, seed=1)
    network = fresh(lambda: biased(reg=0.0))
    plan = replace(PLAN, learning_rate=0.05, n_epochs=15, patience=patience, loss="mae")
    return network, loop(network, data, held_out, plan, silent), held_out


@pytest.mark.parametrize("loop", LOOPS)
def test_early_stopping_keeps_the_best_epoch(loop: Loop) -> None:
    network, history, held_out = memorising(loop, patience=3)
    curve = [row["validation_loss"] for row in history]
    best = int(np.argmin(curve))
    assert len(history) == best + 1 + 3 < 15
    assert mae(network, held_out) == pytest.approx(curve[best], rel=1e-5)
    assert curve[-1] > curve[best]


@pytest.mark.parametrize("loop", LOOPS)
def test_without_patience_the_last_epoch_is_kept(loop: Loop) -> None:
    network, history, held_out = memorising(loop, patience=None)
    curve = [row["validation_loss"] for row in history]
    assert len(history) == 15
    assert mae(network, held_out) == pytest.approx(curve[-1], rel=1e-5)
    assert curve[-1] > min(curve)
    assert history[-1]["train_loss"] < history[0]["train_loss"]


@pytest.mark.parametrize("loop", LOOPS)
def test_each_epoch_is_told_of_as_it_ends(loop: Loop) -> None:
    told: list[Row] = []
    history = loop(
        fresh(dot), table(100), table(20, seed=1), replace(PLAN, n_epochs=3), told.append
    )
    assert told == history
    assert [row["epoch"] for row in told] == [1, 2, 3]
    assert all(list(row) == ["epoch", "train_loss", "validation_loss"] for row in told)


@on_jax
def test_an_interrupted_training_says_so_and_leaves_the_network_whole() -> None:
    network = fresh(dot)
    before = network.get_weights()

    def interrupt(row: Row) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training._train_jax(network, table(100), None, PLAN, interrupt)
    for weight, same in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, same)


def huber(error: np.ndarray) -> np.ndarray:
    return np.where(np.abs(error) <= 1, error**2 / 2, np.abs(error) - 0.5)


LOSSES = {
    "by short name": ("mse", np.square),
    "by name": ("huber", huber),
    "by the name of a class": ("MeanAbsoluteError", np.abs),
    "as an object": (keras.losses.Huber(), huber),
    "as a function": (
        lambda y, p: keras.ops.mean(keras.ops.abs(y - p) ** 3, -1),
        lambda e: abs(e) ** 3,
    ),
    "as a function that keeps the column": (lambda y, p: keras.ops.abs(y - p), np.abs),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("loss", "by_hand"), LOSSES.values(), ids=LOSSES)
def test_any_keras_loss(loop: Loop, loss: Any, by_hand: Callable[..., Any]) -> None:
    data = table(100)
    network = fresh(biased)
    expected = by_hand(predict(network, data) - data.target).mean()
    plan = replace(PLAN, loss=loss, n_epochs=1, batch_size=100)
    (row,) = loop(network, data, None, plan, silent)
    assert row["train_loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loss_that_there_is_not(loop: Loop) -> None:
    with pytest.raises(ArgumentError, match="loss; expected a Keras loss .*; received 'maee'"):
        loop(fresh(dot), table(100), None, replace(PLAN, loss="maee"), silent)


@on_jax
def test_a_loss_must_not_mix_ratings() -> None:
    plan = replace(PLAN, loss=lambda y, p: keras.ops.mean(keras.ops.abs(y - p)))
    with pytest.raises(ArgumentError, match="loss; expected a value for each rating"):
        training._train_jax(fresh(dot), table(100), None, plan, silent)
