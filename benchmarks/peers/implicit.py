"""implicit: factorisation and neighbours of implicit feedback, compiled."""

from typing import Any

import implicit.als
import implicit.bpr
import implicit.nearest_neighbours
import numpy as np

from peers.table import Table

PACKAGE = "implicit"
MODELS = {
    "ALS": implicit.als.AlternatingLeastSquares,
    "BPR": implicit.bpr.BayesianPersonalizedRanking,
    "BM25": implicit.nearest_neighbours.BM25Recommender,
    "TFIDF": implicit.nearest_neighbours.TFIDFRecommender,
}
DRAWING = ("ALS", "BPR")


def prepare(table: Table) -> Any:
    """Compressed rows of ones."""
    return table.ones()


def fit(data: Any, *, seed: int, threads: int, model: str, **options: Any) -> Any:
    """A model, without its progress bar."""
    if model in DRAWING:
        options["random_state"] = seed
    made = MODELS[model](num_threads=threads, **options)
    made.fit(data, show_progress=False)
    return made


def top(model: Any, data: Any, users: Any, k: int) -> Any:
    """Its own batch of lists."""
    return np.asarray(model.recommend(users, data[users], N=k)[0])
