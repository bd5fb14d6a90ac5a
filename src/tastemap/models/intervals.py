"""Central intervals of predicted distributions."""

from typing import TypeAlias

from tastemap.data.ratings import FloatArray, Scale
from tastemap.errors import ArgumentError

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
