"""Some users of a model as a model of their own, for an executor to ask."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import IndexArray
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.models.base.artifact import Artifact
from tastemap.models.base.factors import FactorModel, Factors

_Array = npt.NDArray[Any]


def shard(
    items: _Array, mu: float, scale: Scale, weights: _Array, seen: tuple[_Array, IndexArray]
) -> FactorModel:
    """A model of some users, whose ids are their row numbers here; items are theirs everywhere.

    Args:
        items: float32 (n_items + 1, 1 + f), rows (b_i, q_i), the last for unknown items.
        mu: The global mean.
        scale: Of the ratings.
        weights: float32 (n, 1 + f), rows (b_u, p_u) of the users.
        seen: Offsets (n + 1,) and rows of the items that each of them has rated.
    """
    offsets, index = seen
    average = np.zeros_like(weights, shape=(1, items.shape[1]))
    ratings = Ratings(
        user_index=np.repeat(np.arange(len(weights), dtype=np.int32), np.diff(offsets)),
        item_index=index,
        rating=np.full(len(index), scale.lowest, dtype=np.float32),
        timestamp=None,
        users=Vocabulary(pl.Series(np.arange(len(weights))), "user"),
        items=Vocabulary(pl.Series(np.arange(len(items) - 1)), "item"),
        scale=scale,
    )
    arrays = Factors(mu, np.vstack([weights, average]), items).arrays()
    return FactorModel.from_artifact(Artifact("FactorModel", {}, arrays, ratings, 0, "shard"))


def csr(column: Any) -> tuple[npt.NDArray[np.int64], _Array]:
    """Offsets (n + 1,) and values of a list column of Arrow's; a null list is an empty one."""
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return offsets, column.flatten().to_numpy(zero_copy_only=False)


def rows(column: Any, width: int) -> npt.NDArray[np.float32]:
    """A list column of equal lengths as (n, width); zeros for a null list."""
    offsets, values = csr(column)
    filled = np.diff(offsets) > 0
    found = np.zeros((len(column), width), dtype=np.float32)
    found[filled] = values.reshape(-1, width)
    return found
