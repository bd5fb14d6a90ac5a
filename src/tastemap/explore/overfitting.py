"""Whether a model overfits, by its training curves."""

from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from tastemap.arrays import F64, I64
from tastemap.errors import ArgumentError

Kind = Literal["untold", "diverged", "improving", "level", "overfits", "unstable", "memorises"]

# Shares of the least validation loss. A last loss that is higher by at most the first share counts
# as equal; losses that are higher by at most the second share are level.
MAX_RISE, MAX_RISE_OF_LEVEL = 0.005, 0.01
# While the validation loss is level, a training loss that falls by this share memorises.
MIN_FALL_OF_MEMORISING = 0.05
# The metrics of curves, in the order of preference.
METRICS = ("loss", "rmse", "mae", "mse")


class Verdict(NamedTuple):
    """The judgement on training curves.

    Attributes:
        kind: See `verdict`.
        best: Position (from 0) of the epoch with the least validation loss, or None.
        title: The verdict in a few words.
        reason: The epochs and values from which the verdict follows.
    """

    kind: Kind
    best: int | None
    title: str
    reason: str


def overfitting_sentence(history: pl.DataFrame, metric: str = "loss") -> str:
    """Whether the model overfits, and from which epoch, in one sentence; see `verdict`.

    Example:
        >>> curves = {"train_loss": [1.0, 0.7, 0.5], "validation_loss": [0.9, 0.8, 0.95]}
        >>> overfitting_sentence(pl.DataFrame(curves))
        'The model overfits from epoch 3: the validation loss is least at epoch 2 (0.800) and rises
        to 0.950 at epoch 3, while the training loss falls from 0.700 to 0.500.'
    """
    judgement = verdict(history, metric)
    return f"{judgement.title}: {judgement.reason}."


def curve_metric(history: pl.DataFrame) -> str | None:
    """The metric of a model's training curves; None without curves.

    Example:
        >>> curve_metric(pl.DataFrame({"epoch": [1], "train_rmse": [0.9]}))
        'rmse'
    """
    return next((name for name in METRICS if f"train_{name}" in history.columns), None)


def verdict(history: pl.DataFrame, metric: str = "loss") -> Verdict:
    """Whether a model overfits, by its training curves.

    The rule: let e be the epoch with the least validation loss (the first of equals).

    - ``"untold"``: there is no validation loss, or there are fewer than two epochs.
    - ``"diverged"``: a loss is not finite.
    - ``"overfits"``: the last validation loss is more than 0.5 % above the least, and the training
      loss fell since e; from epoch e + 1.
    - ``"unstable"``: the same, but the training loss did not fall.
    - ``"memorises"``: for at least three epochs up to the last the validation loss is within 1 %
      of the least, while the training loss fell by more than 5 %.
    - ``"improving"``: none of these, and e is the last epoch.
    - ``"level"``: none of these.

    Args:
        history: A row for each epoch: ``epoch``, ``train_`` + metric, maybe ``validation_`` +
            metric.
        metric: ``"loss"``, ``"mae"``, …: less is better.

    Raises:
        ArgumentError: If there is no epoch or no such column.
    """
    epochs, train, validation = curves(history, metric)
    finite = np.isfinite(train)
    if validation is not None:
        finite &= np.isfinite(validation)
    if not finite.all():
        title = f"Training diverged at epoch {epochs[finite.argmin()]}"
        reason = "lower the learning rate, or look for wrong values in the data"
        return Verdict("diverged", None, title, reason)
    if validation is None or len(epochs) < 2:
        return _untold(epochs, train, validation, metric)
    return _compared(epochs, train, validation, metric)


def _untold(epochs: I64, train: F64, validation: F64 | None, metric: str) -> Verdict:
    """What curves say where nothing tells whether the model overfits."""
    name = metric if metric == "loss" else metric.upper()
    title = f"The training {name} is {train[0]:.3f} after one epoch"
    if len(epochs) > 1:
        verb = "falls" if train[-1] < train[0] else "does not fall:"
        title = f"The training {name} {verb} from {train[0]:.3f} to {train[-1]:.3f}"
    reason = f"whether the model overfits, a validation {name} over two epochs or more would tell"
    return Verdict("untold", None if validation is None else 0, title, reason)


def _compared(epochs: I64, train: F64, validation: F64, metric: str) -> Verdict:
    """The verdict on two curves of at least two epochs, all finite."""
    best, last = int(validation.argmin()), len(epochs) - 1
    at, least, end = epochs[best], validation[best], f"{validation[last]:.3f} at epoch {epochs[-1]}"
    seen = f"the validation {metric} is least at epoch {at} ({least:.3f})"
    if validation[last] > least + MAX_RISE * abs(least):
        falls = train[last] < train[best]
        moved = f"from {train[best]:.3f} to {train[last]:.3f}"
        reason = f"{seen} and rises to {end}, while the training {metric}"
        if falls:
            title = f"The model overfits from epoch {epochs[best + 1]}"
            return Verdict("overfits", best, title, f"{reason} falls {moved}")
        title = f"Training is unstable after epoch {at}, which is not overfitting"
        return Verdict("unstable", best, title, f"{reason} does not fall ({moved})")

    flat = _flat_from(validation, least)
    if last - flat >= 2 and train[flat] - train[last] > MIN_FALL_OF_MEMORISING * abs(train[flat]):
        title = f"From epoch {epochs[flat]} on the model mostly memorises"
        reason = (
            f"the validation {metric} stays within 1 % of its least ({least:.3f} at epoch {at}),"
            f" while the training {metric} falls from {train[flat]:.3f} to {train[last]:.3f}"
        )
        return Verdict("memorises", best, title, reason)
    if best == last:
        reason = f"{seen}, the last one, and more epochs may improve it further"
        return Verdict("improving", best, "No sign of overfitting", reason)
    return Verdict("level", best, "No overfitting worth the name", f"{seen} and still {end}")


def _flat_from(validation: F64, least: float) -> int:
    """The first epoch from which all validation losses are within 1 % of the least."""
    away = np.flatnonzero(validation > least + MAX_RISE_OF_LEVEL * abs(least))
    return int(away[-1]) + 1 if len(away) else 0


def curves(history: pl.DataFrame, metric: str) -> tuple[I64, F64, F64 | None]:
    """Epochs, training values and validation values (None if there are none), (n,) each.

    Raises:
        ArgumentError: If there is no epoch or no such column.
    """
    column = f"train_{metric}"
    if column not in history.columns or not len(history):
        raise ArgumentError(
            "history",
            expected=f"one row an epoch, with a column {column}",
            received=f"{len(history)} rows, columns {', '.join(history.columns) or 'none'}",
            do="fit a model that is trained in epochs",
        )
    numbers = history.select(pl.exclude("epoch").cast(pl.Float64))
    n = len(history)
    epochs = history["epoch"].to_numpy() if "epoch" in history.columns else np.arange(1, n + 1)
    validation = numbers.get_column(f"validation_{metric}", default=None)
    return (
        epochs.astype(np.int64),
        numbers[column].to_numpy(),
        None if validation is None or validation.null_count() == n else validation.to_numpy(),
    )
