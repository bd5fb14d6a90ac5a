"""Features of users and items: who has rated or seen what, and the columns of the tables.

References:
    Koren, "Factorization meets the neighborhood", KDD 2008, section 4 (the set of items that a
    user has rated is informative). Halko, Martinsson, Tropp, "Finding structure with randomness",
    SIAM Review 53(2), 2011, algorithms 4.4 and 5.1 (the leading singular vectors).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from tastemap.arrays import F32, I64, AnyArray, IndexArray
from tastemap.data.feedback import Groups
from tastemap.models.base.facts import CATEGORIES, LISTS, VECTOR, WORDS, Facts

# Principal scores of words and vectors.
MAX_PRINCIPAL = 20
# Implicit scores for each rating of an average row, and the number of further ratings of a row at
# which half of its scores is believed: chosen on inner splits of one to five ratings a person of
# MovieLens 1M, where the scores did harm, and of fold u1 of 100K, where neither makes a difference.
MAX_SCORES_PER_RATING, RELIABLE_AT = 4, 10.0
# Of the randomised decomposition: power iterations, and directions beyond the number returned.
POWER_ITERATIONS, OVERSAMPLING = 4, 20


@dataclass(frozen=True)
class Features:
    """Features of the rows of one side.

    Attributes:
        columns: float32 (F, n), a feature a row: implicit scores first, then side information.
        n_implicit: How many of them are implicit scores.
        axes: float32 (m, n_implicit); a row with ratings of the set J has as its scores
            |J|^-1/2 times the sum of axes_j over J, moved towards the average by `implicit_scores`.
        average: float32 (n_implicit,), the average scores.
    """

    columns: F32
    n_implicit: int
    axes: F32
    average: F32

    @property
    def group(self) -> IndexArray:
        """int32 (F,), 0 for an implicit score and 1 for side information."""
        return (np.arange(len(self.columns)) >= self.n_implicit).astype(np.int32)


def features_of(
    groups: Groups, other: IndexArray, n_other: int, table: pl.DataFrame | None, size: int
) -> Features:
    """The features of one side.

    Args:
        groups: Pairs that were rated or seen, grouped by row of this side.
        other: The row of the other side of each pair.
        n_other: Number of rows of the other side.
        table: Side information of each row, or None; its first column is the id.
        size: Largest number of implicit scores.
    """
    scores, axes, average = implicit_scores(groups, other, n_other, size)
    side = np.zeros((0, len(scores)), np.float32) if table is None else side_columns(table)
    columns = np.vstack([scores.T, side]).astype(np.float32)
    return Features(columns, scores.shape[1], axes, average)


def implicit_scores(
    groups: Groups, other: IndexArray, n_other: int, size: int
) -> tuple[F32, F32, F32]:
    """Principal scores (n, size), axes (m, size), average scores (size,) of who has rated what.

    Row a of the matrix M is (w_a / n_a)^1/2 where a has a rating and 0 elsewhere, w_a being
    its `reliability`. What was seen without a rating counts like a rating. With M = U S V', for the
    largest singular values, the axes are V, and the scores are moved by 1 - w_a towards their
    average. So a row with one rating has the average scores, and no axis: that rating would
    otherwise be explained by its item and, once more, by the fact that this item was rated. The
    axes rest on items with several ratings, too.
    """
    counts, other_counts = groups.counts, np.bincount(other, minlength=n_other)
    size = number_of_scores(counts, size)
    rows, columns = np.flatnonzero(counts > 1), np.flatnonzero(other_counts > 1)
    w = reliability(counts, RELIABLE_AT)
    value = np.repeat(np.sqrt(w / np.maximum(counts, 1)), counts).astype(np.float32)
    M = csr_array((value, other[groups.indices], groups.indptr), shape=(len(counts), n_other))
    axes = np.zeros((n_other, size), dtype=np.float32)
    V = principal_axes(M[rows][:, columns], size)
    axes[columns, : V.shape[1]] = V
    M.data = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts).astype(np.float32)
    scores = M @ axes
    average = (w @ scores / max(w.sum(), 1e-9)).astype(np.float32)
    return average + w[:, None] * (scores - average), axes, average


def number_of_scores(counts: AnyArray, largest: int) -> int:
    """How many implicit scores rows with so many ratings bear: four for each of an average row."""
    a_row = counts.sum() / max(int((counts > 0).sum()), 1)
    return min(largest, math.ceil(MAX_SCORES_PER_RATING * a_row))


def reliability(counts: AnyArray, further: float) -> F32:
    """How much of the scores of rows with ratings of so many others is believed, from 0 to 1.

    (n - 1) / (n - 1 + k) for n ratings, as each says something of the n - 1 others; k is
    ``further``. Without k all is believed.

    Example:
        >>> reliability(np.array([0, 1, 2, 4]), 1.0).tolist()
        [0.0, 0.0, 0.5, 0.75]
    """
    others = np.maximum(counts - 1.0, 0.0)
    return np.where(further > 0, others / np.maximum(others + further, 1e-9), 1.0).astype(
        np.float32
    )


def principal_axes(M: Any, size: int) -> F32:
    """The leading right singular vectors (m, at most size) of a sparse matrix (n, m).

    The iterations are on the smaller side, which costs the less.
    """
    n, m = M.shape
    size, width = min(size, n, m), min(size + OVERSAMPLING, n, m)
    if not size or not M.nnz:
        return np.zeros((m, 0), dtype=np.float32)
    A = M if m <= n else M.T.tocsr()
    transposed = A.T.tocsr()
    V = np.random.default_rng(0).normal(size=(A.shape[1], width)).astype(np.float32)
    for _ in range(POWER_ITERATIONS):
        V = _orthonormal(transposed @ (A @ V))
    scores = A @ V
    # A V = Q S R': turning V by R makes the columns of the scores orthogonal, largest first.
    values, R = np.linalg.eigh(scores.astype(np.float64).T @ scores)
    turn = R[:, ::-1][:, :size].astype(np.float32)
    if m <= n:
        return V @ turn
    # Where A = M', the scores are the right singular vectors times the singular values.
    squares = np.maximum(values[::-1][:size], 1e-10 * max(float(values[-1]), 1e-30))
    return ((scores @ turn) / np.sqrt(squares)).astype(np.float32)


def scores_of(rows: IndexArray, axes: F32) -> F32:
    """The implicit scores (size,) of a row with ratings of ``rows``, before they are moved."""
    return (axes[rows].sum(axis=0) / np.sqrt(max(len(rows), 1))).astype(np.float32)


def _orthonormal(V: F32) -> F32:
    """An orthonormal basis of the columns' space: V times the root of (V'V)^-1."""
    values, vectors = np.linalg.eigh(V.astype(np.float64).T @ V)
    safe = np.maximum(values, 1e-10 * values[-1])
    return (V @ (vectors / np.sqrt(safe))).astype(np.float32)


def popularity(counts: I64) -> F32:
    """x_j of `Observations`, from how often each item was rated or seen."""
    x, rated = np.log1p(counts), counts > 0
    x = (x - x[rated].mean()) / max(float(x[rated].std()), 1e-6)
    return np.where(rated, x, np.average(x, weights=counts)).astype(np.float32)


def side_columns(table: pl.DataFrame) -> F32:
    """Features (F, n) of the columns of a table: `Facts`, dense and few.

    Categories are indicators. Of words and vectors together, the first 20 principal scores; lists
    of many values are left out.

    Example:
        >>> table = pl.DataFrame({"user_id": [1, 2, 3], "sex": ["F", "M", "F"]})
        >>> side_columns(table).tolist()
        [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    facts = Facts.of(table)
    indicators = facts.of_kinds(CATEGORIES, LISTS).encode(table).toarray()
    X = facts.of_kinds(WORDS, VECTOR).encode(table)
    scores = X @ principal_axes(X, MAX_PRINCIPAL)
    return np.hstack([indicators, scores]).T.astype(np.float32)
