"""The next item: products of decayed histories, from pairs of places, and sums of weighted rows."""

import numpy as np
from numba import njit

from tastemap.arrays import F32, I32, I64


@njit(cache=True)
def add_pairs(indptr: I64, items: I32, v: F32, C: F32, G: F32, R: F32) -> None:
    """Add S'S to the lower triangle of G and Y'S to R, over all places t but the first of a user.

    Row t of S has w[k - 1] at the item k places before t, up to K places. Row t of Y has a 1 at the
    item at t, which makes v = w; more generally Y'S has v[d - 1] for a pair of items d places
    apart. The weights of an item that comes twice add up. Two items at the places a and
    b = a + d are in the rows t from b + 1 on, with w[t - b + d - 1] and w[t - b - 1]. The sum of
    their products over the m rows that have both is C[d, m], so a pair of places is one addition,
    and not one for each row.

    Args:
        indptr: (n_users + 1,); user u has the items ``items[indptr[u]:indptr[u + 1]]``, oldest
            first.
        items: Rows of G.
        v: (K,), weights by place in Y'S.
        C: (K, K + 1), as `products_of_weights` gives it.
        G, R: (n_items, n_items), added to in place; R has a row for each target.
    """
    K = len(v)
    for u in range(len(indptr) - 1):
        end = indptr[u + 1]
        for a in range(indptr[u], end):
            i = items[a]
            for d in range(min(end - 1 - a, K)):
                j = items[a + d]
                twice = 2 if i == j and d else 1  # (a, b) and (b, a) both lie on the diagonal
                G[max(i, j), min(i, j)] += twice * C[d, min(end - 1 - a - d, K - d)]
                R[items[a + d + 1], i] += v[d]


@njit(cache=True)
def add_weighted_rows(rows: I64, w: F32, B: F32, out: F32) -> None:
    """Add the sum of w[k] B[rows[k]] to out (m,), in the order of the rows.

    Args:
        rows: (K,), rows of B, none negative.
        w: (K,).
        B: (n, m).
    """
    for k in range(len(rows)):
        row, weight = B[rows[k]], w[k]
        for j in range(len(out)):
            out[j] += weight * row[j]


def products_of_weights(w: F32) -> F32:
    """C[d, m], the sum over k < m of w[k + d] w[k], float32 (K, K + 1); 0 for m above K - d.

    Example:
        >>> products_of_weights(np.array([1.0, 0.5], dtype=np.float32)).tolist()
        [[0.0, 1.0, 1.25], [0.0, 0.5, 0.0]]
    """
    K = len(w)
    C = np.zeros((K, K + 1), dtype=np.float32)
    for d in range(K):
        C[d, 1 : K - d + 1] = np.cumsum(w[d:].astype(np.float64) * w[: K - d])
    return C
