"""Features of users and items: which items a user has rated, and the columns of the tables.

References:
    Koren, "Factorization meets the neighborhood", KDD 2008, section 4 (the set of items that a
    user has rated is informative). Halko, Martinsson, Tropp, "Finding structure with randomness",
    SIAM Review 53(2), 2011, algorithms 4.4 and 5.1 (the leading singular vectors).
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_array  # type: ignore[import-untyped]

from tastemap.arrays import F32, I64, IndexArray
from tastemap.data.ratings import Groups

# Text with more distinct values (titles, addresses, post codes) is left out: rows hardly share any.
MAX_CATEGORIES = 50
# Numbers with more distinct values are put into so many bins, about equally full.
MAX_BINS = 12
# Of the randomised decomposition: power iterations, and directions beyond the number returned.
POWER_ITERATIONS, OVERSAMPLING = 4, 20


@dataclass(frozen=True)
class Features:
    """Features of the rows of one side.

    Attributes:
        columns: float32 (F, n), a feature a row: implicit scores first, then side information.
        n_implicit: How many of them are implicit scores.
        axes: float32 (m, n_implicit); a row with ratings of the set J has as its scores
            |J|^-1/2 times the sum of axes_j over J.
    """

    columns: F32
    n_implicit: int
    axes: F32

    @property
    def group(self) -> IndexArray:
        """int32 (F,), 0 for an implicit score and 1 for side information."""
        return (np.arange(len(self.columns)) >= self.n_implicit).astype(np.int32)


def features_of(
    groups: Groups, other: IndexArray, n_other: int, table: pl.DataFrame | None, size: int
) -> Features:
    """The features of one side.

    Args:
        groups: Ratings grouped by row of this side.
        other: The row of the other side of each rating.
        n_other: Number of rows of the other side.
        table: Side information of each row, or None; its first column is the id.
        size: Largest number of implicit scores.
    """
    scores, axes = implicit_scores(groups, other, n_other, size)
    side = np.zeros((0, len(scores)), np.float32) if table is None else side_columns(table)
    return Features(np.vstack([scores.T, side]).astype(np.float32), scores.shape[1], axes)


def implicit_scores(groups: Groups, other: IndexArray, n_other: int, size: int) -> tuple[F32, F32]:
    """Principal scores (n, size) and axes (m, size) of which rows have rated which.

    Row a of the matrix M is n_a^-1/2 where a has a rating and 0 elsewhere. With M = U S V' the
    scores are U S = M V and the axes V, for the largest singular values.
    """
    counts = groups.counts
    size = min(size, len(counts), n_other)
    value = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts).astype(np.float32)
    M = csr_array((value, other[groups.indices], groups.indptr), shape=(len(counts), n_other))
    transposed = M.T.tocsr()
    width = min(size + OVERSAMPLING, len(counts), n_other)
    V = np.random.default_rng(0).normal(size=(n_other, width)).astype(np.float32)
    for _ in range(POWER_ITERATIONS):
        V = _orthonormal(transposed @ (M @ V))
    scores = M @ V
    # M V = Q S R': turning V by R makes the columns of the scores orthogonal, largest first.
    _, R = np.linalg.eigh(scores.astype(np.float64).T @ scores)
    turn = R[:, ::-1][:, :size].astype(np.float32)
    scores = scores @ turn
    # A row without ratings gets the average scores. Zeros would say that it has no taste at all.
    scores[counts == 0] = scores[counts > 0].mean(axis=0)
    return scores, V @ turn


def scores_of(rows: IndexArray, axes: F32) -> F32:
    """The implicit scores (size,) of a row with ratings of ``rows`` of the other side."""
    if not len(rows):
        return np.zeros(axes.shape[1], dtype=np.float32)
    return (axes[rows].sum(axis=0) / np.sqrt(len(rows))).astype(np.float32)


def _orthonormal(V: F32) -> F32:
    """An orthonormal basis of the columns' space: V times the root of (V'V)^-1."""
    values, vectors = np.linalg.eigh(V.astype(np.float64).T @ V)
    safe = np.maximum(values, 1e-10 * values[-1])
    return (V @ (vectors / np.sqrt(safe))).astype(np.float32)


def side_columns(table: pl.DataFrame) -> F32:
    """Indicators (F, n) of the values of a table that several rows can share.

    Text and truth values with at most 50 distinct values, lists of such text, and numbers and
    dates, in at most 12 bins about equally full. A missing value has no indicator.

    Example:
        >>> table = pl.DataFrame({"user_id": [1, 2, 3], "sex": ["F", "M", "F"]})
        >>> side_columns(table).tolist()
        [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    blocks = [indicators(table[name]) for name in table.columns[1:]]
    return np.vstack([np.zeros((0, len(table)), np.float32), *blocks]).astype(np.float32)


def indicators(column: pl.Series) -> F32:
    """Indicators (F, n) of the values of a column; none where each row has its own."""
    if isinstance(column.dtype, pl.List):
        rows, value = _exploded(column)
    else:
        value = _binned(column)
        rows = np.arange(len(column))
    present = value.is_not_null().to_numpy()
    categories = value.drop_nulls().unique().sort()
    if value.dtype != pl.String or not 2 <= len(categories) <= MAX_CATEGORIES:
        return np.zeros((0, len(column)), dtype=np.float32)
    place = categories.search_sorted(value.drop_nulls()).to_numpy()
    block = np.zeros((len(categories), len(column)), dtype=np.float32)
    block[place, rows[present]] = 1.0
    return block


def _exploded(column: pl.Series) -> tuple[I64, pl.Series]:
    """Row numbers and values, as text, of a column of lists."""
    frame = column.alias("value").to_frame().with_row_index("row").explode("value")
    return frame["row"].to_numpy().astype(np.int64), frame["value"].cast(pl.String, strict=False)


def _binned(column: pl.Series) -> pl.Series:
    """A column as text of few distinct values: dates by year, numbers in bins."""
    if column.dtype in (pl.Date, pl.Datetime):
        column = column.dt.year()
    if column.dtype.is_numeric():
        number = column.cast(pl.Float64).fill_nan(None)
        if number.drop_nulls().n_unique() > MAX_BINS:
            inner = np.quantile(number.drop_nulls().to_numpy(), np.linspace(0, 1, MAX_BINS + 1))
            edges = pl.Series(np.unique(inner[1:-1]))
            bins = edges.search_sorted(number, side="right")
            number = pl.select(
                pl.when(number.is_null()).then(None).otherwise(bins).cast(pl.Float64)
            ).to_series()
        return number.cast(pl.String)
    if column.dtype in (pl.String, pl.Boolean) or isinstance(
        column.dtype, pl.Categorical | pl.Enum
    ):
        return column.cast(pl.String)
    return pl.Series(column.name, [None] * len(column), dtype=pl.String)
