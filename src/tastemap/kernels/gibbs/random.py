"""Random numbers from a key and a counter: the same numbers on any number of threads.

References:
    Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (SplitMix64).
    Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26(3), 2000.

A kernel gets one key and counts its draws by row. No state is kept between calls.
"""

import math

import numpy as np
from numba import njit

from tastemap.kernels.gibbs.normal import quantile

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)
_FLOAT_SPACING = 2.0**-53


@njit(cache=True)
def mixed(key: np.uint64, counter: int) -> np.uint64:
    """64 random bits: draw number ``counter`` of the stream ``key`` (SplitMix64)."""
    z = key + (np.uint64(counter) + np.uint64(1)) * _GOLDEN
    z = (z ^ (z >> _S30)) * _FIRST
    z = (z ^ (z >> _S27)) * _SECOND
    return z ^ (z >> _S31)


@njit(cache=True)
def uniform(key: np.uint64, counter: int) -> float:
    """A number from the open interval (0, 1)."""
    return (float(mixed(key, counter) >> _S11) + 0.5) * _FLOAT_SPACING


@njit(cache=True)
def normal(key: np.uint64, counter: int) -> float:
    """A standard normal number, Phi^-1 of a uniform one."""
    return quantile(uniform(key, counter))


@njit(cache=True)
def gamma(key: np.uint64, counter: int, shape: float) -> float:
    """A gamma number of the given shape, at least 1, and scale 1 (Marsaglia and Tsang)."""
    stream = mixed(key, counter)
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    attempt = 0
    while True:
        x = normal(stream, attempt)
        v = (1.0 + c * x) ** 3
        u = uniform(stream, attempt + 1)
        attempt += 2
        if v > 0.0 and math.log(u) < 0.5 * x * x + d * (1.0 - v + math.log(v)):
            return d * v
