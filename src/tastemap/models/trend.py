"""The trend: which items are taken up more at a time than in all of the table."""

from typing import NamedTuple, Self

import numpy as np

from tastemap.arrays import AnyArray, FloatArray
from tastemap.data.feedback import Feedback

SECONDS_PER_DAY = 86_400
# Rows of a period that count as much as the popularity in all of the table.
TREND_DAMPING = 3000.0
# Popularity's power over the trend: 0 leaves it out, 1 ranks with the trend as it is.
TREND_POWER = 0.7


class Trend(NamedTuple):
    """When each item was taken up.

    Attributes:
        time: Times of all rows of the table, ascending, int64 (n,), seconds since 1970.
        item_index: int32 (n,), rows of the items.
    """

    time: AnyArray
    item_index: AnyArray

    @classmethod
    def of(cls, data: Feedback) -> Self | None:
        """The rows in the order of their times; None if these are not known."""
        if data.timestamp is None:
            return None
        order = np.argsort(data.timestamp, kind="stable")
        return cls(data.timestamp[order], data.item_index[order])

    def lift(self, time: float, counts: AnyArray, days: float) -> FloatArray:
        """The share of each item in the period that ends at a time, over its share in all rows.

        Args:
            time: Seconds since 1970.
            counts: int64 (n_items,), rows of each item.
            days: Length of the period.

        Returns:
            float64 (n_items,), damped, to a power; 1 of an item without rows.
        """
        low, high = np.searchsorted(self.time, [time - SECONDS_PER_DAY * days, time])
        recent = np.bincount(self.item_index[low:high], minlength=len(counts))
        p = counts / counts.sum()
        q = (recent + TREND_DAMPING * p) / (high - low + TREND_DAMPING)
        return np.divide(q, p, out=np.ones(len(p)), where=p > 0) ** TREND_POWER
