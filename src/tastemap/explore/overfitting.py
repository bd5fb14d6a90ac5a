"""Whether a model overfits, read off its training curves."""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.errors import ArgumentError

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Kind = Literal["untold", "diverged", "improving", "level", "overfits", "unstable", "memorises"]

#: A last validation loss within this share of the least one counts as equally good.
TOLERANCE = 0.005
#: Validation losses within this share of the least one count as level,
FLAT = 0.01
#: and a training loss that fell by more than this share meanwhile as learning by heart.
MEMORISED = 0.05


class Verdict(NamedTuple):
    """What the curves say.

    Attributes:
        kind: See `verdict`.
        best: Position (from 0) of the epoch with the least validation loss, or None.
        title: The verdict in a few words.
        reason: The epochs and values that it follows from.
    """

    kind: Kind
    best: int | None
    title: str
    reason: str


def overfitting_sentence(history: pl.DataFrame, metric: str = "loss") -> str:
    """Whether the model overfits, and from which epoch, in one sentence; see `verdict`.

    Example:
        >>> overfitting_sentence(
        ...     pl.DataFrame({"loss": [1.0, 0.7, 0.5], "val_loss": [0.9, 0.8, 0.95]})
        ... )
        'The model overfits from epoch 3: the validation loss is least at epoch 2 (0.800) and rises
        to 0.950 at epoch 3, while the training loss falls from 0.700 to 0.500.'
    """
    found = verdict(history, metric)
    return f"{found.title}: {found.reason}."


def verdict(history: pl.DataFrame, metric: str = "loss") -> Verdict:
    """Whether a model overfits, read off the curves themselves.

    The rule: let e be the epoch with the least validation loss (the first of equals).

    - ``"untold"``: without validation loss, or with fewer than two epochs, none can tell.
    - ``"diverged"``: a loss is not finite.
    - ``"overfits"``: the last validation loss is more than 0.5 % above the least, and the training
      loss fell since e; from epoch e + 1.
    - ``"unstable"``: the same, but the training loss did not fall.
    - ``"memorises"``: for at least three epochs up to the last the validation loss is within 1 %
      of the least, while the training loss fell by more than 5 %.
    - ``"improving"``: none of these, and e is the last epoch.
    - ``"level"``: none of these.

    Args:
        history: One row an epoch: ``metric``, maybe ``val_`` + metric and ``epoch``.
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
        title = "The curves cannot tell whether the model overfits"
        reason = f"that takes a validation {metric} over at least two epochs"
        return Verdict("untold", None if validation is None else 0, title, reason)

    return _compared(epochs, train, validation, metric)


def _compared(epochs: Ints, train: Floats, validation: Floats, metric: str) -> Verdict:
    """The verdict on two curves of at least two epochs, all finite."""
    best, last = int(validation.argmin()), len(epochs) - 1
    at, least, end = epochs[best], validation[best], f"{validation[last]:.3f} at epoch {epochs[-1]}"
    seen = f"the validation {metric} is least at epoch {at} ({least:.3f})"
    if validation[last] > least + TOLERANCE * abs(least):
        falls = train[last] < train[best]
        moved = f"from {train[best]:.3f} to {train[last]:.3f}"
        reason = f"{seen} and rises to {end}, while the training {metric}"
        if falls:
            title = f"The model overfits from epoch {epochs[best + 1]}"
            return Verdict("overfits", best, title, f"{reason} falls {moved}")
        title = f"Training is unstable after epoch {at}, which is not overfitting"
        return Verdict("unstable", best, title, f"{reason} does not fall ({moved})")

    flat = _flat_from(validation, least)
    if last - flat >= 2 and train[flat] - train[last] > MEMORISED * abs(train[flat]):
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


def _flat_from(validation: Floats, least: float) -> int:
    """The first epoch from which all validation losses are within 1 % of the least."""
    away = np.flatnonzero(validation > least + FLAT * abs(least))
    return int(away[-1]) + 1 if len(away) else 0


def curves(history: pl.DataFrame, metric: str) -> tuple[Ints, Floats, Floats | None]:
    """Epochs, training values and validation values (None where there are none), (n,) each.

    Raises:
        ArgumentError: If there is no epoch or no such column.
    """
    if metric not in history.columns or not len(history):
        raise ArgumentError(
            "history",
            expected=f"one row an epoch, with a column {metric}",
            received=f"{len(history)} rows, columns {', '.join(history.columns) or 'none'}",
            do="fit a model that is trained in epochs",
        )
    numbers = history.select(pl.exclude("epoch").cast(pl.Float64))
    n = len(history)
    epochs = history["epoch"].to_numpy() if "epoch" in history.columns else np.arange(1, n + 1)
    validation = numbers.get_column(f"val_{metric}", default=None)
    return (
        epochs.astype(np.int64),
        numbers[metric].to_numpy(),
        None if validation is None or validation.null_count() == n else validation.to_numpy(),
    )
