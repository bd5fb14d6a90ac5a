"""LensKit: scorers in pipelines, for ratings and for lists."""

from typing import Any

import numpy as np
import pandas as pd
from lenskit import batch
from lenskit.als import BiasedMFScorer, ImplicitMFScorer
from lenskit.data import from_interactions_df
from lenskit.knn import EASEScorer, ItemKNNScorer
from lenskit.pipeline import predict_pipeline, topn_pipeline
from lenskit.training import TrainingOptions

from peers.table import Table

PACKAGE = "lenskit"
SCORERS = {
    "BiasedMF": BiasedMFScorer,
    "ImplicitMF": ImplicitMFScorer,
    "ItemKNN": ItemKNNScorer,
    "EASE": EASEScorer,
}


def prepare(table: Table) -> Any:
    """Its dataset; the table stays beside it."""
    frame = pd.DataFrame({"user_id": table.users, "item_id": table.items, "rating": table.ratings})
    return from_interactions_df(frame), table


def fit(data: Any, *, seed: int, threads: int, model: str, **options: Any) -> Any:
    """A trained pipeline around a scorer."""
    make = predict_pipeline if model == "BiasedMF" else topn_pipeline
    pipeline = make(SCORERS[model](**options))
    pipeline.train(data[0], TrainingOptions(rng=seed))
    return pipeline


def predict(model: Any, data: Any, pairs: Table) -> Any:
    """Its batch of predictions, put in the order of the pairs; a bias model steps in for gaps."""
    frame = pd.DataFrame({"user_id": pairs.users, "item_id": pairs.items})
    found = batch.predict(model, frame, n_jobs=1).to_df()
    keys = found["user_id"].to_numpy(np.int64) * data[1].n_items + found["item_id"].to_numpy()
    order = np.argsort(keys)
    asked = pairs.users.astype(np.int64) * data[1].n_items + pairs.items
    return found["score"].to_numpy()[order[np.searchsorted(keys[order], asked)]]


def top(model: Any, data: Any, users: Any, k: int) -> Any:
    """Its batch of lists."""
    found = batch.recommend(model, [int(user) for user in users], n=k, n_jobs=1)
    lists = {int(key.user_id): items.ids() for key, items in found.items()}
    return np.stack([lists[int(user)] for user in users])
