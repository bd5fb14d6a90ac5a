"""implicit: factorisation of implicit feedback, compiled."""

from typing import Any

import implicit.als
import implicit.bpr
import numpy as np

from peers.table import Table

PACKAGE = "implicit"
MODELS = {
    "ALS": implicit.als.AlternatingLeastSquares,
    "BPR": implicit.bpr.BayesianPersonalizedRanking,
}


def prepare(table: Table) -> Any:
    """Compressed rows of ones."""
    return table.ones()


def fit(data: Any, *, seed: int, threads: int, model: str, **options: Any) -> Any:
    """A model, without its progress bar."""
    made = MODELS[model](random_state=seed, num_threads=threads, **options)
    made.fit(data, show_progress=False)
    return made


def top(model: Any, data: Any, users: Any, k: int) -> Any:
    """Its own batch of lists."""
    return np.asarray(model.recommend(users, data[users], N=k)[0])
