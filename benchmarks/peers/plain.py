"""Plain NumPy: what lists for everyone cost without any library, from factors drawn at random."""

from typing import Any

import numpy as np

from peers.table import Table, best_unseen

PACKAGE = "numpy"


def prepare(table: Table) -> Any:
    """Compressed rows of ones."""
    return table.ones()


def fit(data: Any, *, seed: int, threads: int, n_factors: int) -> Any:
    """No fit: factors of users and items."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, n_factors)).astype(np.float32) for n in data.shape]


def top(model: Any, data: Any, users: Any, k: int) -> Any:
    """One product, the seen set to minus infinity, a partition, a sort."""
    return best_unseen(model[0][users] @ model[1].T, data, users, k)
