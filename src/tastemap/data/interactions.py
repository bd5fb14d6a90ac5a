"""``Interactions``: who viewed, played or bought what, without a rating."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import polars as pl

from tastemap.arrays import F32, I32, I64, FloatArray, IndexArray, Mask
from tastemap.data.feedback import Feedback, Source, pair_numbers
from tastemap.data.frame_columns import check_columns, order_columns, to_array
from tastemap.data.vocabulary import Vocabulary, numbered
from tastemap.errors import DataError


@dataclass(frozen=True, eq=False)
class Interactions(Feedback):
    """Interactions of users with items: views, plays, purchases, likes.

    An interaction says that a user chose an item, and its weight how strongly; that of a dislike is
    below 0. A user may have several interactions with an item, in their order; `likes` adds them
    up. They are made by `tastemap.read_interactions`, by `Interactions.from_frame`, or from ratings
    by `Ratings.likes`. Models that rank learn from them: `docs/interactions.md` has the list.

    Attributes:
        user_index: int32 (n,), row of the user in ``users``.
        item_index: int32 (n,), row of the item in ``items``.
        weight: float32 (n,): 1 where nothing else is known, else a count, an amount, or the weight
            of a kind of event.
        timestamp: int64 (n,), seconds since 1970, or None.
        users, items: The vocabularies, with the tables of users and items.
        source: The name of the data and the notes made while reading it.
        position: int32 (n,), the order of a user's interactions where times are missing or equal,
            or None.

    Example:
        >>> frame = pl.DataFrame({"user_id": ["ann", "ann", "bo"], "item_id": [7, 8, 7]})
        >>> Interactions.from_frame(frame)
        Interactions(interactions: 3 interactions, 2 users, 2 items)
    """

    user_index: IndexArray
    item_index: IndexArray
    weight: F32
    timestamp: I64 | None
    users: Vocabulary
    items: Vocabulary
    source: Source = field(default_factory=lambda: Source("interactions"))
    position: I32 | None = None

    value_name: ClassVar[str] = "weight"
    noun: ClassVar[str] = "interactions"

    @classmethod
    def from_frame(
        cls,
        frame: pl.DataFrame,
        *,
        item_table: pl.DataFrame | None = None,
        user_table: pl.DataFrame | None = None,
        source: Source | None = None,
        untouched: bool = False,
    ) -> "Interactions":
        """Interactions from a frame with columns ``user_id, item_id`` and maybe others.

        Args:
            frame: One row an interaction. Ids are integers or text; ``weight``, if there, is a
                finite number; ``timestamp`` is in whole seconds since 1970, and ``position`` the
                order of a user's interactions where times are missing or equal.
            item_table, user_table: Columns that describe each id.
            source: Name of the data and notes made so far.
            untouched: Keep the items of ``item_table`` that nobody has touched, in rows behind the
                others. By default they are left out.

        Raises:
            DataError: If a column is missing, a value is missing or not finite, all weights are 0,
                or no row is left.
        """
        check_columns(frame, "weight", is_needed=False)
        user_ids, user_index = numbered(frame["user_id"])
        item_ids, item_index = numbered(frame["item_id"])
        weight = np.ones(len(frame), dtype=np.float32)
        if "weight" in frame.columns:
            weight = to_array(frame["weight"].cast(pl.Float32))
        if not weight.any():
            raise DataError(
                "column weight",
                expected="a weight that is not 0 for some interaction",
                received="0 for all",
                do="leave the column out: each interaction then weighs 1",
            )
        timestamp, position = order_columns(frame)
        users = Vocabulary(user_ids, "user", user_table)
        items = Vocabulary(item_ids, "item", item_table)
        if untouched and item_table is not None:
            items = items.extended(Vocabulary(item_table["item_id"], "item", item_table))
        source = source or Source("interactions")
        return cls(user_index, item_index, weight, timestamp, users, items, source, position)

    def __repr__(self) -> str:
        return (
            f"Interactions({self.source.name}: {len(self):,} interactions, {self.n_users:,} users, "
            f"{self.n_items:,} items)"
        )

    def liked(self, values: FloatArray, threshold: float | None = None) -> Mask:
        """Whether weights (n,) are above 0, or reach the threshold where there is one."""
        weights = np.asarray(values)
        return weights > 0 if threshold is None else weights >= threshold

    def likes(self, threshold: float | None = None) -> "Interactions":
        """The pairs of user and item with a sum of weights above 0, each once, with that sum.

        Args:
            threshold: Lowest sum that counts, or None for all above 0.

        Example:
            >>> frame = pl.DataFrame({"user_id": 1, "item_id": [7, 8, 7], "weight": [2, -1, 3]})
            >>> Interactions.from_frame(frame).likes().to_frame().rows()
            [(1, 7, 5.0)]
        """
        sums = self.summed()
        return sums.take(sums.liked(sums.weight, threshold))

    def summed(self) -> "Interactions":
        """Each pair of user and item once, with the sum of its weights and its last row's time.

        The pairs stand where their last rows stood; the last row of a pair is the newest, where
        times or positions are known, else the last in the table.
        """
        pairs = pair_numbers(self.user_index, self.item_index, self.n_items)
        has_order = self.timestamp is not None or self.position is not None
        order = self.in_order if has_order else np.arange(len(self))
        is_last = np.empty(len(self), dtype=bool)
        is_last[order] = pl.Series(pairs[order]).is_last_distinct().to_numpy()
        if is_last.all():
            return self
        rows = np.flatnonzero(is_last)
        distinct, place = np.unique(pairs, return_inverse=True)
        sums = np.bincount(place, self.weight, minlength=len(distinct))
        weight = sums[np.searchsorted(distinct, pairs[rows])].astype(np.float32)
        return replace(self.take(rows), weight=weight)

    @cached_property
    def median_weight(self) -> float:
        """The median of the weights above 0: that of an item which is named without a weight."""
        weights = self.weight[self.weight > 0]
        return float(np.median(weights)) if len(weights) else 1.0

    def _combined(self, rows: "Interactions", other: "Interactions") -> "Interactions":
        """All interactions of both tables."""
        return rows
