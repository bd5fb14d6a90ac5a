"""``Feedback``: who did what with which item, the part that ratings and interactions share."""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import F32, I32, I64, AnyArray, FloatArray, IndexArray, Mask
from tastemap.data.vocabulary import Id, Vocabulary
from tastemap.errors import DataError
from tastemap.support.counts import counted, percentage

if TYPE_CHECKING:
    from tastemap.data.interactions import Interactions


@dataclass(frozen=True)
class Groups:
    """Row numbers of a ratings table grouped by user or by item (compressed sparse rows).

    Attributes:
        indptr: int64 (n + 1,); group ``g`` is ``indices[indptr[g]:indptr[g + 1]]``.
        indices: int64 (n_ratings,); row numbers, in table order within each group; int32 once they
            are `narrowed`.
    """

    indptr: I64
    indices: I64

    @classmethod
    def of(cls, index: IndexArray, n: int) -> "Groups":
        """Group the rows of a column of row numbers that lie in ``range(n)``."""
        indptr = np.concatenate([[0], np.cumsum(np.bincount(index, minlength=n))]).astype(np.int64)
        # NumPy sorts numbers of 16 bits by radix, in linear time.
        keys = index.astype(np.uint16) if n <= 2**16 else index
        return cls(indptr, np.argsort(keys, kind="stable").astype(np.int64))

    def narrowed(self) -> "Groups":
        """The same in half the memory, unless they lie in a file or need more than int32."""
        if len(self.indices) > np.iinfo(np.int32).max or not self.indices.flags.owndata:
            return self
        narrow: Any = self.indices.astype(np.int32)
        return Groups(self.indptr, narrow)

    def __getitem__(self, group: int) -> I64:
        return self.indices[self.indptr[group] : self.indptr[group + 1]]

    def fits(self, n_groups: int, n_rows: int) -> bool:
        """Whether these are ``n_groups`` groups of a table of ``n_rows`` rows."""
        indptr, indices = self.indptr, self.indices
        if indptr.shape != (n_groups + 1,) or indices.shape != (n_rows,):
            return False
        if indptr[0] != 0 or indptr[-1] != n_rows or (np.diff(indptr) < 0).any():
            return False
        return not n_rows or bool(0 <= indices.min() <= indices.max() < n_rows)

    @property
    def counts(self) -> I64:
        """Number of rows in each group, (n,)."""
        return np.diff(self.indptr)


@dataclass(frozen=True)
class TiedTimes:
    """Rows of equal times that a split had to part by a draw.

    Attributes:
        n_rows, n: How many rows of how many have a time that both parts have.
        n_users, n_of_users: For how many users of how many with two rows the draw decided, where
            each user's rows are split by themselves; else None.
        noun: What a row is, in the plural.
    """

    n_rows: int
    n: int
    n_users: int | None
    n_of_users: int | None
    noun: str

    @property
    def note(self) -> str:
        """These facts in a sentence.

        Example:
            >>> TiedTimes(6, 60, 2, 4, "ratings").note.split(", ")[1]
            'for 2 of 4 users (50.0 %); drawn by seed'
        """
        note = (
            f"split by time: {self.n_rows:,} of {self.n:,} {self.noun}"
            f" ({percentage(self.n_rows / self.n)}) have a time of both parts"
        )
        if self.n_users is not None and self.n_of_users:
            share = percentage(self.n_users / self.n_of_users)
            note += f", for {self.n_users:,} of {counted(self.n_of_users, 'user')} ({share})"
        return f"{note}; drawn by seed"


@dataclass(frozen=True)
class Source:
    """Where ratings come from.

    Attributes:
        name: What the data is called.
        notes: What was inferred or changed when reading it.
        merged: Which of the ratings came from a store of people's ratings, by ``tastemap update``;
            None where none ever did. Frame ``store, number, user_id, item_id, kind``, one row a
            rating: the identity of the store, the number of the profile in it, and whether the
            user id is one of the data (``"training"``), of the API (``"api"``), or made up for a
            profile without one (``"alias"``).
        noun: What an item is called, in the singular: film, book; "" where nothing says it.
        ties: What the last split by time had to draw; ``notes`` says it, too. None for nothing.
    """

    name: str = "ratings"
    notes: tuple[str, ...] = ()
    merged: pl.DataFrame | None = field(default=None, repr=False, compare=False)
    noun: str = ""
    ties: TiedTimes | None = field(default=None, repr=False, compare=False)

    def without(self, pairs: pl.DataFrame) -> "Source":
        """The source once the ratings of these pairs, ``user_id, item_id``, come from elsewhere."""
        if self.merged is None:
            return self
        merged = self.merged.join(pairs, on=["user_id", "item_id"], how="anti")
        return replace(self, merged=merged)

    def split(self, ties: TiedTimes | None) -> "Source":
        """The source of the parts of a split, with the note on its ties, and of no split before."""
        notes = [note for note in self.notes if self.ties is None or note != self.ties.note]
        if ties is not None:
            notes.append(ties.note)
        return replace(self, notes=tuple(notes), ties=ties)


class Feedback(ABC):
    """Rows of a user, an item and a value, with the vocabularies of both; it cannot be changed.

    `Ratings` is feedback whose value is a rating on a scale, `Interactions` is feedback whose value
    is a weight. Both are frozen dataclasses with the attributes below. Parts of a table keep its
    vocabularies.

    Attributes:
        user_index: int32 (n,), row of the user in ``users``.
        item_index: int32 (n,), row of the item in ``items``.
        timestamp: int64 (n,), seconds since 1970, or None.
        position: int32 (n,), the order of a user's rows where times are missing or equal, or None.
        users, items: The vocabularies, with the tables of users and items.
        source: The name of the data and the notes made while reading it.
        value_name: The attribute that holds the value of each row.
        noun: What a row is, in messages; in the plural.
    """

    user_index: IndexArray
    item_index: IndexArray
    timestamp: I64 | None
    position: I32 | None
    users: Vocabulary
    items: Vocabulary
    source: Source

    value_name: ClassVar[str]
    noun: ClassVar[str]

    def __post_init__(self) -> None:
        for name in self.column_names():
            column = getattr(self, name)
            if column is not None:
                view = column.view()
                view.flags.writeable = False
                object.__setattr__(self, name, view)

    @classmethod
    def column_names(cls) -> tuple[str, ...]:
        """The attributes that have an element for each row."""
        return ("user_index", "item_index", cls.value_name, "timestamp", "position")

    def __len__(self) -> int:
        return len(self.user_index)

    # ---- what the two kinds of feedback answer differently ----

    @abstractmethod
    def liked(self, values: FloatArray, threshold: float | None = None) -> Mask:
        """Whether each value (n,) says that the item is liked."""

    @abstractmethod
    def likes(self, threshold: float | None = None) -> "Interactions":
        """What is liked: each pair of user and item once, with a weight above 0."""

    @abstractmethod
    def _combined(self, rows: Self, other: Self) -> Self:
        """The rows of two tables in one, where a pair of user and item may be in both."""

    # ---- what they share ----

    @property
    def values(self) -> F32:
        """The value of each row, (n,): its rating, or its weight."""
        values: F32 = getattr(self, self.value_name)
        return values

    @property
    def touched(self) -> "Feedback":
        """Every pair of a user and an item that is known, with a value or without one."""
        return self

    @property
    def is_mapped(self) -> bool:
        """Whether the columns lie in a file, which may be larger than the memory."""
        column: Any = self.values
        while column is not None and not isinstance(column, np.memmap):
            column = getattr(column, "base", None)
        return column is not None

    @property
    def n_users(self) -> int:
        """Number of users in the vocabulary."""
        return len(self.users)

    @property
    def n_items(self) -> int:
        """Number of items in the vocabulary."""
        return len(self.items)

    @property
    def item_table(self) -> pl.DataFrame | None:
        """The table of items, one row an item in row order, or None."""
        return self.items.table

    @property
    def user_table(self) -> pl.DataFrame | None:
        """The table of users, one row a user in row order, or None."""
        return self.users.table

    @cached_property
    def by_user(self) -> Groups:
        """Row numbers of the table of each user."""
        return Groups.of(self.user_index, self.n_users)

    @cached_property
    def by_item(self) -> Groups:
        """Row numbers of the table of each item."""
        return Groups.of(self.item_index, self.n_items)

    def narrow(self) -> None:
        """Hold the groups in half the memory, for a process that answers and does not fit.

        Compiled routines of the fits would be compiled anew for such groups.
        """
        vars(self).update(by_user=self.by_user.narrowed(), by_item=self.by_item.narrowed())

    @cached_property
    def in_order(self) -> I64:
        """Row numbers (n,) user by user, each user's oldest row first.

        Rows of equal times follow their positions, and rows of equal positions the table.

        Raises:
            DataError: If neither times nor positions are known.
        """
        if self.timestamp is None and self.position is None:
            raise DataError(
                "order of the rows",
                expected="times or positions",
                received="neither",
                do="name the column of the times when reading: timestamp=...",
            )
        keys = (self.position, self.timestamp, self.user_index)
        return np.lexsort([key for key in keys if key is not None])

    def take(self, rows: npt.NDArray[np.integer[Any]] | Mask) -> Self:
        """The rows given by their numbers or a mask, in that order; vocabularies stay."""
        columns = {name: getattr(self, name) for name in self.column_names()}
        parts = {name: None if c is None else c[rows] for name, c in columns.items()}
        return self.replaced(**parts)

    def replaced(self, **attributes: Any) -> Self:
        """The same with other attributes."""
        return replace(self, **attributes)  # type: ignore[type-var]  # both kinds are dataclasses

    def with_items(self, items: Vocabulary) -> Self:
        """The same rows with other items, whose first ids are those of this table."""
        if items is self.items:
            return self
        data = self.replaced(items=items)
        learnt = {name: value for name, value in vars(self).items() if name not in vars(data)}
        learnt.pop("touched", None)  # a table of its own, with the items of before
        if (groups := learnt.get("by_item")) is not None:
            behind = np.full(len(items) - self.n_items, len(self), dtype=np.int64)
            learnt["by_item"] = Groups(np.append(groups.indptr, behind), groups.indices)
        vars(data).update(learnt)
        return data

    def to_frame(self) -> pl.DataFrame:
        """A frame with the raw ids: ``user_id, item_id``, the value, times and positions if any."""
        columns: dict[str, Any] = {
            "user_id": self.users.ids_at(self.user_index),
            "item_id": self.items.ids_at(self.item_index),
        }
        rest = {name: getattr(self, name) for name in self.column_names()[2:]}
        return pl.DataFrame(columns | {name: c for name, c in rest.items() if c is not None})

    def merged_with(self, other: Self) -> Self:
        """These rows and others. Users and items keep their row numbers; new ones get the next.

        Of a pair of user and item that is rated in both, the other's rating stays; interactions
        are all kept. Times stay if both tables have some; positions too, and those of the other
        table come after those of the user in this one.
        """
        users, items = self.users.extended(other.users), self.items.extended(other.items)
        user_rows, item_rows = users.index(other.users.ids), items.index(other.items.ids)
        user_index = np.concatenate([self.user_index, user_rows[other.user_index]])
        position = None
        if self.position is not None and other.position is not None:
            after = np.zeros(len(users), dtype=np.int32)
            np.maximum.at(after, self.user_index, self.position + np.int32(1))
            later = other.position + after[user_index[len(self) :]]
            position = np.concatenate([self.position, later])
        joined = {
            "user_index": user_index,
            "item_index": np.concatenate([self.item_index, item_rows[other.item_index]]),
            self.value_name: np.concatenate([self.values, other.values]),
            "timestamp": _joined(self.timestamp, other.timestamp),
            "position": position,
        }
        pairs = {
            "user_id": users.ids_at(user_rows[other.user_index]),
            "item_id": items.ids_at(item_rows[other.item_index]),
        }
        source = self.source.without(pl.DataFrame(pairs))
        rows = self.replaced(**joined, users=users, items=items, source=source)
        return self._combined(rows, other)

    def items_of(self, user_id: Id) -> pl.DataFrame:
        """The rows of one user with titles; the newest first where the order is known."""
        rows = self.by_user[self.users.index_of(user_id)]
        for key in (self.position, self.timestamp):
            if key is not None:
                rows = rows[np.argsort(-key[rows], kind="stable")]
        part = self.take(rows)
        titles = self.items.titles.gather(part.item_index)
        return part.to_frame().drop("user_id").insert_column(1, titles)

    def fingerprint(self) -> str:
        """SHA-256 of ids and columns: equal for equal rows in equal order, on any machine."""
        digest = hashlib.sha256()
        for vocabulary in (self.users, self.items):
            digest.update("\x1f".join(map(str, vocabulary)).encode())
        for name in self.column_names():
            column = getattr(self, name)
            if column is not None:
                digest.update(np.ascontiguousarray(column).data)
        return digest.hexdigest()


def pair_numbers(user_index: IndexArray, item_index: IndexArray, n_items: int) -> I64:
    """A number (n,) for each row that is the same for the same user and item alone."""
    return user_index.astype(np.int64) * n_items + item_index


def _joined(column: AnyArray | None, other: AnyArray | None) -> AnyArray | None:
    """Two columns in one, or None if one of them is missing."""
    return None if column is None or other is None else np.concatenate([column, other])
