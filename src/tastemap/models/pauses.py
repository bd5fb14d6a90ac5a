"""Pauses: how rare it is that people stay away so long, and what their own habit says of it."""

from typing import NamedTuple, Self

import numpy as np

from tastemap.arrays import F64, I64, AnyArray, FloatArray

# The distribution of the gaps is kept as so many quantiles; so no gap is rarer than 1 in 1,000.
N_QUANTILES = 1001
# Gaps that differ by less are equal.
SECOND = 1.0
# Latest gaps of a user that say how long the next one may be, and average ones that count beside.
N_LATEST_GAPS, N_AVERAGE_GAPS = 16, 2


class Pauses(NamedTuple):
    """The gaps between neighbours in the histories of a table.

    Attributes:
        quantiles: Their quantiles in seconds, ascending, float64 (n,); empty without times.
        average: Mean rarity of the gaps.
    """

    quantiles: F64
    average: float

    @classmethod
    def of(cls, quantiles: F64) -> Self:
        """From the quantiles; nothing is rare where there are none."""
        pauses = cls(quantiles, 0.0)
        if not len(quantiles):
            return pauses
        return cls(quantiles, float(pauses.rarity(quantiles).mean()))

    def rarity(self, gap: AnyArray) -> FloatArray:
        """-log of the share of gaps that are longer, those as long counted by half.

        Args:
            gap: Seconds (n,).

        Example:
            >>> pauses = Pauses.of(np.arange(N_QUANTILES) * 10.0)
            >>> pauses.rarity(np.array([5000.0])).round(2).tolist()
            [0.69]
        """
        below, above = (np.searchsorted(self.quantiles, gap + more) for more in (0, SECOND))
        longer = 1 - (below + above) / 2 / N_QUANTILES
        return -np.log(np.maximum(longer, 1 / N_QUANTILES))

    def usual_rarity(self, latest: I64) -> float:
        """The mean rarity of a user's latest gaps (n,) and some average ones."""
        total = float(self.rarity(latest).sum()) + N_AVERAGE_GAPS * self.average
        return total / (len(latest) + N_AVERAGE_GAPS)


def quantiles(gap: I64) -> F64:
    """The quantiles that are kept of gaps (n,); none of none."""
    return np.quantile(gap, np.linspace(0, 1, N_QUANTILES)) if len(gap) else np.zeros(0)
