"""Calibration of distributions over ratings: pure functions on probabilities and true levels.

In each function ``true_level`` (n,) holds the place of each true rating on the scale, from 0 for
the lowest. ``probabilities`` (n, levels) holds the model's probability of each place; rows sum to
one. Empty arrays, places off the scale, and rows that are no distribution are an `ArgumentError`.
`tastemap.metrics.continuous_calibration` is for scales without levels.

References:
    Gneiting and Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA
    102(477), 2007 (the logarithmic score). Gneiting, Balabdaoui, Raftery, "Probabilistic forecasts,
    calibration and sharpness", JRSS B 69(2), 2007 (coverage). Hyndman, "Computing and graphing
    highest density regions", The American Statistician 50(2), 1996 (shortest intervals). Guo,
    Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017, equations 2-3
    (reliability, expected calibration error).
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import F64, I64, Mask
from tastemap.errors import ArgumentError

# Lower probabilities count as this one, so that a mean of logarithms stays finite.
MIN_PROBABILITY = 1e-12
# Rounding errors that are accepted: of a probability below zero or of a sum of probabilities, and
# of the sum of all probabilities of a rating.
ROUNDING_ERROR, MAX_SUM_ERROR = 1e-6, 1e-3


# The intervals whose coverage is given.
MASSES = (0.5, 0.8, 0.95)


class Calibration(NamedTuple):
    """The calibration of the distributions of n ratings.

    Attributes:
        reliability: `reliability_of_levels`; on a continuous scale `reliability_of_parts`.
        coverage: Frame ``mass, promised, observed``, the intervals of 50, 80 and 95 %:
            `calibration_table`; on a continuous scale `continuous_coverage`.
        log_loss: `log_loss`; None on a continuous scale.
        error: `calibration_error`; on a continuous scale the mean distance of the shares of
            `reliability_of_parts` from what was promised.
    """

    reliability: pl.DataFrame
    coverage: pl.DataFrame
    log_loss: float | None
    error: float

    @property
    def has_levels(self) -> bool:
        """Whether the scale has levels, so that intervals hold at least their mass."""
        return "level" in self.reliability.columns

    @property
    def metrics(self) -> dict[str, float]:
        """``test_log_loss``, where there is one, and ``test_calibration_error``."""
        scores = {"test_log_loss": self.log_loss, "test_calibration_error": self.error}
        return {name: value for name, value in scores.items() if value is not None}

    @property
    def record(self) -> dict[str, dict[str, list[Any]]]:
        """The data of the figure, as plain lists."""
        tables = {"reliability": self.reliability, "coverage": self.coverage}
        return {name: table.to_dict(as_series=False) for name, table in tables.items()}


def places(ratings: npt.ArrayLike, levels: npt.ArrayLike) -> I64:
    """The place, from 0, of each rating on an ascending scale; between two, the nearer one.

    Half way between two places, the lower one.

    Example:
        >>> places([5.0, 1.0, 3.2], [1, 2, 3, 4, 5]).tolist()
        [4, 0, 2]
    """
    r, scale = np.asarray(ratings, dtype=np.float64), np.asarray(levels, dtype=np.float64)
    return np.searchsorted((scale[1:] + scale[:-1]) / 2, r, side="left").astype(np.int64)


def log_loss(true_level: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Mean of -log p(true level), in nats; at least 0, less is better.

    A probability below 1e-12 counts as 1e-12. Guessing all of L levels alike gives log L.

    Example:
        >>> round(log_loss([0, 1], [[0.5, 0.5], [0.5, 0.5]]), 4)
        0.6931
    """
    level, p = _checked(true_level, probabilities)
    return float(-np.mean(np.log(np.maximum(p[np.arange(len(level)), level], MIN_PROBABILITY))))


def shortest_interval(probabilities: npt.ArrayLike, mass: float) -> tuple[I64, I64]:
    """The lowest and highest level (n,), both included, of the shortest interval of each row.

    Of all runs of neighbouring levels whose probabilities sum to at least ``mass``, it is one with
    the fewest levels; of several, the one whose middle is nearest the mean; then the lower one.
    It holds at least ``mass``, and mostly more, because it consists of whole levels.

    Args:
        probabilities: (n, levels).
        mass: Strictly between 0 and 1.

    Example:
        >>> low, high = shortest_interval([[0.1, 0.2, 0.4, 0.3], [0.7, 0.1, 0.1, 0.1]], 0.5)
        >>> low.tolist(), high.tolist()
        ([1, 0], [2, 0])
    """
    p = _distributions(probabilities)
    if not 0 < mass < 1:
        raise ArgumentError("mass", expected="strictly between 0 and 1", received=mass)
    n_levels = p.shape[1]
    up_to = np.pad(np.cumsum(p, axis=1), ((0, 0), (1, 0)))
    mean = p @ np.arange(n_levels)
    low, high = np.zeros(len(p), dtype=np.int64), np.full(len(p), n_levels - 1, dtype=np.int64)
    rows = np.arange(len(p))
    for width in range(1, n_levels):
        holds = up_to[rows, width:] - up_to[rows, :-width] >= mass - ROUNDING_ERROR
        is_wide_enough = holds.any(axis=1)
        here = rows[is_wide_enough]
        middle = np.arange(holds.shape[1]) + (width - 1) / 2
        # Distances that differ by the rounding of floats are equal.
        distance = np.round(np.abs(middle - mean[here, None]), 9)
        low[here] = np.argmin(np.where(holds[is_wide_enough], distance, np.inf), axis=1)
        high[here] = low[here] + width - 1
        rows = rows[~is_wide_enough]
        if not len(rows):
            break
    return low, high


def coverage(true_level: npt.ArrayLike, probabilities: npt.ArrayLike, mass: float) -> float:
    """Share of true levels inside the `shortest_interval` of ``mass``, from 0 to 1.

    Both ends belong to the interval. Compare it with `promised_coverage`, not with ``mass``: an
    interval of whole levels holds more than its mass.

    Example:
        >>> coverage([2, 0], [[0.1, 0.2, 0.4, 0.3]] * 2, 0.5)
        0.5
    """
    level, p = _checked(true_level, probabilities)
    low, high = shortest_interval(p, mass)
    return float(np.mean((low <= level) & (level <= high)))


def promised_coverage(probabilities: npt.ArrayLike, mass: float) -> float:
    """Mean probability that the model gives to its `shortest_interval` of ``mass``.

    Calibrated probabilities have this `coverage`.

    Example:
        >>> round(promised_coverage([[0.1, 0.2, 0.4, 0.3]], 0.5), 2)
        0.6
    """
    p = _distributions(probabilities)
    low, high = shortest_interval(p, mass)
    level = np.arange(p.shape[1])
    inside = (low[:, None] <= level) & (level <= high[:, None])
    return float(np.mean(np.sum(p * inside, axis=1)))


def reliability(
    true_level: npt.ArrayLike, probabilities: npt.ArrayLike, n_bins: int = 10
) -> pl.DataFrame:
    """Reliability diagram: predicted probabilities and observed frequencies of all levels, in bins.

    Each level of each rating is one statement, "this rating is that level", with a probability and
    an outcome. Bins of equal width hold statements of similar probability. A probability on an edge
    is in the bin above it, 1 in the last.

    Returns:
        Frame ``low, high, n, predicted, observed``: the bin, its number of statements, their mean
        probability, and the share that came true; bins without statements are left out.

    Example:
        >>> reliability([0, 1], [[0.9, 0.1], [0.9, 0.1]])["observed"].to_list()
        [0.5, 0.5]
    """
    level, p = _checked(true_level, probabilities)
    outcome = np.arange(p.shape[1]) == level[:, None]
    return _binned(p.ravel(), outcome.ravel(), n_bins)


def calibration_error(
    true_level: npt.ArrayLike, probabilities: npt.ArrayLike, n_bins: int = 10
) -> float:
    """Expected calibration error: mean of |observed - predicted| over all statements' bins.

    From 0, calibrated, to 1; the bins are those of `reliability`, weighted by their statements.

    Example:
        >>> round(calibration_error([0, 1], [[0.9, 0.1], [0.9, 0.1]]), 2)
        0.4
    """
    bins = reliability(true_level, probabilities, n_bins)
    gap = (bins["observed"] - bins["predicted"]).abs()
    return float(np.average(gap.to_numpy(), weights=bins["n"].to_numpy()))


def calibration_table(
    true_level: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    masses: tuple[float, ...] = MASSES,
) -> pl.DataFrame:
    """Frame ``mass, promised, observed``, a row for the `shortest_interval` of each mass.

    Example:
        >>> calibration_table([1, 2], [[0.1, 0.2, 0.4, 0.3]] * 2).columns
        ['mass', 'promised', 'observed']
    """
    level, p = _checked(true_level, probabilities)
    return pl.DataFrame(
        {
            "mass": list(masses),
            "promised": [promised_coverage(p, mass) for mass in masses],
            "observed": [coverage(level, p, mass) for mass in masses],
        }
    )


def reliability_of_levels(
    ratings: npt.ArrayLike, levels: npt.ArrayLike, probabilities: npt.ArrayLike, n_bins: int = 10
) -> pl.DataFrame:
    """`reliability` of each level by itself, as a frame ``level`` and the columns of that.

    Args:
        ratings: True ratings, (n,).
        levels: The scale, ascending.
        probabilities: (n, levels).
        n_bins: Bins of equal width from 0 to 1.

    Example:
        >>> levels = reliability_of_levels([1, 2], [1, 2], [[0.9, 0.1], [0.2, 0.8]])
        >>> levels.filter(level=2).select("predicted", "observed").rows()
        [(0.1, 0.0), (0.8, 1.0)]
    """
    true_level, p = _checked(places(ratings, levels), probabilities)
    return pl.concat(
        _binned(p[:, n], true_level == n, n_bins).select(pl.lit(level).alias("level"), pl.all())
        for n, level in enumerate(np.asarray(levels, dtype=np.float64))
    )


def calibration_of(
    ratings: npt.ArrayLike, levels: npt.ArrayLike, probabilities: npt.ArrayLike
) -> Calibration:
    """All results of this module for the ratings of a test part; arguments as above.

    Example:
        >>> calibration_of([1, 2], [1, 2], [[0.5, 0.5], [0.5, 0.5]]).error
        0.0
    """
    true_level = places(ratings, levels)
    return Calibration(
        reliability_of_levels(ratings, levels, probabilities),
        calibration_table(true_level, probabilities),
        log_loss(true_level, probabilities),
        calibration_error(true_level, probabilities),
    )


def _binned(p: F64, outcome: Mask, n_bins: int) -> pl.DataFrame:
    """Statements with probabilities p (m,), in bins: ``low, high, n, predicted, observed``."""
    if n_bins != int(n_bins) or n_bins < 1:
        raise ArgumentError("n_bins", expected="a whole number of at least 1", received=n_bins)
    bins = np.clip((p * n_bins + 1e-9).astype(np.int64), 0, n_bins - 1)
    n = np.bincount(bins, minlength=n_bins)
    filled = np.flatnonzero(n)
    predicted, observed = (
        np.bincount(bins, weights, n_bins)[filled] / n[filled] for weights in (p, outcome)
    )
    return pl.DataFrame(
        {
            "low": filled / n_bins,
            "high": (filled + 1) / n_bins,
            "n": n[filled],
            "predicted": predicted,
            "observed": observed,
        }
    )


def _distributions(probabilities: npt.ArrayLike) -> F64:
    """Probabilities as float64, if they are distributions."""
    p: Any = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 2 or not p.size:
        raise ArgumentError(
            "probabilities", expected="(n, levels), at least one of each", received=p.shape
        )
    if not (p >= -ROUNDING_ERROR).all() or not (np.abs(p.sum(axis=1) - 1) <= MAX_SUM_ERROR).all():
        raise ArgumentError(
            "probabilities",
            expected="rows of numbers from 0 that sum to 1",
            received=f"rows that sum to {p.sum(axis=1).min():g} to {p.sum(axis=1).max():g}",
        )
    return np.maximum(p, 0.0)


def _checked(true_level: npt.ArrayLike, probabilities: npt.ArrayLike) -> tuple[I64, F64]:
    """Levels and probabilities, if they are of equally many ratings and the levels on the scale."""
    level, p = np.asarray(true_level), _distributions(probabilities)
    if level.shape != (len(p),):
        raise ArgumentError("true_level", expected=f"shape ({len(p)},)", received=level.shape)
    on_scale = (level >= 0) & (level < p.shape[1]) & (level == np.floor(level))
    if not on_scale.all():
        raise ArgumentError(
            "true_level",
            expected=f"whole numbers from 0 to {p.shape[1] - 1}",
            received=level[~on_scale][0],
            do="places(ratings, scale.levels) gives them",
        )
    return level.astype(np.int64), p
