"""Training of Keras models: a compiled loop for the JAX backend, Keras' own for the others.

Both do the same: shuffled batches, the optimizer's update, the mean training loss of the batches,
the validation loss after each epoch, and, with ``patience``, a stop that restores the weights of
the best epoch. Penalties on weights are minimised too. The curves show the loss without them, so
that models with and without a penalty can be compared.

Keras' loop returns to Python after every batch. For a model as small as the lab's this costs more
than the batch itself. On JAX the whole epoch is one compiled scan of the same operations.
"""

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from tastemap.arrays import F64
from tastemap.errors import ArgumentError
from tastemap.support.deadline import is_over
from tastemap.support.progress import progress_bar

Row = dict[str, float]


@dataclass(frozen=True)
class Batches:
    """Training data: rows of users and of items (int32) and their targets, each (n,)."""

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    target: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class Plan:
    """How to train: see `NeuralRecommender` for the meaning of each."""

    loss: Any
    learning_rate: float
    cosine_decay: bool
    n_epochs: int
    batch_size: int
    patience: int | None
    seed: int

    def optimizer(self, n: int) -> Any:
        """A new Adam for n ratings an epoch."""
        if not self.cosine_decay:
            return keras.optimizers.Adam(self.learning_rate)
        steps = self.n_epochs * -(-n // self.batch_size)
        schedule = keras.optimizers.schedules.CosineDecay(self.learning_rate, steps)
        return keras.optimizers.Adam(schedule)


def train(
    network: Any,
    data: Batches,
    validation: Batches | None,
    plan: Plan,
    on_epoch: Callable[[Row], None],
) -> list[Row]:
    """Train a network in place and give the curves: ``epoch, train_loss, validation_loss``.

    Args:
        network: A Keras model that takes ``[users, items]``.
        data: The training data.
        validation: The data that judge the epochs, or None.
        plan: How to train.
        on_epoch: Called after each epoch with its row of the curves.
    """
    loop = _train_jax if keras.backend.backend() == "jax" else _train_keras
    return loop(network, data, validation, plan, on_epoch)


class _Best:
    """The weights of the epoch with the least validation loss, and the rule to stop."""

    def __init__(self, patience: int | None) -> None:
        self.patience, self.loss, self.waited = patience, np.inf, 0
        self.weights: Any = None

    def stops(self, row: Row, weights: Callable[[], Any]) -> bool:
        """Record an epoch; whether training stops after it."""
        if self.patience is None or "validation_loss" not in row:
            return False
        self.waited += 1
        if row["validation_loss"] < self.loss:
            self.loss, self.waited, self.weights = row["validation_loss"], 0, weights()
        return self.waited >= self.patience


def _each(loss: Any) -> Callable[[Any, Any], Any]:
    """The loss of each rating: what a Keras loss computes before it takes a batch's mean."""
    try:
        loss = keras.losses.get(loss)
    except ValueError:
        expected = "a Keras loss or the name of one"
        raise ArgumentError("loss", expected=expected, received=repr(loss)) from None
    return loss.call if isinstance(loss, keras.losses.Loss) else loss


def losses(loss: Any, target: npt.NDArray[Any], output: npt.NDArray[Any]) -> F64:
    """The loss (n,) of each rating, of targets (n,) and outputs (n, width), in float64."""
    each = keras.ops.convert_to_numpy(_each(loss)(target[:, None], output.astype(np.float32)))
    return np.asarray(each, dtype=np.float64).reshape(len(target), -1).mean(axis=1)


def _train_jax(
    network: Any,
    data: Batches,
    validation: Batches | None,
    plan: Plan,
    on_epoch: Callable[[Row], None],
) -> list[Row]:
    """One compiled scan an epoch."""
    import jax
    import jax.numpy as jnp

    columns = [jnp.asarray(column) for column in (data.users, data.items, data.target)]
    held_out = validation and [
        jnp.asarray(column) for column in (validation.users, validation.items, validation.target)
    ]
    optimizer = plan.optimizer(len(data))
    optimizer.build(network.trainable_variables)
    run_epoch, validate = _compiled(network, optimizer, _each(plan.loss))
    variables = (network.trainable_variables, network.non_trainable_variables, optimizer.variables)
    # Copies, because each epoch reuses the memory of its input state.
    state = tuple([jnp.array(variable.value) for variable in group] for group in variables)
    rng, n, steps = np.random.default_rng(plan.seed), len(data), -(-len(data) // plan.batch_size)
    # The last batch is filled up with rows of weight 0.
    shape = (steps, plan.batch_size)
    weight = (np.arange(steps * plan.batch_size) < n).astype(np.float32).reshape(shape)
    best, history = _Best(plan.patience), []
    for epoch in range(plan.n_epochs):
        order = np.resize(rng.permutation(n).astype(np.int32), shape)
        state, loss = run_epoch(state, columns, order, weight)
        row: Row = {"epoch": epoch + 1, "train_loss": float(loss)}
        if held_out is not None:
            row["validation_loss"] = float(validate(state, held_out))
        history.append(row)
        on_epoch(row)
        if best.stops(row, lambda state=state: jax.tree.map(jnp.copy, state[:2])):  # type: ignore[misc]
            break
        if is_over(epoch + 1, plan.n_epochs):
            break
    final = state[:2] if best.weights is None else best.weights
    for group, values in zip(variables[:2], final, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)
    return history


def _compiled(network: Any, optimizer: Any, loss: Any) -> tuple[Any, Any]:
    """Two pure functions of the state (weights, other variables, optimizer): epoch, validation."""
    import jax
    import jax.numpy as jnp

    def call(weights: Any, others: Any, pairs: Any, training: bool) -> Any:
        # A stateless scope around the model's call. It passes `training` to the models and layers
        # that take it; model.stateless_call does not.
        values = [
            *zip(network.trainable_variables, weights, strict=True),
            *zip(network.non_trainable_variables, others, strict=True),
        ]
        with keras.StatelessScope(values, collect_losses=True) as scope:
            output = network(pairs, training=training)
            penalty = sum(network.losses)
        others = [scope.get_current_value(v) for v in network.non_trainable_variables]
        return output, others, penalty

    def losses(target: Any, output: Any) -> Any:
        each = loss(target[:, None], output)
        if not each.ndim:
            raise ArgumentError("loss", expected="a value for each rating", received="one for all")
        return each.reshape(len(target), -1).mean(axis=1)

    def objective(weights: Any, others: Any, batch: Any) -> Any:
        users, items, target, weight = batch
        output, others, penalty = call(weights, others, [users, items], training=True)
        mean = jnp.sum(losses(target, output) * weight) / jnp.sum(weight)
        return mean + penalty, (others, mean)

    def step(state: Any, batch: Any) -> Any:
        weights, others, slots = state
        gradient = jax.value_and_grad(objective, has_aux=True)
        (_, (others, mean)), gradients = gradient(weights, others, batch)
        weights, slots = optimizer.stateless_apply(slots, gradients, weights)
        return (weights, others, slots), mean

    def run_epoch(state: Any, columns: Any, order: Any, weight: Any) -> Any:
        def on_rows(state: Any, rows_and_weight: Any) -> Any:
            rows, weight = rows_and_weight
            return step(state, (*(column[rows] for column in columns), weight))

        state, means = jax.lax.scan(on_rows, state, (order, weight))
        return state, jnp.average(means, weights=weight.sum(axis=1))

    def validate(state: Any, columns: Any) -> Any:
        users, items, target = columns
        output, _, _ = call(state[0], state[1], [users, items], training=False)
        return jnp.mean(losses(target, output))

    return jax.jit(run_epoch, donate_argnums=0), jax.jit(validate)


def _train_keras(
    network: Any,
    data: Batches,
    validation: Batches | None,
    plan: Plan,
    on_epoch: Callable[[Row], None],
) -> list[Row]:
    """Keras' own loop."""
    loss = _each(plan.loss)
    alone = keras.metrics.MeanMetricWrapper(loss, name="alone")
    network.compile(plan.optimizer(len(data)), loss=loss, metrics=[alone])
    best, history = _Best(plan.patience), []

    def epoch_end(epoch: int, logs: dict[str, float]) -> None:
        row = {"epoch": epoch + 1, "train_loss": float(logs["alone"])}
        if validation is not None:
            row["validation_loss"] = float(logs["val_alone"])
        history.append(row)
        on_epoch(row)
        stops = best.stops(row, network.get_weights)
        network.stop_training = stops or is_over(epoch + 1, plan.n_epochs)

    network.fit(
        [data.users, data.items],
        data.target[:, None],  # the output's shape, for losses that do not reshape
        batch_size=plan.batch_size,
        epochs=plan.n_epochs,
        validation_data=validation
        and ([validation.users, validation.items], validation.target[:, None]),
        validation_batch_size=8192,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=epoch_end)],
    )
    if best.weights is not None:
        network.set_weights(best.weights)
    return history


def train_by_epochs(
    network: Any, batches: Any, n_epochs: int, on_epoch: Callable[[Row], None]
) -> list[Row]:
    """Train a compiled network on a sequence of batches; its curve ``epoch, train_loss``."""
    history: list[Row] = []

    def epoch_end(epoch: int, logs: dict[str, float]) -> None:
        history.append({"epoch": epoch + 1, "train_loss": float(logs["loss"])})
        on_epoch(history[-1])
        network.stop_training = is_over(epoch + 1, n_epochs)

    callback = keras.callbacks.LambdaCallback(on_epoch_end=epoch_end)
    network.fit(batches, epochs=n_epochs, shuffle=False, verbose=0, callbacks=[callback])
    return history


def seed_keras(seed: int) -> None:
    """Set the seed of all random numbers that Keras draws."""
    if keras.backend.backend() == "jax":
        # Keras takes the seeds of all layers from Python's generator. Its set_random_seed would
        # also import TensorFlow if it is installed: three seconds, and no effect on JAX.
        random.seed(seed)
    else:
        keras.utils.set_random_seed(seed)


@contextlib.contextmanager
def epoch_bar(n_epochs: int, progress: bool) -> Iterator[Callable[[Row], None]]:
    """A progress bar on standard error that shows the losses of the last epoch."""
    with progress_bar("training", n_epochs, "epochs", progress) as advance:

        def on_epoch(row: Row) -> None:
            advance("  ".join(f"{name} {row[name]:.4f}" for name in row if name != "epoch"))

        yield on_epoch
