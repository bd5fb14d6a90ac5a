"""``Ratings``: a table of ratings in memory, immutable, in columns."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import polars as pl

from tastemap.arrays import F32, I32, I64, FloatArray, IndexArray, Mask
from tastemap.data.chunks import chunks
from tastemap.data.feedback import Feedback, Source, pair_numbers
from tastemap.data.frame_columns import check_columns, order_columns, to_array
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
        seen: What was seen without a rating, each pair once, in the same vocabularies; or None. No
            pair in it is rated in the table that it was given to. Parts of the table keep it whole:
            it is known when a model learns, and does not say which other pairs a test holds.

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
    seen: Interactions | None = None

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
        seen: pl.DataFrame | None = None,
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
            seen: What was seen without a rating: ``user_id, item_id`` and maybe ``timestamp``, ids
                of the same types. Their users and items are in the vocabularies, too.

        Raises:
            DataError: If a column is missing, a value is missing or not finite, or no row is left.
        """
        check_columns(frame, "rating", is_needed=True)
        if seen is not None and len(seen):
            check_columns(seen, "weight", is_needed=False)
        else:
            seen = None
        with ThreadPoolExecutor() as pool:  # NumPy and Polars release the interpreter meanwhile
            ids = [_with_more(frame, seen, name) for name in ("user_id", "item_id")]
            numbering = pool.map(numbered, ids)
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
        source, n = replace(source, notes=tuple(notes)), len(frame)
        ratings = cls(
            user_index[:n], item_index[:n], rating, timestamp, users, items, scale, source, position
        )
        if seen is None:
            return ratings
        times, places = order_columns(seen)
        weight = np.ones(len(seen), dtype=np.float32)
        return ratings.with_seen(
            Interactions(
                user_index[n:], item_index[n:], weight, times, users, items, source, places
            )
        )

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

    def with_seen(self, seen: Interactions) -> "Ratings":
        """These ratings, beside what was seen without one.

        Users and items that were only seen get the next row numbers. Pairs that are rated here are
        left out of what was seen, and what was seen before stays. It is not looked at which pairs
        are rated elsewhere: to learn from the fact that a test pair was seen is a choice of the
        caller's.

        Args:
            seen: What was seen; of a pair that comes several times, the last.

        Example:
            >>> frame = pl.DataFrame({"user_id": [1, 2], "item_id": [7, 8], "rating": [5, 3]})
            >>> seen = Interactions.from_frame(pl.DataFrame({"user_id": [1, 1], "item_id": [7, 9]}))
            >>> ratings = Ratings.from_frame(frame).with_seen(seen)
            >>> ratings.seen.to_frame().select("user_id", "item_id").rows(), ratings.n_items
            ([(1, 9)], 3)
        """
        users, items = self.users, self.items
        if seen.users is not users or seen.items is not items:
            users, items = users.extended(seen.users), items.extended(seen.items)
            seen = replace(
                seen,
                user_index=users.index(seen.users.ids)[seen.user_index],
                item_index=items.index(seen.items.ids)[seen.item_index],
                users=users,
                items=items,
            )
        if self.seen is not None:
            seen = self.seen.replaced(users=users, items=items).merged_with(seen)
        seen = seen.replaced(users=users, items=items).summed()
        rated = pair_numbers(self.user_index, self.item_index, len(items))
        pairs = pair_numbers(seen.user_index, seen.item_index, len(items))
        seen = seen.take(~np.isin(pairs, rated))
        return replace(self, users=users, items=items, seen=seen if len(seen) else None)

    def blind_to(self, test: Feedback) -> "Ratings":
        """The same, where no pair of a test is among what was seen: a test would give it away."""
        seen = self.seen
        if seen is None:
            return self
        users = self.users.index(test.users.ids, missing="negative")[test.user_index]
        items = self.items.index(test.items.ids, missing="negative")[test.item_index]
        is_here = (users >= 0) & (items >= 0)
        hidden = pair_numbers(users[is_here], items[is_here], self.n_items)
        pairs = pair_numbers(seen.user_index, seen.item_index, self.n_items)
        seen = seen.take(~np.isin(pairs, hidden))
        return replace(self, seen=seen if len(seen) else None)

    @cached_property
    def touched(self) -> Feedback:
        """Every pair that was rated or seen; the ratings themselves where nothing else was seen."""
        seen = self.seen
        if seen is None:
            return self
        rows = (self.user_index, seen.user_index), (self.item_index, seen.item_index)
        users, items = (np.concatenate(pair) for pair in rows)
        weight = np.ones(len(users), dtype=np.float32)
        return Interactions(users, items, weight, None, self.users, self.items, self.source)

    def with_items(self, items: Vocabulary) -> Self:
        """As in the base class; what was seen has the same items."""
        ratings = super().with_items(items)
        if self.seen is not None and ratings is not self:
            vars(ratings)["seen"] = self.seen.with_items(items)
        return ratings

    def fingerprint(self) -> str:
        """As in the base class, with what was seen, if anything was."""
        digest = super().fingerprint()
        if self.seen is None:
            return digest
        return hashlib.sha256((digest + self.seen.fingerprint()).encode()).hexdigest()

    def rated_items(self, user_id: Id) -> pl.DataFrame:
        """The ratings of one user with titles; the newest first where the order is known."""
        return self.items_of(user_id)

    def _combined(self, rows: "Ratings", other: "Ratings") -> "Ratings":
        """Of a pair in both tables the other's rating, on a scale that holds all ratings."""
        pair = pl.Series(pair_numbers(rows.user_index, rows.item_index, rows.n_items))
        newer = replace(rows, scale=self.scale.union(other.scale), seen=None)
        newer = newer.take(pair.is_last_distinct().to_numpy())
        for seen in (self.seen, other.seen):
            newer = newer if seen is None else newer.with_seen(seen)
        return newer


def _with_more(frame: pl.DataFrame, more: pl.DataFrame | None, name: str) -> pl.Series:
    """A column of ids of a frame, and then of another, which has ids of the same type."""
    ids = frame[name]
    return ids if more is None else pl.concat([ids, more[name].cast(ids.dtype)])
