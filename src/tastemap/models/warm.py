"""Updates that go on from what has been learnt, in place of a fit from nothing."""

import math
from typing import ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from tastemap.data.ratings import Ratings
from tastemap.models.factors import FactorModel

_Floats = npt.NDArray[np.float32]


class Start(NamedTuple):
    """Where an update starts.

    Attributes:
        users: float32 (n_users, 1 + f), rows (b_u, p_u); the average user's of those who are new.
        items: float32 (n_items, 1 + f), rows (b_i, q_i); the average item's of those that are new.
    """

    users: _Floats
    items: _Floats


class WarmStart(FactorModel):
    """A model of factors whose updates start at the factors that it has.

    An update makes a share of the epochs of a fit, on the old ratings and the new together. Users
    and items that are new start as the average of those known.
    """

    #: Share of the epochs of a fit that an update makes.
    _share: ClassVar[float] = 1 / 3
    _start: Start | None = None

    def update(self, ratings: Ratings, *, seed: int = 0, progress: bool = True) -> Self:
        """Learn further from new ratings, from the present factors, in fewer epochs.

        Where both have a pair of user and item, the new rating wins. What comes out is close to a
        fit on all ratings, and not the same.

        Args:
            ratings: The new ratings; users and items may be new.
            seed: Same seed, same result, on any number of threads.
            progress: As in `fit`.
        """
        merged = self._fitted.merged_with(ratings)
        self._start = Start(
            _grown(self.user_weights, merged.n_users), _grown(self.item_weights, merged.n_items)
        )
        try:
            return self.fit(merged, seed=seed, progress=progress)
        finally:
            self._start = None

    def _epochs(self, n_epochs: int) -> int:
        """How many of the epochs of a fit are to be made."""
        return n_epochs if self._start is None else math.ceil(self._share * n_epochs)


def _grown(weights: _Floats, n: int) -> _Floats:
    """Rows of n users or items; the last of the weights, the average, stands in for the new."""
    known = weights[:-1]
    return np.vstack([known, np.repeat(weights[-1:], n - len(known), axis=0)])
