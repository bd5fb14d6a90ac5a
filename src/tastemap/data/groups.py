"""The rows of a table grouped by user or by item."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tastemap.data.vocabulary import IndexArray


@dataclass(frozen=True)
class Groups:
    """Row numbers of a ratings table grouped by user or by item (compressed sparse rows).

    Attributes:
        offsets: int64 (n + 1,); group ``g`` owns ``rows[offsets[g]:offsets[g + 1]]``.
        rows: int64 (n_ratings,); row numbers, in table order within each group.
    """

    offsets: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]

    @classmethod
    def of(cls, index: IndexArray, n: int) -> "Groups":
        """Group the rows of a column of row numbers that lie in ``range(n)``."""
        counts = np.bincount(index, minlength=n)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        # NumPy sorts numbers of 16 bits by their digits, in a time that grows with their number.
        keys = index.astype(np.uint16) if n <= 2**16 else index
        return cls(offsets, np.argsort(keys, kind="stable").astype(np.int64))

    def __getitem__(self, group: int) -> npt.NDArray[np.int64]:
        return self.rows[self.offsets[group] : self.offsets[group + 1]]

    def fits(self, n_groups: int, n_rows: int) -> bool:
        """Whether these are groups of a table: none leads outside of it."""
        offsets, rows = self.offsets, self.rows
        if offsets.shape != (n_groups + 1,) or rows.shape != (n_rows,):
            return False
        if offsets[0] != 0 or offsets[-1] != n_rows or (np.diff(offsets) < 0).any():
            return False
        return not n_rows or bool(0 <= rows.min() <= rows.max() < n_rows)

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Number of rows in each group, (n,)."""
        return np.diff(self.offsets)
