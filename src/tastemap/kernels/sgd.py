"""Stochastic gradient descent on biases and factors: one pass over the ratings.

What a pass costs for f factors in float32: 12 bytes of input a rating, two rows of 4 f bytes read
and written, and 12 f floating-point operations (2 f for the product, 5 f for each row's step).
"""

import numpy as np
from numba import njit

from tastemap.arrays import F32, I32
from tastemap.kernels.prefetch import AHEAD, fetch_row

# The compiler may reorder sums, to use vector registers, and may fuse a product and a sum into one
# instruction. NaN and infinity keep their meaning: they show that the learning rate is too high.
REORDER = {"reassoc", "contract", "nsz"}


@njit(cache=True, fastmath=REORDER)
def sgd_epoch(
    user_index: I32,
    item_index: I32,
    rating: F32,
    b_u: F32,
    b_i: F32,
    p: F32,
    q: F32,
    eta: float,
    reg: float,
    bias_reg: float,
) -> float:
    """One step for each rating, in the order given; biases and factors change in place.

    Args:
        user_index, item_index: int32 (n,), rows of the ratings, none negative.
        rating: float32 (n,), centred: r_ui - mu.
        b_u, b_i: float32 (n_users,), (n_items,).
        p, q: float32 (n_users, f), (n_items, f).
        eta: Learning rate.
        reg, bias_reg: Penalties of the factors and of the biases.

    Returns:
        Sum over the ratings of the squared error before the rating's step.
    """
    f = p.shape[1]
    eta32, keep = np.float32(eta), np.float32(1.0 - eta * reg)
    keep_bias = np.float32(1.0 - eta * bias_reg)
    squared_error, last = 0.0, len(rating) - 1
    users, items, row_bytes = p.ctypes.data, q.ctypes.data, 4 * f
    for n in range(len(rating)):
        ahead = min(n + AHEAD, last)
        fetch_row(users, user_index[ahead], row_bytes)
        fetch_row(items, item_index[ahead], row_bytes)
        # Unsigned, so that no row is looked up from the end.
        u, i = np.uint64(user_index[n]), np.uint64(item_index[n])
        dot = np.float32(0.0)
        for k in range(f):
            dot += p[u, k] * q[i, k]
        e = rating[n] - b_u[u] - b_i[i] - dot
        squared_error += np.float64(e) * np.float64(e)
        step = eta32 * e
        b_u[u] = keep_bias * b_u[u] + step
        b_i[i] = keep_bias * b_i[i] + step
        for k in range(f):
            p_uk = p[u, k]
            p[u, k] = keep * p_uk + step * q[i, k]
            q[i, k] = keep * q[i, k] + step * p_uk
    return squared_error


@njit(cache=True, fastmath=REORDER)
def squared_error(
    user_index: I32, item_index: I32, rating: F32, b_u: F32, b_i: F32, p: F32, q: F32
) -> float:
    """Sum of (r_ui - b_u - b_i - p_u . q_i)^2; arguments as in `sgd_epoch`."""
    total = 0.0
    for n in range(len(rating)):
        u, i = np.uint64(user_index[n]), np.uint64(item_index[n])
        dot = np.float32(0.0)
        for k in range(p.shape[1]):
            dot += p[u, k] * q[i, k]
        e = np.float64(rating[n] - b_u[u] - b_i[i] - dot)
        total += e * e
    return total
