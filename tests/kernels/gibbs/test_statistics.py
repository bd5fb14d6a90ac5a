"""Sufficient statistics of rows beside their slow twins."""

import numpy as np
import pytest
import slow_twins
from gibbs_case import Case, M

from tastemap.kernels.gibbs.statistics import design, row_statistics, take_from_residuals


@pytest.mark.parametrize("D", [1, 5, 16, 20, 33])
def test_statistics_of_rows(D: int) -> None:
    case = Case(D)
    r, G = np.empty((M, D), np.float32), np.empty((M, D, D), np.float32)
    X, users = design(case.users), case.user[case.indices]
    row_statistics(case.by_item, case.indices, users, X, case.e, case.w, r, G)
    expected = slow_twins.row_statistics(case.item, case.user, case.users, case.e, case.w, M)
    np.testing.assert_allclose(r, expected[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(G, expected[1], rtol=1e-4, atol=1e-4)
    e = case.e.copy()
    take_from_residuals(case.by_item, case.indices, users, X, case.items, e)
    moved = np.einsum("nk,nk->n", slow_twins.design(case.users)[case.user], case.items[case.item])
    np.testing.assert_allclose(e, case.e - moved, rtol=1e-4, atol=1e-4)
