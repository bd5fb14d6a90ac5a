"""One model on one test set: errors overall, and by how much is known of item and user."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.evaluation.calibration import Calibration, calibration_of
from tastemap.evaluation.checks import leak_notes
from tastemap.evaluation.metrics import mae, mse, rmse
from tastemap.models import make_model
from tastemap.models.base import Recommender

# Lower ends of the bands of the number of training ratings of an item or a user.
BANDS = (0, 1, 10, 50, 100, 200)


@dataclass(frozen=True)
class Evaluation:
    """Test errors of a model beside the baseline's.

    Attributes:
        overall: Frame ``model, point, n, mse, rmse, mae``: the model (its mean and, where it has a
            distribution, its median), then the baseline.
        bands: Frame ``group, band, n, mae, rmse, baseline_mae, baseline_rmse``; group
            ``popularity`` bands the item, ``activity`` the user, by number of training ratings.
        predicted: The model's mean predictions, (n,), inside the scale.
        notes: What a reader must know: pairs that are in training and test alike, unknown ids.
        calibration: Whether the model's distributions keep their word; None of a model without.
    """

    overall: pl.DataFrame
    bands: pl.DataFrame
    predicted: npt.NDArray[np.floating[Any]]
    notes: tuple[str, ...]
    calibration: Calibration | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """The errors by name, as they are kept in an artifact: the model's and the baseline's."""
        *rows, baseline = self.overall.to_dicts()
        names = ("mse", "rmse", "mae")
        plain = {f"test_{name}": rows[0][name] for name in names}
        more = {f"test_mae_{row['point']}": row["mae"] for row in rows[1:]}
        if self.calibration is not None:
            more["test_log_loss"] = self.calibration.log_loss
            more["test_calibration_error"] = self.calibration.error
        return plain | more | {f"baseline_test_{name}": baseline[name] for name in names}

    @property
    def record(self) -> dict[str, Any]:
        """`metrics`, and under ``calibration`` what its figure is drawn from, as plain lists."""
        if self.calibration is None:
            return dict(self.metrics)
        return self.metrics | {"calibration": self.calibration.record}

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """What a reader is shown, by title."""
        found = {"Test errors": self.overall, "Test errors by what is known": self.bands}
        if self.calibration is not None:
            told = self.calibration
            found["Test ratings inside the central intervals"] = told.coverage.with_columns(
                log_loss=told.log_loss, calibration_error=told.error
            )
        return found


def evaluate(
    model: Recommender, test: Ratings, *, baseline: Recommender | None = None
) -> Evaluation:
    """Score a fitted model on test ratings.

    Args:
        model: A fitted model.
        test: Ratings the model has not seen; the vocabularies may differ from the model's.
        baseline: A fitted model to stand beside it; by default the bias model, fitted here on the
            ratings that the model was fitted on.

    Example:
        >>> from tastemap.data.synthetic import synthetic_ratings
        >>> from tastemap.data.splits import train_test_split
        >>> train, test = train_test_split(synthetic_ratings(seed=1))
        >>> evaluate(make_model("bias").fit(train), test).overall["model"].to_list()
        ['BiasModel', 'baseline']
    """
    if not len(test):
        raise ArgumentError("test", expected="at least one rating", received="none")
    baseline = baseline or make_model("bias").fit(model.ratings_, progress=False)
    predicted = model.predict_ratings(test)
    beside = baseline.predict_ratings(test)
    name = str(model)
    rows = [_errors(name, "mean", test, predicted)]
    if model.has_distribution:
        rows.append(_errors(name, "median", test, model.predict_ratings(test, point="median")))
    rows.append(_errors("baseline", "mean", test, beside))
    return Evaluation(
        overall=pl.DataFrame(rows),
        bands=_bands(model, test, predicted, beside),
        predicted=predicted,
        notes=_notes(model, test),
        calibration=model_calibration(model, test),
    )


def model_calibration(model: Recommender, test: Ratings) -> Calibration | None:
    """The calibration of a model on test ratings; None of one without a distribution on levels."""
    levels = model.ratings_.scale.levels
    if not model.has_distribution or levels is None:
        return None
    return calibration_of(test.rating, levels, model.ratings_distribution(test))


def _errors(model: str, point: str, test: Ratings, predicted: Any) -> dict[str, Any]:
    errors = {metric.__name__: metric(test.rating, predicted) for metric in (mse, rmse, mae)}
    return {"model": model, "point": point, "n": len(test)} | errors


def _bands(model: Recommender, test: Ratings, predicted: Any, beside: Any) -> pl.DataFrame:
    """Errors, beside the baseline's, by the number of training ratings of item and user."""
    theirs = error_bands(model, test, beside).select(baseline_mae="mae", baseline_rmse="rmse")
    return error_bands(model, test, predicted).hstack(theirs)


def error_bands(model: Recommender, test: Ratings, predicted: Any) -> pl.DataFrame:
    """Errors of predictions by the number of training ratings of the item and of the user.

    Args:
        model: A fitted model; its training ratings are counted.
        test: n ratings.
        predicted: Predictions of the same pairs, (n,).

    Returns:
        Frame ``group, band, n, mae, rmse``, the bands of ``popularity`` (of the item), then of
        ``activity`` (of the user), each ascending; bands without a test rating are left out.
    """
    users, items = model._rows(test)
    train = model.ratings_
    rows = []
    for group, index, counts in (
        ("popularity", items, train.by_item.counts),
        ("activity", users, train.by_user.counts),
    ):
        known = np.where(index >= 0, counts[index], 0)
        band = np.searchsorted(BANDS, known, side="right") - 1
        for b in np.unique(band):
            at = band == b
            true = test.rating[at]
            errors = {"mae": mae(true, predicted[at]), "rmse": rmse(true, predicted[at])}
            rows.append({"group": group, "band": band_name(int(b)), "n": int(at.sum())} | errors)
    return pl.DataFrame(rows)


def band_name(band: int) -> str:
    """The range of a band in words.

    Example:
        >>> band_name(0), band_name(1), band_name(5)
        ('0', '1–9', '200+')
    """
    low = BANDS[band]
    if band + 1 == len(BANDS):
        return f"{low}+"
    high = BANDS[band + 1] - 1
    return str(low) if high == low else f"{low}–{high}"


def _notes(model: Recommender, test: Ratings) -> tuple[str, ...]:
    """Leaks and unknown ids, counted."""
    users, items = model._rows(test)
    notes = leak_notes(model.ratings_, users, items)
    for kind, index in (("users", users), ("items", items)):
        unknown = int((index < 0).sum())
        if unknown:
            notes.append(f"{unknown} test ratings are of {kind} that the model does not know")
    return tuple(notes)
