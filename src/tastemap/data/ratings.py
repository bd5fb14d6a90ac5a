"""``Ratings``: a table of ratings in memory, immutable, in columns."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.groups import Groups
from tastemap.data.pieces import pieces
from tastemap.data.vocabulary import SLICE, Id, IndexArray, Vocabulary, joined, numbered
from tastemap.errors import DataError

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]

# A scale with more distinct values than this is treated as continuous (no step).
MAX_LEVELS = 101
# The finest step that is looked for.
GRID = 1e-4
# Multiples of it are whole numbers up to here, past which a float64 has no units.
MOST_MULTIPLES = 2**53


@dataclass(frozen=True)
class Scale:
    """The values that a rating can take: from ``lowest`` to ``highest``, in steps of ``step``.

    Attributes:
        lowest, highest: The ends of the scale, both included.
        step: The distance between neighbouring values, or None for a continuous scale.
    """

    lowest: float
    highest: float
    step: float | None = None

    @classmethod
    def infer(cls, rating: FloatArray) -> "Scale":
        """The scale that observed ratings lie on.

        The step is the largest of which every value is a whole number above the lowest, to four
        decimals, if the scale then has at most 101 values; else the scale is continuous.

        Example:
            >>> print(Scale.infer(np.array([0.5, 5.0, 3.0, 3.5])))
            0.5 to 5 in steps of 0.5
        """
        values = _distinct(np.asarray(rating)).astype(np.float64)
        if not len(values):
            raise DataError("ratings", expected="at least one rating", received="none")
        lowest, highest = float(values[0]), float(values[-1])
        if len(values) == 1:
            return cls(lowest, highest, None)
        # Whole multiples of the grid, whose greatest common divisor is the step: {1, 3, 6} lie on
        # steps of 1, although no two of them are 1 apart.
        above = np.round((values - lowest) / GRID)
        if above[-1] > MOST_MULTIPLES:
            return cls(lowest, highest, None)
        step = float(np.gcd.reduce(above.astype(np.int64))) * GRID
        # No step at all: the values are closer together than the grid.
        if not step or (highest - lowest) / step >= MAX_LEVELS - 0.5:
            return cls(lowest, highest, None)
        step = round(step, 9)
        return cls(lowest, highest, step)

    @property
    def levels(self) -> npt.NDArray[np.float64] | None:
        """Every value of the scale, ascending, or None where it is continuous."""
        if self.lowest == self.highest:
            return np.array([self.lowest])
        if self.step is None:
            return None
        n = round((self.highest - self.lowest) / self.step) + 1
        return np.linspace(self.lowest, self.highest, n)

    def liked_from(self, threshold: float | None = None) -> float:
        """The rating from which on an item counts as liked: by default the upper quarter.

        Example:
            >>> Scale(1, 5, 1).liked_from(), Scale(0, 1, 1).liked_from()
            (4.0, 0.75)
        """
        upper_quarter = self.lowest + 0.75 * (self.highest - self.lowest)
        return upper_quarter if threshold is None else threshold

    def clip(self, rating: FloatArray) -> FloatArray:
        """The ratings, moved to the nearest end of the scale where they lie outside it."""
        return np.clip(rating, self.lowest, self.highest)

    def quantile(self, probabilities: FloatArray, q: float) -> FloatArray:
        """The first level up to which probabilities (n, levels) sum to at least q, (n,).

        A sum that misses q by the rounding of floats counts as q.

        Example:
            >>> Scale(1, 3, 1).quantile(np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]), 0.5)
            array([1., 3.])
        """
        up_to = np.cumsum(probabilities, axis=1)
        up_to[:, -1] = 1.0
        levels = np.array([self.lowest]) if self.levels is None else self.levels
        return levels[np.argmax(up_to >= q - 1e-6, axis=1)]

    def union(self, other: "Scale") -> "Scale":
        """The scale that holds every value of both; continuous if one of them is."""
        both = (self, other)
        if any(scale.step is None and scale.lowest < scale.highest for scale in both):
            return Scale(min(s.lowest for s in both), max(s.highest for s in both), None)
        ends_and_levels = [
            np.array([scale.lowest]) if scale.levels is None else scale.levels for scale in both
        ]
        return Scale.infer(np.concatenate(ends_and_levels))

    def __str__(self) -> str:
        ends = f"{self.lowest:g} to {self.highest:g}"
        return ends if self.step is None else f"{ends} in steps of {self.step:g}"


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


def _distinct(values: FloatArray) -> FloatArray:
    """The distinct values, ascending, without sorting all of them where they are few."""
    known = np.unique(values[:SLICE])
    for start in range(SLICE, len(values), SLICE):
        if len(known) >= MAX_LEVELS:
            return np.unique(values)
        part = values[start : start + SLICE]
        known = np.union1d(known, part[np.isin(part, known, invert=True)])
    return known


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
