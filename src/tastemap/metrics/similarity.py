"""Similarity of rows of factors: cosines."""

import numpy as np

from tastemap.arrays import FloatArray


def unit_rows(factors: FloatArray) -> FloatArray:
    """Rows (n, f) scaled to length one, so that their products are cosines; rows of zeros stay.

    Example:
        >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
        [[0.6, 0.8], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    return factors / np.maximum(lengths, np.finfo(np.float32).tiny)


def cosines(factors: FloatArray, row: int) -> FloatArray:
    """Cosine (n,) of one row of factors (n, f) with every row; 0 for rows of zeros.

    Example:
        >>> cosines(np.array([[3.0, 4.0], [0.0, 0.0], [-6.0, -8.0]]), 0).tolist()
        [1.0, 0.0, -1.0]
    """
    norms = np.linalg.norm(factors, axis=1)
    lengths = np.maximum(norms * norms[row], np.finfo(np.float32).tiny)
    return np.clip(factors @ factors[row] / lengths, -1.0, 1.0)
