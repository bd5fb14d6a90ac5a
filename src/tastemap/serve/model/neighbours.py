"""The items that count as similar to an item where reasons are given."""

import numpy as np

from tastemap.arrays import IndexArray
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.selection import top_k

#: Similar to an item are this share of the items, and at least so many.
SHARE_OF_SIMILAR, MIN_NEAR = 0.05, 10


def near_rows(model: Recommender, row: int) -> IndexArray:
    """Rows of the most similar twentieth of the items, of those that somebody has rated.

    The most similar comes first. There are none if the model compares no items.
    """
    data = model.fitted_data
    if not model.capabilities.similar_items:
        return np.zeros(0, dtype=np.int32)
    allowed = (data.by_item.counts > 0) & ~data.items.placeholders
    n_near = max(int(SHARE_OF_SIMILAR * np.count_nonzero(allowed)), MIN_NEAR)
    allowed[row] = False
    similarity = model.similarity_rows(row)
    rows = top_k(similarity, allowed, n_near)
    return rows[similarity[rows] > 0]
