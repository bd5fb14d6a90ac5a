"""What an adapter is given: a table of ratings as plain arrays, read from a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Table:
    """Ratings by row numbers.

    Attributes:
        users, items: int32 (n,), rows.
        ratings: float32 (n,), or None where they are to be predicted.
        times: int64 (n,), seconds since 1970, or None.
        positions: int64 (n,), the place of each in its user's history, or None.
        n_users, n_items: Numbers of rows, whether rated or not.
        side: What is known about users and items, by name; (n_users,) or (n_items, ...).
        folder: Where the tables of users and items lie as Parquet.
    """

    users: Any
    items: Any
    ratings: Any
    times: Any
    positions: Any
    n_users: int
    n_items: int
    side: dict[str, Any]
    folder: Path

    def __len__(self) -> int:
        return len(self.users)

    @property
    def mean(self) -> float:
        """Mean of the ratings."""
        return float(self.ratings.mean(dtype=np.float64))

    def matrix(self, values: Any = None) -> Any:
        """SciPy's compressed rows, users by items, of ratings or of other values."""
        from scipy.sparse import csr_matrix

        values = self.ratings if values is None else values
        shape = (self.n_users, self.n_items)
        return csr_matrix((values, (self.users, self.items)), shape=shape, dtype=np.float32)

    def ones(self) -> Any:
        """Compressed rows with 1 for each pair, whatever the rating."""
        return self.matrix(np.ones(len(self), dtype=np.float32))


def read_table(folder: Path, part: str) -> Table:
    """The table that `write_table` has written."""
    with np.load(folder / f"{part}.npz", allow_pickle=False) as file:
        found = dict(file)
    with np.load(folder / "side.npz", allow_pickle=False) as file:
        side = dict(file)
    n_users, n_items = (int(side.pop(name)) for name in ("n_users", "n_items"))
    columns = (found.get(name) for name in ("users", "items", "ratings", "times", "positions"))
    return Table(*columns, n_users, n_items, side, folder)


def small_table(table: Table) -> Table:
    """Few ratings by few users in the same columns, for a first fit that compiles."""
    kept = np.flatnonzero((table.users < 60) & (table.items < 400))[:3000]
    if len(kept) < 500:  # rows in another order: whatever comes first
        kept = np.arange(min(len(table), 3000))
    columns = (table.users, table.items, table.ratings, table.times, table.positions)
    columns = (None if column is None else column[kept] for column in columns)
    return Table(*columns, table.n_users, table.n_items, table.side, table.folder)


def best_unseen(scores: Any, seen: Any, users: Any, k: int) -> Any:
    """Rows of the k items with the highest scores that are not seen, best first.

    For libraries that give scores and leave the lists to their users.

    Args:
        scores: float (len(users), n_items).
        seen: Compressed rows of all users; their entries are left out.
        users, k: Whose lists, and how long.
    """
    scores = np.array(scores, dtype=np.float32)
    own = seen[users]
    rows = np.repeat(np.arange(len(users)), np.diff(own.indptr))
    scores[rows, own.indices] = -np.inf
    best = np.argpartition(-scores, k, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)
