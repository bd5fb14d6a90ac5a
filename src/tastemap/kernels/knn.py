"""Nearest neighbours of items: their correlations, and weighted averages over neighbours."""

import numpy as np
from numba import njit

from tastemap.arrays import F32, I32, I64
from tastemap.kernels.top_k import k_best


@njit(cache=True)
def pair_similarities(
    item_indptr: I64,
    users: I32,
    item_residual: F32,
    user_indptr: I64,
    items: I32,
    user_residual: F32,
    shrinkage: float,
    similarity: F32,
) -> None:
    """Correlation of the residuals of each pair of items over their common users, shrunk.

    s_ij = n / (n + shrinkage) times sum of e_ui e_uj / sqrt(sum of e_ui^2 sum of e_uj^2), over
    the n users u of both; 0 where there are none, or one of the sums is 0.

    Args:
        item_indptr, users, user_indptr, items: As in `tastemap.kernels.ease.gram`.
        item_residual, user_residual: float32 (n_ratings,), e in the order of ``users``, ``items``.
        shrinkage: Number of common users at which a correlation counts half.
        similarity: float32 (n_items, n_items), zeros; filled in place but for the diagonal.
    """
    n_items = len(similarity)
    sums = np.zeros((n_items, 4), np.float32)  # n, e_ui e_uj, e_ui^2, e_uj^2
    for i in range(n_items):
        sums[:i] = 0
        for n in range(item_indptr[i], item_indptr[i + 1]):
            u, e_i = users[n], item_residual[n]
            for m in range(user_indptr[u], user_indptr[u + 1]):
                if items[m] >= i:
                    break
                row, e_j = sums[items[m]], user_residual[m]
                row[0] += np.float32(1.0)
                row[1] += e_i * e_j
                row[2] += e_i * e_i
                row[3] += e_j * e_j
        for j in range(i):
            # Residuals next to 0 have squares whose product is no float32 any more.
            lengths = np.sqrt(sums[j, 2]) * np.sqrt(sums[j, 3])
            count, product = sums[j, 0], sums[j, 1]
            if lengths > 0:
                s = count / (count + shrinkage) * product / lengths
                similarity[i, j] = similarity[j, i] = s


@njit(cache=True)
def weighted_neighbours(
    targets: I32, rated: I32, residual: F32, similarity: F32, k: int, damping: float, effects: F32
) -> None:
    """For each target item i, sum of s_ij e_j / (sum of s_ij + damping) over its neighbours j.

    Its neighbours are the k rated items with the highest similarity above 0. Of equal similarities
    the earlier item counts.

    Args:
        targets: int32 (m,), rows of items; those below 0 are left out.
        rated: int32 (n,), rows of the items rated.
        residual: float32 (n,), e_j.
        similarity: float32 (n_items, n_items), symmetric.
        k: Number of neighbours.
        damping: 0 or more.
        effects: float32 (m,), zeros; filled in place.
    """
    similar, places = np.empty(len(rated) + 1, np.float32), np.empty(len(rated) + 1, np.int32)
    s, nearest = np.empty(k, np.float32), np.empty(k, np.int32)
    for a in range(len(targets)):
        if targets[a] < 0:
            continue
        n_similar = 0
        for n in range(len(rated)):
            # Row and column are swapped (s is symmetric): the same rows are read for each target.
            similar[n_similar], places[n_similar] = similarity[rated[n], targets[a]], n
            n_similar += similar[n_similar] > 0
        size = k_best(similar[:n_similar], places[:n_similar], k, s, nearest)
        total, weight = 0.0, damping
        for m in range(size):
            total += s[m] * residual[nearest[m]]
            weight += s[m]
        if size:
            effects[a] = total / weight
