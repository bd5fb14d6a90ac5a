"""Lists from a shortlist: scores that are quick and nearly right choose it, exact ones its best."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from tastemap.arrays import FloatArray, IndexArray, Mask
from tastemap.errors import UnsupportedError
from tastemap.models.base.selection import top_k
from tastemap.models.base.user import User

#: A shortlist has so many items, or so many for each place of the list if that is more.
MIN_SHORTLIST, SHORTLIST_PER_PLACE = 128, 8


class ShortlistedModel(ABC):
    """The part of a model whose exact scores may take long."""

    @property
    def shortlists(self) -> bool:
        """Whether its lists come from shortlists, as `_quick_scores` gives scores."""
        return False

    def _quick_scores(self, user: User) -> FloatArray:
        """Scores (n_items,) that are nearly right; the caller may change them."""
        raise UnsupportedError(f"{type(self).__name__} has no quick scores")

    def _quick_errors(self, user: User) -> FloatArray:
        """Standard errors (n_items,) of expected ratings that are nearly right, likewise."""
        raise UnsupportedError(f"{type(self).__name__} has no quick standard errors")

    @abstractmethod
    def score_rows(self, user: User) -> FloatArray:
        """The score (n_items,) of every item for one user; it may lie outside the scale."""

    def _scores_at(self, user: User, rows: IndexArray) -> FloatArray:
        """Scores of the items in these rows, (n,)."""
        return self.score_rows(user)[rows]

    def quick_scores(self, user: User) -> FloatArray:
        """As `score_rows`, and nearly right where a model `shortlists`."""
        return self._quick_scores(user) if self.shortlists else self.score_rows(user)

    def scores_at(self, user: User, rows: IndexArray) -> FloatArray:
        """The scores (n,) of some items for one user, as `score_rows` has them."""
        return self._scores_at(user, rows)


def shortlisted(
    model: Any,
    user: User,
    allowed: Mask,
    k: int,
    order: Callable[[FloatArray, Mask, bool], FloatArray],
) -> tuple[FloatArray, Mask]:
    """Scores (n_items,) of which some are exact, and the mask (n_items,) of these.

    Args:
        model: A model that `shortlists`.
        user: Whose scores they are.
        allowed: Mask (n_items,) of the items that the list may hold.
        k: Its length.
        order: What a list is ordered by, (n_items,), made of scores (n_items,), for some items, a
            mask (n_items,), and of quick errors, or not.
    """
    size = max(MIN_SHORTLIST, SHORTLIST_PER_PLACE * k)
    if len(allowed) <= size:
        return model.score_rows(user), allowed
    scores = model._quick_scores(user)
    rows = top_k(order(scores, allowed, True), allowed, size)
    scores[rows] = model._scores_at(user, rows)
    exact = np.zeros(len(scores), dtype=bool)
    exact[rows] = True
    return scores, exact
