"""``Ratings``: a table of ratings in memory, immutable, in columns."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import polars as pl

from tastemap.arrays import F32, I32, I64, FloatArray, IndexArray, Mask
from tastemap.data.chunks import chunks
from tastemap.data.feedback import (
    Feedback,
    Source,
    check_columns,
    order_columns,
    pair_numbers,
    to_array,
)
from tastemap.data.interactions import Interactions
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Id, Vocabulary, numbered


@dataclass(frozen=True, eq=False)
class Ratings(Feedback):
    """Ratings of items by users: three or four columns of equal length, and their vocabularies.

    They are made by `tastemap.load_dataset`, `tastemap.read_ratings` or `Ratings.from_frame`. The
    splits and `take` give parts of them, which keep the vocabularies and the scale of the whole.

    Attributes:
        user_index: int32 (n,), row of the user in ``users``.
        item_index: int32 (n,), row of the item in ``items``.
        rating: float32 (n,), on the scale.
        timestamp: int64 (n,), seconds since 1970, or None.
        position: int32 (n,), the order of a user's ratings where times are missing or equal, or
            None.
        users, items: The vocabularies, with the tables of users and items.
        scale: Lowest and highest rating and the step between ratings.
        source: The name of the data and the notes made while reading it.

    Example:
        >>> frame = pl.DataFrame({"user_id": [1, 1, 2], "item_id": [7, 8, 7], "rating": [4, 2, 5]})
        >>> ratings = Ratings.from_frame(frame)
        >>> len(ratings), ratings.n_users, ratings.n_items, str(ratings.scale)
        (3, 2, 2, '2 to 5 in steps of 1')
    """

    user_index: IndexArray
    item_index: IndexArray
    rating: F32
    timestamp: I64 | None
    users: Vocabulary
    items: Vocabulary
    scale: Scale
    source: Source = field(default_factory=Source)
    position: I32 | None = None

    value_name: ClassVar[str] = "rating"
    noun: ClassVar[str] = "ratings"

    @classmethod
    def from_frame(
        cls,
        frame: pl.DataFrame,
        *,
        item_table: pl.DataFrame | None = None,
        user_table: pl.DataFrame | None = None,
        source: Source | None = None,
    ) -> "Ratings":
        """Ratings from a frame with columns ``user_id, item_id, rating``.

        Args:
            frame: One row a rating. Ids are integers or text; ``rating`` is a finite number;
                ``timestamp``, if there, is in whole seconds since 1970, and ``position`` the
                order of a user's ratings where times are missing or equal.
            item_table, user_table: Columns that describe each id. ``source.notes`` counts the rows
                of ids without a rating. Such items have no row number, but models take them from
                ``items.untouched`` once they are fitted; such users are left out.
            source: Name of the data and notes made so far.

        Raises:
            DataError: If a column is missing, a value is missing or not finite, or no row is left.
        """
        check_columns(frame, "rating", is_needed=True)
        with ThreadPoolExecutor() as pool:  # NumPy and Polars release the interpreter meanwhile
            numbering = pool.map(numbered, (frame["user_id"], frame["item_id"]))
            rating = to_array(frame["rating"].cast(pl.Float32))
            scale = Scale.infer(rating)
            timestamp, position = order_columns(frame)
            (user_ids, user_index), (item_ids, item_index) = numbering
        users = Vocabulary(user_ids, "user", user_table)
        items = Vocabulary(item_ids, "item", item_table)
        source = source or Source()
        notes = list(source.notes)
        for vocabulary, table in ((users, user_table), (items, item_table)):
            if table is None:
                continue
            rows = vocabulary.index(table[vocabulary.key], missing="negative")
            if unrated := int((rows < 0).sum()):
                is_item = vocabulary.kind == "item"
                notes.append(
                    f"{unrated} {vocabulary.kind}s of the {vocabulary.kind} table have no rating"
                    + (": they come into lists where asked for" if is_item else " and are left out")
                )
        source = replace(source, notes=tuple(notes))
        return cls(user_index, item_index, rating, timestamp, users, items, scale, source, position)

    def __repr__(self) -> str:
        return (
            f"Ratings({self.source.name}: {len(self):,} ratings, {self.n_users:,} users, "
            f"{self.n_items:,} items, {self.scale})"
        )

    @cached_property
    def global_mean(self) -> float:
        """Mean of all ratings."""
        return float(self.rating.mean(dtype=np.float64))

    @cached_property
    def deviation(self) -> float:
        """Standard deviation of all ratings; 1 where all ratings are equal."""
        squares = 0.0
        for rows in chunks(len(self)):
            difference = self.rating[rows].astype(np.float64) - self.global_mean
            # Not a product of BLAS, whose digits depend on the number of its threads.
            squares += float(np.square(difference).sum())
        return float(np.sqrt(squares / len(self))) or 1.0

    def liked(self, values: FloatArray, threshold: float | None = None) -> Mask:
        """Whether ratings (n,) are high enough for their items to be liked: `Scale.liked_from`."""
        return self.scale.liked(values, threshold)

    def likes(self, threshold: float | None = None) -> Interactions:
        """The items that are liked, each with the weight 1; see `Scale.liked_from`.

        Args:
            threshold: Lowest rating of what is liked, or None for the upper quarter of the scale.

        Example:
            >>> frame = pl.DataFrame({"user_id": 1, "item_id": [7, 8, 9], "rating": [1, 4, 5]})
            >>> Ratings.from_frame(frame).likes().to_frame().rows()
            [(1, 8, 1.0), (1, 9, 1.0)]
        """
        rows = self.liked(self.rating, threshold)
        return Interactions(
            user_index=self.user_index[rows],
            item_index=self.item_index[rows],
            weight=np.ones(int(rows.sum()), dtype=np.float32),
            timestamp=None if self.timestamp is None else self.timestamp[rows],
            users=self.users,
            items=self.items,
            source=self.source,
            position=None if self.position is None else self.position[rows],
        )

    def rated_items(self, user_id: Id) -> pl.DataFrame:
        """The ratings of one user with titles; the newest first where the order is known."""
        return self.items_of(user_id)

    def _combined(self, rows: "Ratings", other: "Ratings") -> "Ratings":
        """Of a pair in both tables the other's rating, on a scale that holds all ratings."""
        pair = pl.Series(pair_numbers(rows.user_index, rows.item_index, rows.n_items))
        newer = replace(rows, scale=self.scale.union(other.scale))
        return newer.take(pair.is_last_distinct().to_numpy())
