"""libmf: LIBMF's stochastic gradient on blocks, through its Python wrapper.

The wrapper's `predict` answers batches wrongly (0.9.2), so ratings come from the factors, which are
right. The model has no biases; it learns ratings less their mean, which is better for it.
"""

from typing import Any

import numpy as np
from libmf import mf

from peers.table import Table

PACKAGE = "libmf"


def prepare(table: Table) -> Any:
    """Rows of user, item and rating, as float32; the table stays beside them."""
    return np.column_stack([table.users, table.items, table.ratings]).astype(np.float32), table


def fit(data: Any, *, seed: int, threads: int, centred: bool = False, **options: Any) -> Any:
    """The factors (users, items) and what is added to their product."""
    matrix, table = data
    mean = table.mean if centred else 0.0
    model = mf.MF(nr_threads=threads, quiet=True, **options)
    model.fit(matrix - np.array([0, 0, mean], dtype=np.float32))
    return model.p_factors(), model.q_factors(), mean


def predict(model: Any, data: Any, pairs: Table) -> Any:
    """Products of factors; the mean of the ratings for users and items without any."""
    users, items, mean = model
    table = data[1]
    known = (pairs.users < len(users)) & (pairs.items < len(items))
    user, item = np.where(known, pairs.users, 0), np.where(known, pairs.items, 0)
    found = np.einsum("nk,nk->n", users[user], items[item]) + mean
    return np.where(known & np.isfinite(found), found, table.mean)
