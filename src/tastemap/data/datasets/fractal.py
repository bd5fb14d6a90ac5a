"""Realistic ratings of any size: the fractal expansion of a real table of ratings.

References:
    Belletti, Lakshmanan, Krichene, Chen, Anderson, "Scalable realistic recommendation datasets
    through fractal expansions", arXiv 1901.08910, 2019. MLPerf's recommendation benchmark was
    measured on data made in this way.

The expanded table is a Kronecker product of a reduced table A (m x n) with the original B: each
cell a_ij becomes a block F(a_ij, B): a random part of the ratings of B (section III of the paper).
User ``u`` of B has m copies (i, u), and item ``l`` has n copies (j, l). The shares of popularity
and of activity multiply, and so do the singular values: their distributions keep the shape of the
original's.

The paper is about which pairs are rated. The ratings themselves are made by these rules of ours:

    p_ij     share of B kept in block (i, j): B's own density where users are ordered by activity
             and items by popularity, resampled to m x n, and scaled to the requested number
    g_ij     1 + T g'_ij, where g' is the resampled and orthogonalised singular value decomposition
             of B's residuals (the paper's algorithm 2), scaled to a mean square of 1
    r        mu + b_u + b_l + sqrt(1 - v) g_ij e_ul + sqrt(v) s z,  rounded to the scale

with e_ul = r_ul - mu - b_u - b_l the residual of the original, s its deviation, z standard normal,
v the share of the residual variance that is drawn anew (`NOISE`) and T = `TASTE`. Rows and columns
of a block are not shuffled: a copy of a user has the same taste in all blocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np
import polars as pl

from tastemap.arrays import F64, I64
from tastemap.data.chunks import damped_mean
from tastemap.data.datasets.apportionment import allot, resample
from tastemap.data.feedback import Groups
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.errors import ArgumentError

# Users who rate the same items again differ by an RMSE of 0.56 to 0.82 on five stars (Amatriain et
# al. 2009); 0.4 of the residual variance of MovieLens 100K is 0.58 squared.
NOISE = 0.4
TASTE = 0.5
RANK = 10
N_ITERATIONS = 8
# A table of all pairs of user and item of the original is held in memory.
MAX_PAIRS = 10**8
# Damping of the biases of the original, in ratings.
DAMPING = 5.0
# Copies of a user begin at a random moment of so many seconds (ten years) after the original.
MAX_DELAY_SECONDS = 10 * 365 * 86_400
# The time between two ratings of a user, where the original has no times.
SECONDS_BETWEEN_RATINGS = 60
_HALF_STARS = Scale(0.5, 5.0, 0.5)


@dataclass(frozen=True)
class Size:
    """How many users, items and ratings; each user and each item has a rating."""

    n_users: int
    n_items: int
    n_ratings: int


#: Sizes of two releases of MovieLens, from their pages.
SIZES = {
    "ml-25m": Size(162_541, 59_047, 25_000_095),
    "ml-32m": Size(200_948, 87_585, 32_000_204),
}


def size_like(
    base: Ratings, n_ratings: int, n_users: int | None = None, n_items: int | None = None
) -> Size:
    """A size in proportion to a table's.

    By default there are as many ratings for a user as in ``base``, and the number of items grows
    with the root of the number of ratings.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> size_like(synthetic_ratings(), 300_000)
        Size(n_users=12000, n_items=800, n_ratings=300000)
    """
    growth = n_ratings / len(base)
    return Size(
        max(round(base.n_users * growth), base.n_users) if n_users is None else n_users,
        max(round(base.n_items * growth**0.5), base.n_items) if n_items is None else n_items,
        n_ratings,
    )


class FractalExpansion:
    """A table of ratings of exactly the requested size, made block by block.

    Args:
        base: The original; users and items without a rating are left out.
        size: The numbers of users, items and ratings.
        seed: The same base, size and seed give the same ratings.

    Raises:
        ArgumentError: If the size is below the base's, or its pairs do not suffice.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> big = FractalExpansion(synthetic_ratings(), Size(1000, 500, 40_000))
        >>> table = pl.concat(big.blocks())
        >>> table.select(pl.len(), n_users=pl.col("userId").n_unique()).row(0)
        (40000, 1000)
    """

    #: Columns and types of each block: those of MovieLens' ``ratings.csv``.
    schema: ClassVar[dict[str, pl.DataType]] = {
        "userId": pl.Int32(), "movieId": pl.Int32(), "rating": pl.Float32(), "timestamp": pl.Int64()
    }  # fmt: skip

    def __init__(self, base: Ratings, size: Size, seed: int = 0) -> None:
        self.base, self.size, self.seed = _without_gaps(base), size, seed
        _check(self.base, size)
        rng = np.random.default_rng([seed, 0])
        self.scale = _HALF_STARS if base.scale == Scale(1.0, 5.0, 1.0) else base.scale
        self._original = _Original.of(self.base)
        n_users, n_items = self.base.n_users, self.base.n_items
        shape = self._shape = (-(-size.n_users // n_users), -(-size.n_items // n_items))
        rows = rng.permutation(shape[0])
        self._density = resample(self._original.rated, shape)[rows] + 1e-6
        self._taste = _reduced_taste(self._original.residuals, shape)[rows]
        # The users and items of the last copy, which may be a part of the original's.
        self._users = np.sort(rng.permutation(n_users)[: (size.n_users - 1) % n_users + 1])
        self._items = np.sort(rng.permutation(n_items)[: (size.n_items - 1) % n_items + 1])
        self._item_id = rng.permutation(size.n_items) + 1
        of_users = np.isin(self.base.user_index, self._users)
        of_items = np.isin(self.base.item_index, self._items)
        self._allowed = {  # r, c: whether a block is in the last row and in the last column
            (r, c): np.flatnonzero((of_users | (not r)) & (of_items | (not c)))
            for r, c in product((False, True), repeat=2)
        }
        self._required = self._one_for_each(rng)
        self._counts = self._allotted()
        share = self._counts / self._counts.sum()
        self._taste /= np.sqrt((share * self._taste**2).sum())

    def blocks(self) -> Iterator[pl.DataFrame]:
        """The ratings of one block of users after the other, by user and item ascending."""
        return map(self._block, range(self._shape[0]))

    def items(self) -> pl.DataFrame:
        """The items as MovieLens' ``movies.csv`` has them: ``movieId, title, genres``."""
        n = self.base.n_items
        slot = np.arange(self.size.n_items)
        copy, place = slot // n, slot % n
        last = copy == self._shape[1] - 1
        original = np.where(last, self._items[np.minimum(place, len(self._items) - 1)], place)
        items = self.base.items.frame[original].with_columns(
            movieId=pl.Series(self._item_id), copy=pl.Series(copy + 1)
        )
        title = "title" if "title" in items.columns else "item_id"
        names = [pl.format("{}, no. {}", title, "copy")]
        if "year" in items.columns:
            names.insert(0, pl.format("{}, no. {} ({})", title, "copy", "year"))
        genres = pl.col("genres").list.join("|") if "genres" in items.columns else pl.lit("")
        return items.select(
            "movieId",
            pl.coalesce(names).alias("title"),
            genres.replace("", None).fill_null("(no genres listed)").alias("genres"),
        ).sort("movieId")

    def _rows_of(self, row: int, column: int) -> I64:
        """Rows of the base that a block may hold."""
        return self._allowed[row == self._shape[0] - 1, column == self._shape[1] - 1]

    def _one_for_each(self, rng: np.random.Generator) -> list[I64]:
        """Rows of the base that each block must hold, so that all users and items have a rating.

        The rating of a user is in a whole column and that of an item in a whole row: the last
        column and row may hold no rating of the user or item.
        """
        m, n = self._shape
        n_whole_rows, n_whole_columns = max(m - 1, 1), max(n - 1, 1)
        block, entry = [], []
        for i in range(m):
            users = self._users if i == m - 1 else np.arange(self.base.n_users)
            weight = self._density[i, :n_whole_columns]
            column = rng.choice(n_whole_columns, len(users), p=weight / weight.sum())
            block.append(i * n + column)
            entry.append(_any_of(self.base.by_user, users, rng))
        for j in range(n):
            items = self._items if j == n - 1 else np.arange(self.base.n_items)
            weight = self._density[:n_whole_rows, j]
            row = rng.choice(n_whole_rows, len(items), p=weight / weight.sum())
            block.append(row * n + j)
            entry.append(_any_of(self.base.by_item, items, rng))
        key = np.unique(np.concatenate(block) * len(self.base) + np.concatenate(entry))
        of_block, rows = np.divmod(key, len(self.base))
        return np.split(rows, np.searchsorted(of_block, np.arange(1, m * n)))

    def _allotted(self) -> I64:
        """Number of ratings in each block, (m, n); they sum to the requested number."""
        m, n = self._shape
        most = np.array([[len(self._rows_of(i, j)) for j in range(n)] for i in range(m)])
        least = np.array([len(rows) for rows in self._required]).reshape(m, n)
        if not least.sum() <= self.size.n_ratings <= most.sum():
            raise ArgumentError(
                "n_ratings",
                expected=f"{least.sum():,} to {most.sum():,} for {self.size.n_users:,} users and "
                f"{self.size.n_items:,} items",
                received=f"{self.size.n_ratings:,}",
                do="ask for other numbers of users or items",
            )
        return allot(self.size.n_ratings, self._density * most, least, most)

    def _block(self, row: int) -> pl.DataFrame:
        rng = np.random.default_rng([self.seed, 1, row])
        base, (m, n) = self.base, self._shape
        chosen = [self._chosen(row, column, rng) for column in range(n)]
        rows = np.concatenate(chosen)
        column = np.repeat(np.arange(n), [len(part) for part in chosen])
        user = base.user_index[rows].astype(np.int64)
        start = rng.integers(0, MAX_DELAY_SECONDS, base.n_users)[user]
        if row == m - 1:
            user = np.searchsorted(self._users, user)
        item = base.item_index[rows].astype(np.int64)
        last = column == n - 1
        item[last] = np.searchsorted(self._items, item[last])
        item_id = self._item_id[column * base.n_items + item]
        rating = self._ratings_of(rows, self._taste[row, column], rng)
        order = np.argsort(user * (self.size.n_items + 1) + item_id)
        time = self._original.time[rows] + start + column
        values = (row * base.n_users + user + 1, item_id, rating, time)
        columns = [pl.Series(column[order]) for column in values]
        return pl.DataFrame(columns, schema=list(self.schema)).cast(self.schema)  # type: ignore[arg-type]

    def _chosen(self, row: int, column: int, rng: np.random.Generator) -> I64:
        """The rows of the base that a block holds: the required ones, and others at random."""
        rows, n = self._rows_of(row, column), self._counts[row, column]
        required = self._required[row * self._shape[1] + column]
        drawn = rows[rng.choice(len(rows), n, replace=False, shuffle=False)]
        missing = np.setdiff1d(required, drawn, assume_unique=True)
        replaceable = np.flatnonzero(~np.isin(drawn, required, assume_unique=True))
        drawn[rng.choice(replaceable, len(missing), replace=False)] = missing
        return drawn

    def _ratings_of(self, rows: I64, taste: F64, rng: np.random.Generator) -> F64:
        original = self._original
        residual = np.sqrt(1 - NOISE) * taste * original.residual[rows]
        residual += np.sqrt(NOISE) * original.residual.std() * rng.standard_normal(len(rows))
        rating = original.expected[rows] + residual
        lowest, step = self.scale.lowest, self.scale.step
        if step is not None:
            rating = lowest + step * np.round((rating - lowest) / step)
        return np.asarray(self.scale.clip(rating), dtype=np.float64)


@dataclass(frozen=True)
class _Original:
    """What is computed once from the base.

    Attributes:
        expected, residual: mu + b_u + b_l and e_ul of each rating, (n_ratings,).
        time: Time in seconds of each rating.
        rated, residuals: Pairs that are rated, and e_ul or 0; users by activity and items by
            popularity, most first, (n_users, n_items).
    """

    expected: F64
    residual: F64
    time: I64
    rated: F64
    residuals: F64

    @classmethod
    def of(cls, base: Ratings) -> "_Original":
        user, item = base.user_index, base.item_index
        rating = base.rating.astype(np.float64)
        by_user, by_item = base.by_user.counts, base.by_item.counts
        expected: F64 = np.full(len(base), rating.mean())
        for index, counts in ((item, by_item), (user, by_user)):
            total = np.bincount(index, rating - expected, len(counts))
            expected += damped_mean(total, counts, DAMPING)[index]
        time = base.timestamp
        if time is None:
            time = np.zeros(len(base), dtype=np.int64)
            first = np.repeat(base.by_user.indptr[:-1], by_user)
            time[base.by_user.indices] = SECONDS_BETWEEN_RATINGS * (np.arange(len(base)) - first)
        user_rank, item_rank = (
            np.argsort(np.argsort(-n, kind="stable")) for n in (by_user, by_item)
        )
        rated, residuals = np.zeros((2, base.n_users, base.n_items))
        rated[user_rank[user], item_rank[item]] = 1.0
        residuals[user_rank[user], item_rank[item]] = rating - expected
        return cls(expected, rating - expected, time, rated, residuals)


def _reduced_taste(residuals: F64, shape: tuple[int, int]) -> F64:
    """g: 1 + T g', with g' the reduced matrix of the paper's algorithm 2, of mean square 1."""
    rank = min(RANK, *shape, *residuals.shape)
    u, s, vt = _leading(residuals, rank)
    left = _orthogonal(resample(u, (shape[0], rank)))
    right = _orthogonal(resample(vt.T, (shape[1], rank)))
    reduced = (left * s) @ right.T
    return 1 + TASTE * reduced / (np.sqrt((reduced**2).mean()) or 1.0)


def _leading(matrix: F64, rank: int) -> tuple[F64, F64, F64]:
    """The largest singular values and their vectors, by subspace iteration.

    Halko, Martinsson, Tropp, "Finding structure with randomness", 2011, algorithm 4.4.
    """
    width = min(2 * rank, *matrix.shape)
    basis = np.random.default_rng(0).standard_normal((matrix.shape[1], width))
    for _ in range(N_ITERATIONS):
        basis = np.linalg.qr(matrix.T @ np.linalg.qr(matrix @ basis)[0])[0]
    u, s, vt = np.linalg.svd(matrix @ basis, full_matrices=False)
    return u[:, :rank], s[:rank], (vt @ basis.T)[:rank]


def _orthogonal(matrix: F64) -> F64:
    """The nearest matrix with orthonormal columns."""
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    return np.asarray(left @ right)


def _any_of(groups: Groups, numbers: I64, rng: np.random.Generator) -> I64:
    """A random row of each of the groups."""
    first, counts = groups.indptr[numbers], groups.counts[numbers]
    return groups.indices[first + (rng.random(len(numbers)) * counts).astype(np.int64)]


def _without_gaps(base: Ratings) -> Ratings:
    """The ratings without users and items that have none."""
    if base.by_user.counts.all() and base.by_item.counts.all():
        return base
    return Ratings.from_frame(
        base.to_frame(), item_table=base.item_table, user_table=base.user_table, source=base.source
    )


def _check(base: Ratings, size: Size) -> None:
    if base.n_users * base.n_items > MAX_PAIRS:
        raise ArgumentError(
            "base",
            expected=f"at most {MAX_PAIRS:,} pairs of user and item",
            received=f"{base.n_users:,} users and {base.n_items:,} items",
            do="expand a smaller set: a large one is not needed",
        )
    for name, n, least in (
        ("n_users", size.n_users, base.n_users),
        ("n_items", size.n_items, base.n_items),
        ("n_ratings", size.n_ratings, 1),
    ):
        if n < least:
            expected = f"at least {least:,}, as in the original"
            raise ArgumentError(name, expected=expected, received=f"{n:,}")
