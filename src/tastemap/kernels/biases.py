"""Sums of what is left of the ratings, by user or by item: what biases are estimated from."""

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64, I32


@njit(cache=True)
def residual_sums(
    index: I32, other: I32, rating: F32, mean: float, bias: F64, totals: F64
) -> float:
    """Add r - mean - b of each rating to the total of its row; return the sum of their squares.

    Args:
        index: int32 (n,), the row of each rating on the side that is summed.
        other: int32 (n,), its row on the other side.
        rating: float32 (n,).
        mean: mu.
        bias: float64 (n_other,), b of the other side.
        totals: float64 (n_rows,); changed in place.
    """
    squares = 0.0
    for n in range(len(rating)):
        rest = np.float64(rating[n]) - mean - bias[np.uint64(other[n])]
        totals[np.uint64(index[n])] += rest
        squares += rest * rest
    return squares
