"""What somebody likes more than everybody does."""

from typing import NamedTuple

import numpy as np

from tastemap.arrays import F64, FloatArray

#: Items that are looked at: so many of the best known.
N_ITEMS = 300


class Taste(NamedTuple):
    """What somebody likes more than everybody does, of the best known items.

    Attributes:
        direction: float64 (m,), at mean 0 and length 1.
        scores: float64 (m,), the scores themselves.
    """

    direction: F64
    scores: F64


def taste_beyond(everybody: FloatArray, scores: FloatArray) -> Taste:
    """What of somebody's scores (m,) everybody's do not explain, by least squares.

    Example:
        >>> everybody = np.array([1.0, 2.0, 3.0, 4.0])
        >>> taste_beyond(everybody, 5 - everybody).direction.tolist()
        [0.0, 0.0, 0.0, 0.0]
    """
    mine = np.asarray(scores, dtype=np.float64)
    about = np.asarray(everybody, dtype=np.float64) - np.mean(everybody)
    slope = (about @ mine) / max(float(about @ about), 1e-12)
    rest = mine - mine.mean() - slope * about
    return Taste(rest / max(float(np.linalg.norm(rest)), 1e-12), mine)
