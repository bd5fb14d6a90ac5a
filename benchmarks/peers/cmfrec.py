"""cmfrec: collective matrix factorisation, of ratings and of implicit feedback."""

from typing import Any

import cmfrec
import numpy as np
from scipy.sparse import coo_matrix

from peers.table import Table, best_unseen

PACKAGE = "cmfrec"


def prepare(table: Table) -> Any:
    """Coordinates and values; the table stays beside them."""
    shape = (table.n_users, table.n_items)
    return coo_matrix((table.ratings, (table.users, table.items)), shape=shape), table


def fit(data: Any, *, seed: int, threads: int, model: str, **options: Any) -> Any:
    """``CMF`` for ratings, ``CMF_implicit`` for lists."""
    matrix, _ = data
    if model == "CMF_implicit":
        matrix = coo_matrix((np.ones(matrix.nnz), (matrix.row, matrix.col)), shape=matrix.shape)
    options |= {"random_state": seed + 1, "nthreads": threads, "verbose": False}
    return getattr(cmfrec, model)(**options).fit(matrix)


def predict(model: Any, data: Any, pairs: Table) -> Any:
    """Its own predictions; users and items without ratings get what it has for them."""
    return model.predict(pairs.users, pairs.items)


def top(model: Any, data: Any, users: Any, k: int) -> Any:
    """From its factors, as it has no lists for several users at once."""
    scores = model.A_[users] @ model.B_.T
    return best_unseen(scores, data[1].ones(), users, k)
