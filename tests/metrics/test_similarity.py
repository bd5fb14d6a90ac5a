"""Rows at length one."""

import numpy as np

from tastemap.metrics.similarity import unit_rows


def test_products_of_unit_rows_are_cosines_in_the_type_of_the_factors() -> None:
    factors = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]], np.float32)
    unit = unit_rows(factors)
    assert unit.dtype == np.float32
    half = np.sqrt(0.5)
    np.testing.assert_allclose(unit @ unit.T, [[1, half, 0], [half, 1, 0], [0, 0, 0]], rtol=1e-6)
