"""A model of a part of the users, for an executor."""

from typing import Any

import numpy as np
import polars as pl

from tastemap.arrays import F32, I64, AnyArray, IndexArray
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.models.base.artifact import Artifact
from tastemap.models.base.factors import FactorModel, Factors


def shard(
    items: AnyArray, mu: float, weights: AnyArray, seen: tuple[AnyArray, IndexArray]
) -> FactorModel:
    """A model of some users; the ids of users and items are row numbers.

    Args:
        items: float32 (n_items + 1, 1 + f), rows (b_i, q_i), the last for unknown items.
        mu: The global mean.
        weights: float32 (n, 1 + f), rows (b_u, p_u) of the users.
        seen: CSR of the items that each user has rated: ``indptr`` (n + 1,) and item rows.
    """
    indptr, index = seen
    average = np.zeros_like(weights, shape=(1, items.shape[1]))
    ratings = Ratings(
        user_index=np.repeat(np.arange(len(weights), dtype=np.int32), np.diff(indptr)),
        item_index=index,
        rating=np.ones(len(index), dtype=np.float32),  # only says that the item was rated
        timestamp=None,
        users=Vocabulary(pl.Series(np.arange(len(weights))), "user"),
        items=Vocabulary(pl.Series(np.arange(len(items) - 1)), "item"),
        scale=Scale.infer(np.ones(1)),
    )
    arrays = Factors(mu, np.vstack([weights, average]), items).arrays()
    return FactorModel.from_artifact(Artifact("FactorModel", {}, arrays, ratings, 0, "shard"))


def csr(column: Any) -> tuple[I64, AnyArray]:
    """``indptr`` (n + 1,) and values of a list column of Arrow; a null list counts as empty."""
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return indptr, column.flatten().to_numpy(zero_copy_only=False)


def rows(column: Any, width: int) -> F32:
    """A list column of equal lengths as (n, width); zeros for a null list."""
    indptr, values = csr(column)
    filled = np.diff(indptr) > 0
    matrix = np.zeros((len(column), width), dtype=np.float32)
    matrix[filled] = values.reshape(-1, width)
    return matrix
