"""Calibration of distributions over ratings on a scale without levels: pure functions.

In each function ``below`` and ``up_to`` (n,) hold the model's probabilities of a rating below the
true one and up to it: the ends of its probability integral transform. They are equal but where a
value has a probability of its own, such as an end of the scale to which predictions are clipped.
Empty arrays and what are no probabilities are an `ArgumentError`.

References:
    Gneiting, Balabdaoui, Raftery, "Probabilistic forecasts, calibration and sharpness", JRSS B
    69(2), 2007 (the probability integral transform, coverage of central intervals). Czado,
    Gneiting, Held, "Predictive model assessment for count data", Biometrics 65(4), 2009 (the
    transform where a value has a probability of its own).
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import F64
from tastemap.errors import ArgumentError
from tastemap.metrics.calibration import MASSES, ROUNDING_ERROR, Calibration

# Parts of equal probability into which the transforms are sorted.
N_PARTS = 10


def reliability_of_parts(
    below: npt.ArrayLike, up_to: npt.ArrayLike, n_parts: int = N_PARTS
) -> pl.DataFrame:
    """How many ratings lie up to each quantile of their distributions.

    With calibrated distributions the transform is uniform. It is spread evenly from ``below`` to
    ``up_to``.

    Args:
        below, up_to: (n,), in [0, 1].
        n_parts: Parts of equal probability.

    Returns:
        Frame ``low, high, n, share, promised, observed``: each part of (0, 1), the number of all
        ratings, the share whose transform lies in the part, then the share that was promised up to
        its upper end, and the share that lies there.

    Example:
        >>> reliability_of_parts([0.1, 0.6], [0.1, 0.6], 2)["observed"].to_list()
        [0.5, 1.0]
    """
    if n_parts != int(n_parts) or n_parts < 1:
        raise ArgumentError("n_parts", expected="a whole number of at least 1", received=n_parts)
    low, high = _transforms(below, up_to)
    ends = np.arange(n_parts + 1) / n_parts
    width = np.maximum(high - low, ROUNDING_ERROR)
    observed = [float(np.clip((end - low) / width, 0, 1).mean()) for end in ends[1:-1]] + [1.0]
    return pl.DataFrame(
        {
            "low": ends[:-1],
            "high": ends[1:],
            "n": [len(low)] * n_parts,
            "share": np.diff(observed, prepend=0.0),
            "promised": ends[1:],
            "observed": observed,
        }
    )


def continuous_coverage(
    below: npt.ArrayLike,
    up_to: npt.ArrayLike,
    at_ends: tuple[npt.ArrayLike, npt.ArrayLike] = (0.0, 1.0),
    masses: tuple[float, ...] = MASSES,
) -> pl.DataFrame:
    """Frame ``mass, promised, observed``, a row for the central interval of each mass.

    The interval runs from the quantile of (1 - mass) / 2 to that of (1 + mass) / 2, both clipped
    to the scale. One that reaches an end of the scale holds all that lies there, and so more than
    its mass.

    Args:
        below, up_to: (n,), as in `reliability_of_parts`.
        at_ends: For each rating, or for all, the probability of a rating up to the lowest value of
            the scale, and of one below the highest.
        masses: Each strictly between 0 and 1.

    Example:
        >>> continuous_coverage([0.05, 0.5, 0.7], [0.05, 0.5, 0.7], masses=(0.8,)).row(0)
        (0.8, 0.8, 0.6666666666666666)
    """
    low, high = _transforms(below, up_to)
    at_lowest, below_highest = (np.asarray(end, dtype=np.float64) for end in at_ends)
    rows = []
    for mass in masses:
        tail = (1 - mass) / 2
        inside = (high >= tail) & (low <= 1 - tail)
        clipped = np.mean(at_lowest >= tail) + np.mean(below_highest <= 1 - tail)
        promised = mass + tail * float(clipped)
        rows.append({"mass": mass, "promised": promised, "observed": float(inside.mean())})
    return pl.DataFrame(rows)


def continuous_calibration(
    below: npt.ArrayLike,
    up_to: npt.ArrayLike,
    at_ends: tuple[npt.ArrayLike, npt.ArrayLike] = (0.0, 1.0),
) -> Calibration:
    """The calibration of distributions on a continuous scale; arguments as above.

    Example:
        >>> u = (np.arange(1000) + 0.5) / 1000
        >>> continuous_calibration(u, u).error < 1e-9
        True
    """
    parts = reliability_of_parts(below, up_to)
    gaps = (parts["observed"] - parts["promised"]).to_numpy()[:-1]
    error = float(np.abs(gaps).mean())
    return Calibration(parts, continuous_coverage(below, up_to, at_ends), None, error)


def _transforms(below: npt.ArrayLike, up_to: npt.ArrayLike) -> tuple[F64, F64]:
    """The ends of the transforms as float64, if each is a part of [0, 1]."""
    low, high = np.asarray(below, dtype=np.float64), np.asarray(up_to, dtype=np.float64)
    if low.ndim != 1 or low.shape != high.shape or not len(low):
        raise ArgumentError(
            "below and up_to",
            expected="two arrays of one length, at least 1",
            received=f"shapes {low.shape} and {high.shape}",
        )
    fits = (low >= -ROUNDING_ERROR) & (low <= high + ROUNDING_ERROR) & (high <= 1 + ROUNDING_ERROR)
    if not fits.all():
        raise ArgumentError(
            "below and up_to",
            expected="probabilities, below no larger than up_to",
            received=f"{low[~fits][0]:g} and {high[~fits][0]:g}",
        )
    return np.clip(low, 0, 1), np.clip(high, 0, 1)
