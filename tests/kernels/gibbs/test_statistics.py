"""Sufficient statistics of rows beside their slow twins."""

import numpy as np
import pytest
import slow_twins
from gibbs_case import Case, M

from tastemap.kernels.gibbs.statistics import design, row_statistics, take_from_residuals


@pytest.mark.parametrize("D", [1, 5, 16, 20, 33])
def test_statistics_of_rows(D: int) -> None:
    case = Case(D)
    # All rows but the second, in another order.
    rows = np.array([5, 0, *range(6, M), 4, 3, 2], np.int32)
    r, G = np.empty((len(rows), D), np.float32), np.empty((len(rows), D, D), np.float32)
    X, users = design(case.users), case.user[case.indices]
    row_statistics(rows, case.by_item, case.indices, users, X, case.e, case.w, r, G)
    expected = slow_twins.row_statistics(case.item, case.user, case.users, case.e, case.w, M)
    np.testing.assert_allclose(r, expected[0][rows], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(G, expected[1][rows], rtol=1e-4, atol=1e-4)
    e = case.e.copy()
    take_from_residuals(rows, case.by_item, case.indices, users, X, case.items, e)
    moved = np.einsum("nk,nk->n", slow_twins.design(case.users)[case.user], case.items[case.item])
    expected_e = np.where(case.item == 1, case.e, case.e - moved)
    np.testing.assert_allclose(e, expected_e, rtol=1e-4, atol=1e-4)
