"""TODO docstring of src/tastemap/kernels/ease.py."""

import numba as nb
import numpy as np
import numpy.typing as npt
from numba import njit


@nb.njit(cache=True)
def pair_sums(
    item_offsets: npt.NDArray[np.int64],
    users: npt.NDArray[np.int32],
    user_offsets: npt.NDArray[np.int64],
    items: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float32],
    sums: npt.NDArray[np.float32],
) -> None:
    """Weight of the users of each pair of items: X'WX for a matrix X of zeros and ones.

    Row i adds up the rows of X of the users of item i, so that one row of the result is worked on
    at a time; by symmetry only the items up to i are added, and mirrored at the end.

    Args:
        item_offsets, users: Item i has the users ``users[item_offsets[i]:item_offsets[i + 1]]``.
        user_offsets, items: The same for users, with the items of each in ascending order.
        weights: float32 (n_users,), the diagonal of W.
        sums: float32 (n_items, n_items), zeros; filled in place.
    """
    n_items = len(sums)
    for i in range(n_items):
        row = sums[i]
        for n in range(item_offsets[i], item_offsets[i + 1]):
            u = users[n]
            w = weights[u]
            for m in range(user_offsets[u], user_offsets[u + 1]):
                if items[m] > i:
                    break
                row[items[m]] += w
    for i in range(n_items):
        for j in range(i):
            sums[j, i] = sums[i, j]


@nb.njit(cache=True)
def weights_in_place(
    weights: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64],
    scale: npt.NDArray[np.float32],
) -> None:
    """Turn an inverse P of some items into weights c_j P_ij of all, in the same memory.

    Args:
        weights: float32 (n_items, n_items), contiguous, whose first numbers are P (m, m); set to
            the weights, with a diagonal of 0, and 0 wherever P has no row or no column.
        rows: (m,), the items of P, ascending.
        scale: float32 (m,), c_j of the columns.
    """
    n, m = len(weights), len(rows)
    numbers = weights.ravel()
    row = np.empty(m, np.float32)
    k = m - 1
    # From the end, where no number is overwritten before it is read.
    for i in range(n - 1, -1, -1):
        new = numbers[i * n : (i + 1) * n]
        if k >= 0 and rows[k] == i:
            for j in range(m):
                row[j] = numbers[k * m + j] * scale[j]
            row[k] = 0.0
            new[:] = 0.0
            for j in range(m):
                new[rows[j]] = row[j]
            k -= 1
        else:
            new[:] = 0.0


# Columns summed at a time: so many of a few thousand rows stay in the second cache, and a fixed
# number of them makes vectors.
_WIDTH = 64


I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]


@njit(cache=True, nogil=True)
def sums_of_rows(offsets: I64, rows: I32, X: F32, out: F32) -> None:
    """Set out (n, m) to the sums of rows of X (k, m), added up in the order given.

    Args:
        offsets: (n + 1,); sum a is that of X at ``rows[offsets[a]:offsets[a + 1]]``.
        rows: (N,), none negative.
    """
    n, m = out.shape
    out[:] = 0.0
    whole = m // _WIDTH * _WIDTH
    for first in range(0, whole, _WIDTH):
        for a in range(n):
            total = out[a, first : first + _WIDTH]
            for i in range(offsets[a], offsets[a + 1]):
                row = X[np.uint64(rows[i]), first : first + _WIDTH]
                for k in range(_WIDTH):
                    total[k] += row[k]
    for a in range(n):
        for i in range(offsets[a], offsets[a + 1]):
            for k in range(whole, m):
                out[a, k] += X[rows[i], k]
