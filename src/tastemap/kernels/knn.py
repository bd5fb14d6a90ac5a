"""Sums over the pairs of items that users have rated both, item by item."""

import numba as nb
import numpy as np
import numpy.typing as npt

from tastemap.kernels.top_k import k_best


@nb.njit(cache=True)
def pair_similarities(
    item_offsets: npt.NDArray[np.int64],
    users: npt.NDArray[np.int32],
    of_item: npt.NDArray[np.float32],
    user_offsets: npt.NDArray[np.int64],
    items: npt.NDArray[np.int32],
    of_user: npt.NDArray[np.float32],
    shrinkage: float,
    similarity: npt.NDArray[np.float32],
) -> None:
    """Correlation of the residuals of each pair of items over their common users, shrunk.

    s_ij = n / (n + shrinkage) times sum of e_ui e_uj / sqrt(sum of e_ui^2 sum of e_uj^2), over
    the n users u of both; 0 where there are none, or one of the sums is 0.

    Args:
        item_offsets, users, user_offsets, items: As in `pair_sums`.
        of_item, of_user: float32 (n_ratings,), residuals in the order of users and of items.
        shrinkage: Number of common users at which a correlation counts half.
        similarity: float32 (n_items, n_items), zeros; filled in place but for the diagonal.
    """
    n_items = len(similarity)
    sums = np.zeros((n_items, 4), np.float32)  # n, e_ui e_uj, e_ui^2, e_uj^2
    for i in range(n_items):
        sums[:i] = 0
        for n in range(item_offsets[i], item_offsets[i + 1]):
            u, e_i = users[n], of_item[n]
            for m in range(user_offsets[u], user_offsets[u + 1]):
                if items[m] >= i:
                    break
                row, e_j = sums[items[m]], of_user[m]
                row[0] += np.float32(1.0)
                row[1] += e_i * e_j
                row[2] += e_i * e_i
                row[3] += e_j * e_j
        for j in range(i):
            count, product, lengths = sums[j, 0], sums[j, 1], sums[j, 2] * sums[j, 3]
            if lengths > 0:
                s = count / (count + shrinkage) * product / np.sqrt(lengths)
                similarity[i, j] = similarity[j, i] = s


@nb.njit(cache=True)
def weighted_neighbours(
    asked: npt.NDArray[np.int32],
    rated: npt.NDArray[np.int32],
    residual: npt.NDArray[np.float32],
    similarity: npt.NDArray[np.float32],
    k: int,
    damping: float,
    moves: npt.NDArray[np.float32],
) -> None:
    """For each item asked for, sum of s_ij e_j / (sum of s_ij + damping) over its neighbours.

    Its neighbours are the k of the rated items with the highest similarity, of those above 0; of
    equal ones the earlier.

    Args:
        asked: int32 (m,), rows of items; those below 0 are left out.
        rated: int32 (n,), rows of the items rated.
        residual: float32 (n,), e_j.
        similarity: float32 (n_items, n_items), symmetric.
        k: Number of neighbours.
        damping: 0 or more.
        moves: float32 (m,), zeros; filled in place.
    """
    similar, places = np.empty(len(rated) + 1, np.float32), np.empty(len(rated) + 1, np.int32)
    s, nearest = np.empty(k, np.float32), np.empty(k, np.int32)
    for a in range(len(asked)):
        if asked[a] < 0:
            continue
        found = 0
        for n in range(len(rated)):
            # The matrix is symmetric: what is read stays in the cache for the next items.
            similar[found], places[found] = similarity[rated[n], asked[a]], n
            found += similar[found] > 0
        size = k_best(similar[:found], places[:found], k, s, nearest)
        total, weight = 0.0, damping
        for m in range(size):
            total += s[m] * residual[nearest[m]]
            weight += s[m]
        if size:
            moves[a] = total / weight
