"""The scale of ratings: its levels, what is liked on it, quantiles of distributions over it."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from tastemap.arrays import F64, FloatArray, Mask
from tastemap.data.chunks import CACHE_ROWS, chunks
from tastemap.errors import ArgumentError, DataError

#: The lowest and the highest rating inside, each (n,).
Interval: TypeAlias = tuple[FloatArray, FloatArray]

# A scale with more levels is continuous: it has no step.
MAX_LEVELS = 101
MIN_STEP = 1e-4
# A distribution over more levels would take more memory than a model.
MAX_LEVELS_OF_FILE = 100_000
# Larger multiples of the smallest step are not exact in float64.
MAX_MULTIPLES = 2**53


@dataclass(frozen=True)
class Scale:
    """The values that a rating can take: from ``lowest`` to ``highest``, in steps of ``step``.

    Attributes:
        lowest, highest: The ends of the scale, both included.
        step: The distance between neighbouring values, or None for a continuous scale.
    """

    lowest: float
    highest: float
    step: float | None = None

    @classmethod
    def infer(cls, rating: FloatArray) -> "Scale":
        """The scale that observed ratings lie on.

        The step is the largest number, to four decimals, such that every value is a whole number
        of steps above the lowest. A scale of more than 101 levels is continuous instead.

        Example:
            >>> print(Scale.infer(np.array([0.5, 5.0, 3.0, 3.5])))
            0.5 to 5 in steps of 0.5
        """
        values = _distinct(np.asarray(rating)).astype(np.float64)
        if not len(values):
            raise DataError("ratings", expected="at least one rating", received="none")
        lowest, highest = float(values[0]), float(values[-1])
        # The step is the greatest common divisor of all distances, counted in smallest steps:
        # {1, 3, 6} lie on steps of 1, although no two of them are 1 apart.
        multiples = np.round((values - lowest) / MIN_STEP)
        if multiples[-1] > MAX_MULTIPLES:
            return cls(lowest, highest)
        step = float(np.gcd.reduce(multiples.astype(np.int64))) * MIN_STEP
        # The step is 0 for a single value, and for values that lie closer than the smallest step.
        if not step or (highest - lowest) / step >= MAX_LEVELS - 0.5:
            return cls(lowest, highest)
        return cls(lowest, highest, round(step, 9))

    @property
    def levels(self) -> F64 | None:
        """Every value of the scale, ascending, or None where it is continuous."""
        if self.lowest == self.highest:
            return np.array([self.lowest])
        if self.step is None:
            return None
        n = round((self.highest - self.lowest) / self.step) + 1
        return np.linspace(self.lowest, self.highest, n)

    def liked_from(self, threshold: float | None = None) -> float:
        """The rating from which on an item counts as liked: by default the upper quarter.

        Example:
            >>> Scale(1, 5, 1).liked_from(), Scale(0, 1, 1).liked_from()
            (4.0, 0.75)
        """
        upper_quarter = self.lowest + 0.75 * (self.highest - self.lowest)
        return upper_quarter if threshold is None else threshold

    def liked(self, rating: FloatArray, threshold: float | None = None) -> Mask:
        """Whether each rating (n,) is high enough for its item to be liked; see `liked_from`.

        Example:
            >>> Scale(1, 5, 1).liked(np.array([3.0, 4.0, 5.0])).tolist()
            [False, True, True]
        """
        return np.asarray(rating) >= self.liked_from(threshold)

    def clip(self, rating: FloatArray) -> FloatArray:
        """The ratings, moved to the nearest end of the scale where they lie outside it."""
        return np.clip(rating, self.lowest, self.highest)

    def quantile(self, probabilities: FloatArray, q: float) -> FloatArray:
        """The first level up to which probabilities (n, levels) sum to at least q, (n,).

        A sum that misses q by the rounding of floats counts as q.

        Example:
            >>> Scale(1, 3, 1).quantile(np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]), 0.5)
            array([1., 3.])
        """
        up_to = np.cumsum(probabilities, axis=1)
        up_to[:, -1] = 1.0
        levels = np.array([self.lowest]) if self.levels is None else self.levels
        return levels[np.argmax(up_to >= q - 1e-6, axis=1)]

    def union(self, other: "Scale") -> "Scale":
        """The scale that holds every value of both scales; continuous if one of them is."""
        levels = [scale.levels for scale in (self, other) if scale.levels is not None]
        if len(levels) == 2:
            return Scale.infer(np.concatenate(levels))
        return Scale(min(self.lowest, other.lowest), max(self.highest, other.highest))

    def __str__(self) -> str:
        ends = f"{self.lowest:.10g} to {self.highest:.10g}"
        return ends if self.step is None else f"{ends} in steps of {self.step:.10g}"


def check_scale(scale: Scale) -> None:
    """Refuse a scale from a file that is none, or whose levels would fill the memory.

    Raises:
        ValueError: If it is.

    Example:
        >>> check_scale(Scale(1, 5, 0))
        Traceback (most recent call last):
        ValueError: a scale from 1 to 5 in steps of 0
    """
    lowest, highest, step = scale.lowest, scale.highest, scale.step
    if not lowest <= highest or (step is not None and not step > 0):
        raise ValueError(f"a scale from {lowest} to {highest} in steps of {step}")
    if step is not None and not (highest - lowest) / step < MAX_LEVELS_OF_FILE:
        raise ValueError(f"a scale of more than {MAX_LEVELS_OF_FILE:,} levels")


def _distinct(values: FloatArray) -> FloatArray:
    """The distinct values, ascending; where they are few, not all values are sorted."""
    levels = values[:0]
    for rows in chunks(len(values), CACHE_ROWS):
        if len(levels) >= MAX_LEVELS:
            return np.unique(values)
        levels = np.union1d(levels, values[rows][np.isin(values[rows], levels, invert=True)])
    return levels


def tails(mass: float) -> tuple[float, float]:
    """The two probabilities whose quantiles end the central interval of a mass.

    Example:
        >>> tails(0.5)
        (0.25, 0.75)
    """
    if not 0 < mass < 1:
        raise ArgumentError("mass", expected="strictly between 0 and 1", received=mass)
    return (1 - mass) / 2, (1 + mass) / 2
