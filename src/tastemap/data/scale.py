"""TODO docstring of src/tastemap/data/scale.py."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray
from tastemap.data.vocabulary import SLICE
from tastemap.errors import ArgumentError, DataError

# A scale with more distinct values than this is treated as continuous (no step).
MAX_LEVELS = 101


# The finest step that is looked for.
GRID = 1e-4


# Multiples of it are whole numbers up to here, past which a float64 has no units.
MOST_MULTIPLES = 2**53


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

        The step is the largest of which every value is a whole number above the lowest, to four
        decimals, if the scale then has at most 101 values; else the scale is continuous.

        Example:
            >>> print(Scale.infer(np.array([0.5, 5.0, 3.0, 3.5])))
            0.5 to 5 in steps of 0.5
        """
        values = _distinct(np.asarray(rating)).astype(np.float64)
        if not len(values):
            raise DataError("ratings", expected="at least one rating", received="none")
        lowest, highest = float(values[0]), float(values[-1])
        if len(values) == 1:
            return cls(lowest, highest, None)
        # Whole multiples of the grid, whose greatest common divisor is the step: {1, 3, 6} lie on
        # steps of 1, although no two of them are 1 apart.
        above = np.round((values - lowest) / GRID)
        if above[-1] > MOST_MULTIPLES:
            return cls(lowest, highest, None)
        step = float(np.gcd.reduce(above.astype(np.int64))) * GRID
        # No step at all: the values are closer together than the grid.
        if not step or (highest - lowest) / step >= MAX_LEVELS - 0.5:
            return cls(lowest, highest, None)
        step = round(step, 9)
        return cls(lowest, highest, step)

    @property
    def levels(self) -> npt.NDArray[np.float64] | None:
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
        """The scale that holds every value of both; continuous if one of them is."""
        both = (self, other)
        if any(scale.step is None and scale.lowest < scale.highest for scale in both):
            return Scale(min(s.lowest for s in both), max(s.highest for s in both), None)
        ends_and_levels = [
            np.array([scale.lowest]) if scale.levels is None else scale.levels for scale in both
        ]
        return Scale.infer(np.concatenate(ends_and_levels))

    def __str__(self) -> str:
        ends = f"{self.lowest:g} to {self.highest:g}"
        return ends if self.step is None else f"{ends} in steps of {self.step:g}"


def _distinct(values: FloatArray) -> FloatArray:
    """The distinct values, ascending, without sorting all of them where they are few."""
    known = np.unique(values[:SLICE])
    for start in range(SLICE, len(values), SLICE):
        if len(known) >= MAX_LEVELS:
            return np.unique(values)
        part = values[start : start + SLICE]
        known = np.union1d(known, part[np.isin(part, known, invert=True)])
    return known


#: The lowest and the highest rating inside, each (n,).
Interval: TypeAlias = tuple[FloatArray, FloatArray]


def tails(mass: float) -> tuple[float, float]:
    """The two probabilities whose quantiles end the central interval of a mass.

    Example:
        >>> tails(0.5)
        (0.25, 0.75)
    """
    if not 0 < mass < 1:
        raise ArgumentError("mass", expected="strictly between 0 and 1", received=mass)
    return (1 - mass) / 2, (1 + mass) / 2


def central(scale: Scale, probabilities: FloatArray, mass: float) -> Interval:
    """The central interval of distributions (n, levels) over the levels of a scale.

    Example:
        >>> import numpy as np
        >>> low, high = central(Scale(1, 4, 1), np.array([[0.1, 0.2, 0.4, 0.3]]), 0.5)
        >>> low.tolist(), high.tolist()
        ([2.0], [4.0])
    """
    low, high = tails(mass)
    return scale.quantile(probabilities, low), scale.quantile(probabilities, high)
