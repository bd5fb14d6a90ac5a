"""Lists in which each next item depends on those before it: varied, calibrated, within caps."""

from typing import NamedTuple

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32, I64


class Shortlists(NamedTuple):
    """The items that lists are picked from.

    Attributes:
        rows: int32 (n, m), rows of items, best first; -1 after the end of a shortlist.
        scores: float64 (n, m), their scores.
        places: int32 (n, m), the row of each item in `Likeness`.
    """

    rows: I32
    scores: F64
    places: I32


class Likeness(NamedTuple):
    """How similar items are.

    Attributes:
        values: float32 (u, f), rows whose products are the similarities; or a table (u, u) of them.
        is_table: Whether it is a table.
    """

    values: F32
    is_table: bool


class Taste(NamedTuple):
    """What lists are calibrated to; empty arrays where they are not.

    Attributes:
        indptr, ids, shares: Item i has the categories ``ids[indptr[i]:indptr[i + 1]]`` with these
            shares, which sum to 1 in each column of categories.
        strength: float64 (G,), what a nat of divergence in the column of a category costs.
        average: float64 (G,), pseudo-counts of the categories, before anything is liked.
        liked_indptr, liked: List n is for somebody who likes ``liked[liked_indptr[n]:...]``.
    """

    indptr: I64
    ids: I32
    shares: F64
    strength: F64
    average: F64
    liked_indptr: I64
    liked: I32


class Caps(NamedTuple):
    """The categories of which a list has at most so many items.

    Attributes:
        indptr, ids: Item i has the categories ``ids[indptr[i]:indptr[i + 1]]``.
        most: int64 (H,), the most of each.
    """

    indptr: I64
    ids: I32
    most: I64


@njit(cache=True, nogil=True)
def rerank(
    shortlists: Shortlists,
    likeness: Likeness,
    taste: Taste,
    caps: Caps,
    weights: tuple[float, float, float, float],
    picks: I32,
) -> None:
    """Pick the items of each list, one after the other, by the gain beside those before.

    The gain of item j is a z_j - b max_i s_ij - d_j: z is the score in standard deviations of the
    shortlist, s_ij the similarity with an item i of the list (Carbonell and Goldstein, "The use of
    MMR", SIGIR 1998), and d_j what the Kullback-Leibler divergence of the list's categories from
    those of the taste rises by if j joins (Steck, "Calibrated recommendations", RecSys 2018,
    equations 5 to 7). Of equal gains the earlier of the shortlist is taken.

    In contrast to the paper, the places of a list that are not yet filled count as filled with the
    shares of the taste. Otherwise the first picks are not the best items but those of the most
    categories.

    Args:
        shortlists, likeness, taste, caps: As described there; the likeness is not read where b is
            0.
        weights: a; b; the share of p in the smoothed q; the pseudo-counts of a column.
        picks: int32 (n, k), set to places in the shortlist, ascending: the best score comes first.
            They are -1 where no further item fits.
    """
    (n_lists, k), n_groups = picks.shape, len(taste.average)
    z, nearest = np.empty(shortlists.rows.shape[1]), np.empty(shortlists.rows.shape[1])
    p, q, counts = np.empty(n_groups), np.empty(n_groups), np.zeros(len(caps.most), np.int64)
    for n in range(n_lists):
        rows, size = shortlists.rows[n], _standardised(shortlists, n, z)
        if n_groups:
            liked = taste.liked[taste.liked_indptr[n] : taste.liked_indptr[n + 1]]
            _set_taste(taste, liked, weights[3], p)
        nearest[:], q[:], counts[:], picks[n], end = 0.0, 0.0, 0, -1, 0
        while end < min(k, size):
            best = _best(rows[:size], z, nearest, taste, p, q, caps, counts, weights, (end, k))
            if best < 0:
                break
            picks[n, end], z[best] = best, np.nan
            _count(caps, rows[best], counts)
            if n_groups:
                _add_shares(taste, rows[best], q)
            if weights[1]:
                _approach(likeness, shortlists.places[n, :size], best, end == 0, nearest)
            end += 1
        picks[n, :end].sort()


@njit(cache=True, nogil=True)
def _best(
    rows: I32,
    z: F64,
    nearest: F64,
    taste: Taste,
    p: F64,
    q: F64,
    caps: Caps,
    counts: I64,
    weights: tuple[float, float, float, float],
    places: tuple[int, int],
) -> int:
    """The place of the item with the largest gain; -1 if none fits. Picked items have a z of NaN.

    Of the ``places``, so many of so many are filled.
    """
    best, most = -1, -np.inf
    for j in range(len(rows)):
        if np.isnan(z[j]) or not _fits(caps, rows[j], counts):
            continue
        gain = weights[0] * z[j] - weights[1] * nearest[j]
        if len(p):
            gain -= _rise(taste, rows[j], p, q, places, weights[2])
        if gain > most:
            best, most = j, gain
    return best


@njit(cache=True, nogil=True)
def _standardised(shortlists: Shortlists, n: int, z: F64) -> int:
    """Set z to the scores, less the best, in standard deviations; the size of the shortlist."""
    rows, scores = shortlists.rows[n], shortlists.scores[n]
    size, mean, square = 0, 0.0, 0.0
    while size < len(rows) and rows[size] >= 0:
        mean += scores[size]
        size += 1
    mean /= max(size, 1)
    for j in range(size):
        square += (scores[j] - mean) ** 2
    deviation = np.sqrt(square / max(size, 1))
    for j in range(size):
        z[j] = (scores[j] - scores[0]) / deviation if deviation > 0 else 0.0
    return size


@njit(cache=True, nogil=True)
def _fits(caps: Caps, row: int, counts: I64) -> bool:
    """Whether the list may have this item, too."""
    for at in range(caps.indptr[row], caps.indptr[row + 1]):
        if counts[caps.ids[at]] >= caps.most[caps.ids[at]]:
            return False
    return True


@njit(cache=True, nogil=True)
def _count(caps: Caps, row: int, counts: I64) -> None:
    for at in range(caps.indptr[row], caps.indptr[row + 1]):
        counts[caps.ids[at]] += 1


@njit(cache=True, nogil=True)
def _add_shares(taste: Taste, row: int, sums: F64) -> None:
    for at in range(taste.indptr[row], taste.indptr[row + 1]):
        sums[taste.ids[at]] += taste.shares[at]


@njit(cache=True, nogil=True)
def _set_taste(taste: Taste, liked: I32, pseudo_count: float, p: F64) -> None:
    """Set p (G,) to the shares of the categories in what is liked, drawn towards the average."""
    p[:] = taste.average
    for row in liked:
        _add_shares(taste, row, p)
    p /= pseudo_count + len(liked)


@njit(cache=True, nogil=True)
def _rise(
    taste: Taste, row: int, p: F64, q: F64, places: tuple[int, int], smoothing: float
) -> float:
    """What an item adds to the cost of the divergence, sum p log(p / q'), if it joins the list.

    With r of k places empty after it, q' = (1 - smoothing) (q + r p) / k + smoothing p, where q
    sums the shares of the list. The item changes q' of its own categories alone.
    """
    rise, (filled, k) = 0.0, places
    empty = k - filled - 1
    for at in range(taste.indptr[row], taste.indptr[row + 1]):
        g = taste.ids[at]
        if p[g] > 0:
            before = (1 - smoothing) * (q[g] + empty * p[g]) / k + smoothing * p[g]
            ratio = 1 + (1 - smoothing) * taste.shares[at] / k / before
            rise -= taste.strength[g] * p[g] * np.log(ratio)
    return rise


@njit(cache=True, nogil=True)
def _approach(likeness: Likeness, places: I32, best: int, is_first: bool, nearest: F64) -> None:
    """Raise the similarity of each item with the most similar of the list, after a pick."""
    pick = likeness.values[places[best]]
    for j in range(len(places)):
        similarity = 0.0
        if likeness.is_table:
            similarity += pick[places[j]]
        else:
            similarity += _product(pick, likeness.values[places[j]])
        nearest[j] = similarity if is_first else max(nearest[j], similarity)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})  # as in `kernels.factors`
def _product(x: F32, y: F32) -> float:
    total = 0.0
    for f in range(len(x)):
        total += np.float64(x[f]) * np.float64(y[f])
    return total
