"""Alternating least squares: one half-step, which solves every row of one side.

A row w (a user's weights, say) of one side, with the rows y_j of the other side held fixed, is the
solution of A w = b, where the sums run over the row's n ratings:

    A = G + L + sum of c_j y_j y_j',    b = sum of c_j t_j y_j.

c_j is the confidence in rating j; an empty array says that each is 1.

L is diagonal: the row's penalty lambda, but for the first weight, which has one of its own. A bias
is penalised by what is known of biases, and factors by what is known of factors.

G is the same for all rows: the weighted Gram matrix of implicit feedback, or zero. Conjugate
gradients never form A: a product A v costs 4 f operations a rating and 2 f^2 for G, where a
Cholesky factorisation needs f^2 a rating to form A and f^3 / 3 to solve it.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import get_num_threads, njit

from tastemap.arrays import F32, I32, I64
from tastemap.kernels.prefetch import AHEAD, fetch_row

# The compiler may reorder sums, to use vector registers, and may fuse a product and a sum into one
# instruction. NaN and infinity keep their meaning.
REORDER = {"reassoc", "contract", "nsz"}

# Each thread gets several parts of the rows, so that all threads end at about the same time.
PARTS_PER_THREAD = 8
MIN_RATINGS_PER_PART = 2**14


def solve_all(
    indptr: I64,
    indices: I32,
    target: F32,
    confidence: F32,
    fixed: F32,
    gram: F32,
    ridge: F32,
    first_ridge: F32,
    weights: F32,
    steps: int,
    tolerance: float,
) -> None:
    """`solve_rows` on as many threads as Numba has.

    Rows do not depend on each other, so any number of threads gives the same digits.
    """
    n_threads = get_num_threads()
    n_parts = (
        min(n_threads * PARTS_PER_THREAD, len(indices) // MIN_RATINGS_PER_PART + 1)
        if n_threads > 1
        else 1
    )
    ends = np.linspace(0, len(indices), n_parts + 1)
    cuts = [0, *np.searchsorted(indptr[:-1], ends[1:-1]).tolist(), len(weights)]

    def solve(first: int, end: int) -> None:
        rows = slice(first, end)
        part = indptr[first : end + 1]
        penalties = (ridge[rows], first_ridge[rows])
        values = (target, confidence, fixed, gram)
        solve_rows(part, indices, *values, *penalties, weights[rows], steps, tolerance)

    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(solve, cuts[:-1], cuts[1:]))


@njit(cache=True, nogil=True, fastmath=REORDER)
def solve_rows(
    indptr: I64,
    indices: I32,
    target: F32,
    confidence: F32,
    fixed: F32,
    gram: F32,
    ridge: F32,
    first_ridge: F32,
    weights: F32,
    steps: int,
    tolerance: float,
) -> None:
    """Solve each row by conjugate gradients, from its present value, in place.

    Args:
        indptr: int64 (n + 1,); row u has the ratings ``indptr[u]:indptr[u + 1]``.
        indices: int32 (n_ratings,), rows of the other side.
        target: float32 (n_ratings,), t_j.
        confidence: float32 (n_ratings,), c_j, 0 or more; or (0,) if each is 1.
        fixed: float32 (n_other, f), y_j.
        gram: float32 (f, f), G; or (0, 0) for none.
        ridge: float32 (n,), lambda of each row, above 0.
        first_ridge: float32 (n,), that of the row's first weight, above 0.
        weights: float32 (n, f), the rows w: the start, replaced by the solution.
        steps: Largest number of steps; f + 1 or more are exact up to rounding.
        tolerance: A row is done once |A w - b|^2 falls below tolerance times |b|^2.
    """
    f = fixed.shape[1]
    r, d, Ad = np.empty(f, np.float32), np.empty(f, np.float32), np.empty(f, np.float32)
    for u in range(len(weights)):
        low, high = indptr[u], indptr[u + 1]
        w = weights[u]
        if low == high:
            w[:] = 0
            continue
        rated, penalty, first = indices[low:high], ridge[u], first_ridge[u]
        c = confidence[low:high]  # of an empty array an empty part
        size = _residual(rated, target[low:high], c, fixed, gram, penalty, first, w, r, d)
        d[:] = r
        rr = _dot(r, r)
        for _ in range(steps):
            if rr <= tolerance * size:
                break
            _apply(rated, c, fixed, gram, penalty, first, d, Ad)
            curvature = _dot(d, Ad)
            if not curvature > 0:  # the residual is so small that its square is no number any more
                break
            alpha = np.float32(rr / curvature)
            for k in range(f):
                w[k] += alpha * d[k]
                r[k] -= alpha * Ad[k]
            previous, rr = rr, _dot(r, r)
            beta = np.float32(rr / previous)
            for k in range(f):
                d[k] = r[k] + beta * d[k]


@njit(cache=True, nogil=True, fastmath=REORDER)
def _apply(
    indices: I32,
    confidence: F32,
    fixed: F32,
    gram: F32,
    ridge: float,
    first: float,
    v: F32,
    out: F32,
) -> None:
    """Set out to A v = G v + L v + sum of c_j y_j (y_j . v)."""
    f = fixed.shape[1]
    for k in range(f):
        out[k] = ridge * v[k]
    out[0] = first * v[0]
    for l in range(len(gram)):  # noqa: E741 - G is symmetric: its columns are its rows
        v_l = v[l]
        for k in range(f):
            out[k] += v_l * gram[l, k]
    start, last = fixed.ctypes.data, len(indices) - 1
    for n in range(len(indices)):
        fetch_row(start, indices[min(n + AHEAD, last)], 4 * f)
        j = np.uint64(indices[n])
        dot = np.float32(0.0)
        for k in range(f):
            dot += fixed[j, k] * v[k]
        if len(confidence):
            dot *= confidence[n]
        for k in range(f):
            out[k] += dot * fixed[j, k]


@njit(cache=True, nogil=True, fastmath=REORDER)
def _residual(
    indices: I32,
    target: F32,
    confidence: F32,
    fixed: F32,
    gram: F32,
    ridge: float,
    first: float,
    w: F32,
    r: F32,
    b: F32,
) -> float:
    """Set b to sum of c_j t_j y_j and r to b - A w, in one pass over the ratings; returns |b|^2."""
    f = fixed.shape[1]
    _apply(indices[:0], confidence[:0], fixed, gram, ridge, first, w, r)
    for k in range(f):
        r[k] = -r[k]
        b[k] = 0
    start, last = fixed.ctypes.data, len(indices) - 1
    for n in range(len(indices)):
        fetch_row(start, indices[min(n + AHEAD, last)], 4 * f)
        j, t = np.uint64(indices[n]), target[n]
        rest = t
        for k in range(f):
            rest -= fixed[j, k] * w[k]
        if len(confidence):
            t *= confidence[n]
            rest *= confidence[n]
        for k in range(f):
            b[k] += t * fixed[j, k]
            r[k] += rest * fixed[j, k]
    return _dot(b, b)


@njit(cache=True, nogil=True, fastmath=REORDER)
def _dot(a: F32, b: F32) -> float:
    total = np.float32(0.0)
    for k in range(len(a)):
        total += a[k] * b[k]
    return float(total)
