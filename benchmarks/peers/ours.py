"""tastemap itself, with the calls of its peers."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from peers.table import Table
from tastemap.data.feedback import Source
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.models.batch.recommend import best_items
from tastemap.models.registry import make_model

PACKAGE = "tastemap"


def prepare(table: Table) -> Ratings:
    """`Ratings` with what is known about users and items."""
    users, items = (
        pl.read_parquet(table.folder / f"{kind}.parquet") for kind in ("users", "items")
    )
    return Ratings(
        table.users,
        table.items,
        table.ratings,
        table.times,
        Vocabulary(users["user_id"], "user", users),
        Vocabulary(items["item_id"], "item", items),
        Scale(*table.side["scale"][:2].tolist(), float(table.side["scale"][2]) or None),
        Source("benchmark"),
        table.positions,
    )


def fit(data: Ratings, *, seed: int, threads: int, model: str, **options: Any) -> Any:
    """A model by its name, on a table from which nothing is kept."""
    return make_model(model, **options).fit(replace(data), seed=seed, progress=False)


def predict(model: Any, data: Ratings, pairs: Table) -> Any:
    """Probabilities of the levels where the model has them, else ratings."""
    if not model.has_distribution:
        return model.predict_rows(pairs.users, pairs.items)
    columns = {"user_index": pairs.users, "item_index": pairs.items, "timestamp": pairs.times}
    unrated = np.ones(len(pairs.users), dtype=np.float32)
    return model.ratings_distribution(replace(data, **columns, rating=unrated))


def top(model: Any, data: Ratings, users: Any, k: int) -> Any:
    """The lists of many users, what each has rated left out, and what nobody has."""
    return best_items(model, users, k, seen=(data,), allowed=data.by_item.counts > 0).items
