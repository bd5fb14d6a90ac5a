"""Asking for memory ahead changes nothing but the time."""

import numpy as np
from numba import njit

from tastemap.kernels.prefetch import fetch_row


def test_what_is_fetched_stays_as_it_is_and_need_not_exist() -> None:
    @njit
    def fetch(table: np.ndarray) -> None:
        for row in range(-1000, 1000):
            fetch_row(table.ctypes.data, row, 4 * table.shape[1])
        fetch_row(0, 0, 1000)

    table = np.arange(12, dtype=np.float32).reshape(3, 4)
    before = table.copy()
    fetch(table)
    np.testing.assert_array_equal(table, before)
