"""Errors of predicted ratings: pure functions on arrays."""

import numpy as np
import numpy.typing as npt

from tastemap.arrays import F64
from tastemap.errors import ArgumentError


def mse(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Mean squared error, the mean of (r - r^)^2, in squared units of the rating.

    Args:
        true: Ratings, (n,).
        predicted: Predictions for the same pairs, (n,).

    Raises:
        ArgumentError: If the shapes differ or there is nothing to average.

    Example:
        >>> mse([4, 2], [3, 2])
        0.5
    """
    return float(np.mean(_errors(true, predicted) ** 2))


def rmse(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Root mean squared error, in units of the rating; arguments as in `mse`.

    Example:
        >>> rmse([4, 2], [2, 4])
        2.0
    """
    return float(np.sqrt(mse(true, predicted)))


def mae(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Mean absolute error, the mean of |r - r^|, in units of the rating; arguments as in `mse`.

    Example:
        >>> mae([4, 2], [3, 2])
        0.5
    """
    return float(np.mean(np.abs(_errors(true, predicted))))


def _errors(true: npt.ArrayLike, predicted: npt.ArrayLike) -> F64:
    """True minus predicted, in float64, so that long sums of float32 stay exact."""
    t, p = np.asarray(true, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    # Exactly equal shapes: NumPy would broadcast a column against a row to every pair.
    if t.shape != p.shape or t.ndim != 1 or not len(t):
        raise ArgumentError(
            "true and predicted",
            expected="two arrays of equal length, at least 1",
            received=f"shapes {t.shape} and {p.shape}",
        )
    return t - p
