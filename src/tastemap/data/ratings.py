"""``Ratings``: a table of ratings in memory, immutable, in columns."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import IndexArray
from tastemap.data.chunks import pieces
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Id, Vocabulary, joined, numbered
from tastemap.errors import DataError


@dataclass(frozen=True)
class Groups:
    """Row numbers of a ratings table grouped by user or by item (compressed sparse rows).

    Attributes:
        indptr: int64 (n + 1,); group ``g`` owns ``indices[indptr[g]:indptr[g + 1]]``.
        indices: int64 (n_ratings,); row numbers, in table order within each group.
    """

    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]

    @classmethod
    def of(cls, index: IndexArray, n: int) -> "Groups":
        """Group the rows of a column of row numbers that lie in ``range(n)``."""
        counts = np.bincount(index, minlength=n)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        # NumPy sorts numbers of 16 bits by their digits, in a time that grows with their number.
        keys = index.astype(np.uint16) if n <= 2**16 else index
        return cls(indptr, np.argsort(keys, kind="stable").astype(np.int64))

    def __getitem__(self, group: int) -> npt.NDArray[np.int64]:
        return self.indices[self.indptr[group] : self.indptr[group + 1]]

    def fits(self, n_groups: int, n_rows: int) -> bool:
        """Whether these are groups of a table: none leads outside of it."""
        indptr, indices = self.indptr, self.indices
        if indptr.shape != (n_groups + 1,) or indices.shape != (n_rows,):
            return False
        if indptr[0] != 0 or indptr[-1] != n_rows or (np.diff(indptr) < 0).any():
            return False
        return not n_rows or bool(0 <= indices.min() <= indices.max() < n_rows)

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Number of rows in each group, (n,)."""
        return np.diff(self.indptr)


@dataclass(frozen=True)
class Source:
    """Where ratings come from: a name, and what was inferred or changed when reading them."""

    name: str = "ratings"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings of items by users: three or four columns of equal length, and their vocabularies.

    Made by `tastemap.load_dataset`, `tastemap.read_ratings` or `Ratings.from_frame`; parts of it
    by the splits and by `take`, which keep the vocabularies and the scale of the whole.

    Attributes:
        user_index: int32 (n,), row of the user in ``users``.
        item_index: int32 (n,), row of the item in ``items``.
        rating: float32 (n,), on the scale.
        timestamp: int64 (n,), seconds since 1970, or None.
        users, items: The vocabularies, with the tables of what is known about each id.
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
    rating: npt.NDArray[np.float32]
    timestamp: npt.NDArray[np.int64] | None
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
            item_table, user_table: What is known about each id; rows of ids that have no rating
                are left out and counted in ``source.notes``.
            source: Name and notes to carry along.

        Raises:
            DataError: If a column is missing, a value is missing or not finite, or no row is left.
        """
        _check_columns(frame)
        timestamp = None
        with ThreadPoolExecutor() as pool:  # NumPy lets go of the interpreter meanwhile
            numbering = [pool.submit(numbered, frame[key]) for key in ("user_id", "item_id")]
            rating = joined(frame["rating"].cast(pl.Float32))
            scale = Scale.infer(rating)
            if "timestamp" in frame.columns:
                timestamp = joined(frame["timestamp"].cast(pl.Int64))
            (user_ids, user_index), (item_ids, item_index) = (one.result() for one in numbering)
        users = Vocabulary(user_ids, "user", user_table)
        items = Vocabulary(item_ids, "item", item_table)
        source = source or Source()
        notes = list(source.notes)
        for vocabulary, table in ((users, user_table), (items, item_table)):
            if table is None:
                continue
            unrated = int((vocabulary.index(table[vocabulary.key], missing="negative") < 0).sum())
            if unrated:
                notes.append(
                    f"{unrated} {vocabulary.kind}s of the {vocabulary.kind} table"
                    " have no rating and are left out"
                )
        return cls(
            user_index=user_index,
            item_index=item_index,
            rating=rating,
            timestamp=timestamp,
            users=users,
            items=items,
            scale=scale,
            source=replace(source, notes=tuple(notes)),
        )

    def __len__(self) -> int:
        return len(self.rating)

    def __repr__(self) -> str:
        return (
            f"Ratings({self.source.name}: {len(self):,} ratings, {self.n_users:,} users, "
            f"{self.n_items:,} items, {self.scale})"
        )

    @property
    def is_mapped(self) -> bool:
        """Whether the columns lie in a file, and may be more than memory holds."""
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
        """What is known about each item, one row an item in row order, or None."""
        return self.items.table

    @property
    def user_table(self) -> pl.DataFrame | None:
        """What is known about each user, one row a user in row order, or None."""
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
    def self_information(self) -> tuple[npt.NDArray[np.float64], float]:
        """How little known each item is (n_items,), in bits less the mean, and the deviation.

        It is -log2 of the item's share of the ratings, where each item has one rating more.
        """
        counts = self.by_item.counts.astype(float)
        information = -np.log2((counts + 1) / (counts.sum() + len(counts)))
        return information - information.mean(), float(information.std())

    @cached_property
    def global_mean(self) -> float:
        """Mean of all ratings."""
        return float(self.rating.mean(dtype=np.float64))

    @cached_property
    def deviation(self) -> float:
        """Standard deviation of all ratings, in whose units models err; 1 where all are equal."""
        squares = 0.0
        for rows in pieces(len(self)):
            apart = self.rating[rows].astype(np.float64) - self.global_mean
            # Not a product of BLAS, whose digits depend on the number of its threads.
            squares += float(np.square(apart).sum())
        return float(np.sqrt(squares / len(self))) or 1.0

    def take(self, rows: npt.NDArray[np.integer[Any]] | npt.NDArray[np.bool_]) -> "Ratings":
        """The ratings at ``rows`` (row numbers or a mask), in that order; vocabularies stay."""
        return replace(
            self,
            user_index=self.user_index[rows],
            item_index=self.item_index[rows],
            rating=self.rating[rows],
            timestamp=None if self.timestamp is None else self.timestamp[rows],
        )

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
        """These ratings and others; where both have a pair of user and item, the other's wins.

        Rows of users and items keep their numbers; new ids are added behind them.
        """
        users, items = self.users.extended(other.users), self.items.extended(other.items)
        others = (users.index(other.users.ids), items.index(other.items.ids))
        user_index = np.concatenate([self.user_index, others[0][other.user_index]])
        item_index = np.concatenate([self.item_index, others[1][other.item_index]])
        pair = pl.Series(user_index.astype(np.int64) * len(items) + item_index)
        kept = pair.is_last_distinct().to_numpy()
        timestamp = None
        if self.timestamp is not None and other.timestamp is not None:
            timestamp = np.concatenate([self.timestamp, other.timestamp])[kept]
        return replace(
            self,
            user_index=user_index[kept],
            item_index=item_index[kept],
            rating=np.concatenate([self.rating, other.rating])[kept],
            timestamp=timestamp,
            users=users,
            items=items,
            scale=self.scale.union(other.scale),
        )

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
    """Refuse a frame that cannot be ratings, with the first thing that is wrong."""
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
