"""``ServedUser``: whom an answer is for, as the model describes them."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tastemap.arrays import F32, IndexArray
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.user import NO_ITEMS, User
from tastemap.serve.schemas import Source


def no_items() -> IndexArray:
    """Rows of no items."""
    return NO_ITEMS


@dataclass(frozen=True, eq=False)
class ServedUser:
    """Whom an answer is for, and where the answer comes from.

    Attributes:
        user: The user as the model describes them; without description where ``source`` is
            ``"popular"``.
        source: Where answers for the user come from.
        gap: Seconds since the user's latest interaction, for models that look at time; None where
            nobody has said.
        later: Rows of what the user wants to see later, (n,); lists leave it out.
        unwanted: Rows of what the user is not interested in, (n,); lists leave it out, too.
        unseen: Rows of what the user has not seen, (n,); nobody asks for a rating of it again.
    """

    user: User
    source: Source
    gap: float | None = None
    later: IndexArray = field(default_factory=no_items)
    unwanted: IndexArray = field(default_factory=no_items)
    unseen: IndexArray = field(default_factory=no_items)

    @property
    def user_index(self) -> int:
        """Row in the training data where ``source`` is ``"trained"``, else -1."""
        return self.user.user_index

    @property
    def item_index(self) -> IndexArray:
        """Rows of the items that the user rated, the oldest first, (n,)."""
        return self.user.item_index

    @property
    def rating(self) -> F32:
        """The user's ratings, or the weights of their interactions, (n,)."""
        return self.user.rating

    @property
    def set_aside(self) -> IndexArray:
        """Rows of what lists leave out although it is neither rated nor seen, (n,)."""
        return np.concatenate([self.later, self.unwanted])

    @cached_property
    def rating_of(self) -> dict[int, float]:
        """The user's rating, or the sum of the weights, by row of the item."""
        sums: dict[int, float] = {}
        for row, value in zip(self.item_index.tolist(), self.rating.tolist(), strict=True):
            sums[row] = sums.get(row, 0.0) + value
        return sums


def folded_in(
    model: Recommender, item_index: bytes, rating: bytes, seen: bytes = b""
) -> ServedUser:
    """A user from ratings and what was seen, whose bytes are what the user is remembered by."""
    rows, unrated = (np.frombuffer(index, np.int32).copy() for index in (item_index, seen))
    values = np.frombuffer(rating, np.float32).copy()
    return ServedUser(model.fold_in_rows(rows, values, unrated), "folded_in")
