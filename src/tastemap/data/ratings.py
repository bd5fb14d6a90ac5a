"""``Ratings``: a table of ratings in memory, immutable, in columns."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import F32, I64, AnyArray, IndexArray, Mask
from tastemap.data.chunks import chunks
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Id, Vocabulary, numbered
from tastemap.errors import DataError


@dataclass(frozen=True)
class Groups:
    """Row numbers of a ratings table grouped by user or by item (compressed sparse rows).

    Attributes:
        indptr: int64 (n + 1,); group ``g`` is ``indices[indptr[g]:indptr[g + 1]]``.
        indices: int64 (n_ratings,); row numbers, in table order within each group.
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
    """

    name: str = "ratings"
    notes: tuple[str, ...] = ()
    merged: pl.DataFrame | None = field(default=None, repr=False, compare=False)
    noun: str = ""

    def without(self, pairs: pl.DataFrame) -> "Source":
        """The source once the ratings of these pairs, ``user_id, item_id``, come from elsewhere."""
        if self.merged is None:
            return self
        merged = self.merged.join(pairs, on=["user_id", "item_id"], how="anti")
        return replace(self, merged=merged)


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings of items by users: three or four columns of equal length, and their vocabularies.

    They are made by `tastemap.load_dataset`, `tastemap.read_ratings` or `Ratings.from_frame`. The
    splits and `take` give parts of them, which keep the vocabularies and the scale of the whole.

    Attributes:
        user_index: int32 (n,), row of the user in ``users``.
        item_index: int32 (n,), row of the item in ``items``.
        rating: float32 (n,), on the scale.
        timestamp: int64 (n,), seconds since 1970, or None.
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

    def __post_init__(self) -> None:
        for name in ("user_index", "item_index", "rating", "timestamp"):
            column = getattr(self, name)
            if column is not None:
                view = column.view()
                view.flags.writeable = False
                object.__setattr__(self, name, view)

    @classmethod
    def from_frame(
        cls,
        frame: pl.DataFrame,
        *,
        item_table: pl.DataFrame | None = None,
        user_table: pl.DataFrame | None = None,
        source: Source | None = None,
    ) -> "Ratings":
        """Ratings from a frame with columns ``user_id, item_id, rating`` and maybe ``timestamp``.

        Args:
            frame: One row a rating. Ids are integers or text; ``rating`` is a finite number;
                ``timestamp``, if there, is in whole seconds since 1970.
            item_table, user_table: Columns that describe each id. Rows of ids without a rating are
                left out and counted in ``source.notes``.
            source: Name of the data and notes made so far.

        Raises:
            DataError: If a column is missing, a value is missing or not finite, or no row is left.
        """
        _check_columns(frame)
        timestamp = None
        with ThreadPoolExecutor() as pool:  # NumPy and Polars release the interpreter meanwhile
            numbering = pool.map(numbered, (frame["user_id"], frame["item_id"]))
            rating = _to_array(frame["rating"].cast(pl.Float32))
            scale = Scale.infer(rating)
            if "timestamp" in frame.columns:
                timestamp = _to_array(frame["timestamp"].cast(pl.Int64))
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
                notes.append(
                    f"{unrated} {vocabulary.kind}s of the {vocabulary.kind} table"
                    " have no rating and are left out"
                )
        source = replace(source, notes=tuple(notes))
        return cls(user_index, item_index, rating, timestamp, users, items, scale, source)

    def __len__(self) -> int:
        return len(self.rating)

    def __repr__(self) -> str:
        return (
            f"Ratings({self.source.name}: {len(self):,} ratings, {self.n_users:,} users, "
            f"{self.n_items:,} items, {self.scale})"
        )

    @property
    def is_mapped(self) -> bool:
        """Whether the columns lie in a file, which may be larger than the memory."""
        column: Any = self.rating
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
        """Row numbers of the ratings of each user."""
        return Groups.of(self.user_index, self.n_users)

    @cached_property
    def by_item(self) -> Groups:
        """Row numbers of the ratings of each item."""
        return Groups.of(self.item_index, self.n_items)

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

    def take(self, rows: npt.NDArray[np.integer[Any]] | Mask) -> "Ratings":
        """The ratings at ``rows`` (row numbers or a mask), in that order; vocabularies stay."""
        return replace(
            self,
            user_index=self.user_index[rows],
            item_index=self.item_index[rows],
            rating=self.rating[rows],
            timestamp=None if self.timestamp is None else self.timestamp[rows],
        )

    def likes(self, threshold: float | None = None) -> "Ratings":
        """The ratings of at least ``threshold``, whose items are liked; see `Scale.liked_from`.

        Args:
            threshold: A rating, or None for the upper quarter of the scale.

        Example:
            >>> frame = pl.DataFrame({"user_id": 1, "item_id": [7, 8, 9], "rating": [1, 4, 5]})
            >>> Ratings.from_frame(frame).likes().rating.tolist()
            [4.0, 5.0]
        """
        return self.take(self.scale.liked(self.rating, threshold))

    def to_frame(self) -> pl.DataFrame:
        """A frame with the raw ids: ``user_id, item_id, rating`` and ``timestamp`` if known."""
        columns: dict[str, Any] = {
            "user_id": self.users.ids_at(self.user_index),
            "item_id": self.items.ids_at(self.item_index),
            "rating": self.rating,
        }
        if self.timestamp is not None:
            columns["timestamp"] = self.timestamp
        return pl.DataFrame(columns)

    def merged_with(self, other: "Ratings") -> "Ratings":
        """These ratings and others; of a pair of user and item in both, the other's rating stays.

        Users and items keep their row numbers; new ones get the next numbers.
        """
        users, items = self.users.extended(other.users), self.items.extended(other.items)
        user_rows, item_rows = users.index(other.users.ids), items.index(other.items.ids)
        user_index = np.concatenate([self.user_index, user_rows[other.user_index]])
        item_index = np.concatenate([self.item_index, item_rows[other.item_index]])
        timestamp = None
        if self.timestamp is not None and other.timestamp is not None:
            timestamp = np.concatenate([self.timestamp, other.timestamp])
        pairs = {
            "user_id": users.ids_at(user_rows[other.user_index]),
            "item_id": items.ids_at(item_rows[other.item_index]),
        }
        merged = replace(
            self,
            source=self.source.without(pl.DataFrame(pairs)),
            user_index=user_index,
            item_index=item_index,
            rating=np.concatenate([self.rating, other.rating]),
            timestamp=timestamp,
            users=users,
            items=items,
            scale=self.scale.union(other.scale),
        )
        pair = pl.Series(user_index.astype(np.int64) * len(items) + item_index)
        return merged.take(pair.is_last_distinct().to_numpy())

    def rated_items(self, user_id: Id) -> pl.DataFrame:
        """The ratings of one user, newest first where times are known, with titles."""
        rows = self.by_user[self.users.index_of(user_id)]
        if self.timestamp is not None:
            rows = rows[np.argsort(-self.timestamp[rows], kind="stable")]
        part = self.take(rows)
        titles = self.items.titles.gather(part.item_index)
        return part.to_frame().drop("user_id").insert_column(1, titles)

    def fingerprint(self) -> str:
        """SHA-256 of ids and columns: equal for equal ratings in equal order, on any machine."""
        digest = hashlib.sha256()
        for vocabulary in (self.users, self.items):
            digest.update("\x1f".join(map(str, vocabulary)).encode())
        for column in (self.user_index, self.item_index, self.rating, self.timestamp):
            if column is not None:
                digest.update(np.ascontiguousarray(column).data)
        return digest.hexdigest()


def _check_columns(frame: pl.DataFrame) -> None:
    """Refuse a frame that cannot be ratings: the error names the first fault."""
    missing = [name for name in ("user_id", "item_id", "rating") if name not in frame.columns]
    if missing:
        raise DataError(
            f"column {missing[0]}",
            expected="columns user_id, item_id and rating",
            received=frame.columns,
            do=f"name it: {missing[0].removesuffix('_id')}=...",
        )
    if not len(frame):
        raise DataError("ratings", expected="at least one row", received="an empty table")
    for name in ("user_id", "item_id", "rating", "timestamp"):
        if name in frame.columns and frame[name].null_count():
            row = int(np.argmax(frame[name].is_null().to_numpy()))
            raise DataError(f"row {row + 1}, column {name}", expected="a value", received="nothing")
    if not frame["rating"].dtype.is_numeric():
        raise DataError("column rating", expected="numbers", received=str(frame["rating"].dtype))
    finite = frame["rating"].cast(pl.Float32).is_finite()
    if not finite.all():
        row = int(np.argmin(finite.to_numpy()))
        raise DataError(
            f"row {row + 1}, column rating",
            expected="a finite number",
            received=frame["rating"][row],
        )


def _to_array(column: pl.Series) -> AnyArray:
    """A column of numbers, none missing, as one array that owns its memory."""
    parts = [chunk.to_numpy() for chunk in column.get_chunks()]
    return np.concatenate(parts) if len(parts) > 1 else parts[0].copy()
