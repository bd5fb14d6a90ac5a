"""The standard normal distribution function and its inverse, fast enough for inner loops.

References:
    Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied
    Statistics 37(3), 1988 (PPND7, about seven digits).
"""

import math

import numpy as np
from numba import njit

from tastemap.arrays import F32, F64

# Phi at the points -8, -8 + 1/128, ..., 8, interpolated linearly between them (error below 2e-6).
_TABLE_END, _POINTS_PER_UNIT = 8.0, 128
_TABLE = np.array(
    [
        0.5 * math.erfc(-(n / _POINTS_PER_UNIT - _TABLE_END) / math.sqrt(2.0))
        for n in range(2 * int(_TABLE_END) * _POINTS_PER_UNIT + 1)
    ]
)

# The same in float32 for predictions, 256 to the unit from -6 to 6 (error below 1e-6).
_FINE_END, _FINE_POINTS = np.float32(6.0), np.float32(256)
_FINE_STEPS = 2 * 6 * 256
_FINE_TABLE = np.array(
    [0.5 * math.erfc(-(n / 256 - 6.0) / math.sqrt(2.0)) for n in range(_FINE_STEPS + 2)],
    dtype=np.float32,
)
_ZERO, _NEXT = np.float32(0.0), np.uint32(1)


@njit(cache=True)
def cdf(x: float) -> float:
    """Phi(x), from a table; 6e-16 below -8 and 1 above 8."""
    place = (x + _TABLE_END) * _POINTS_PER_UNIT
    if not place > 0.0:
        return _TABLE[0]
    if place >= len(_TABLE) - 1:
        return 1.0
    n = int(place)
    return _TABLE[n] + (place - n) * (_TABLE[n + 1] - _TABLE[n])


# With an index that might be negative the loop would not use vector registers.
@njit(cache=True, nogil=True, fastmath={"contract"})
def add_cdf(cut: float, f: F32, width: F32, share: float, total: F64) -> None:
    """Add ``share`` times Phi((cut - f) width), with an error below 1e-6, to total (n,).

    f and width, (n,), are the mean and one over the deviation of each of n variables.
    """
    last = np.float32(_FINE_STEPS)
    cut_point = np.float32(cut)
    for i in range(len(f)):
        place = ((cut_point - f[i]) * width[i] + _FINE_END) * _FINE_POINTS
        place = max(_ZERO, place)  # also of what is no number
        place = min(last, place)
        n = np.uint32(place)
        low = _FINE_TABLE[n]
        total[i] += share * (low + (place - np.float32(n)) * (_FINE_TABLE[n + _NEXT] - low))


@njit(cache=True)
def quantile(p: float) -> float:
    """Phi^-1(p) for p in (0, 1)."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        above = ((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179
        below = ((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0
        return q * above / below
    r = math.sqrt(-math.log(min(p, 1.0 - p)))
    if r <= 5.0:
        r -= 1.6
        above = ((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777
        below = (0.12021132975 * r + 0.73700164250) * r + 1.0
    else:
        r -= 5.0
        above = ((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150
        below = (0.012258202635 * r + 0.24197894225) * r + 1.0
    return math.copysign(above / below, q)


@njit(cache=True)
def truncated(mean: float, scale: float, lower: float, upper: float, u: float) -> float:
    """A number from N(mean, scale^2) between two bounds, by inversion of a uniform u.

    If both bounds are above the mean, the mirror image is drawn: floats represent Phi near 0 more
    exactly than near 1.
    """
    a, b = (lower - mean) / scale, (upper - mean) / scale
    sign = 1.0
    if a > 0.0:
        a, b, sign = -b, -a, -1.0
    p, q = cdf(a), cdf(b)
    x = quantile(min(max(p + u * (q - p), 1e-300), 1.0 - 1e-16))
    return mean + sign * scale * min(max(x, a), b)
