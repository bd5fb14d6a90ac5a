"""Embeddings of items compared by their cosines alone, as the lab does.

A model's own `similar_items` also weighs how many ratings there are to tell from.
"""

import polars as pl

from tastemap.arrays import FloatArray
from tastemap.data.vocabulary import Id
from tastemap.metrics.similarity import cosines
from tastemap.models.base.factors import HasFactors
from tastemap.models.base.selection import ranked, top_k


def embedding_cosine(model: HasFactors, item: Id, other: Id) -> float:
    """The cosine, in [-1, 1], of the embeddings of two items (ids or titles).

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> from tastemap.models.registry import make_model
        >>> model = make_model("mf").fit(synthetic_ratings(), progress=False)
        >>> 0 < model.similarity(1, 3) < embedding_cosine(model, 1, 3) <= 1
        True
    """
    return float(_cosines(model, item)[model.fitted_data.items.find(other)])


def cosine_neighbours(model: HasFactors, item: Id, k: int, *, least: bool = False) -> pl.DataFrame:
    """The k items whose embeddings have the largest cosine with an item's, of those with a rating.

    Args:
        model: A fitted model with factors.
        item: An id or title; it is left out.
        k: Number of items; there are fewer if no more have a rating.
        least: The least cosine in place of the largest.

    Returns:
        Frame ``rank, item_id, title, similarity``, as `Recommender.similar_items` gives.
    """
    data, cosine = model.fitted_data, _cosines(model, item)
    allowed = data.by_item.counts > 0
    allowed[data.items.find(item)] = False
    rows = top_k(-cosine if least else cosine, allowed, k)
    titles = data.items.titles.gather(rows)
    return ranked(data.items.ids_at(rows), title=titles, similarity=cosine[rows])


def _cosines(model: HasFactors, item: Id) -> FloatArray:
    """Cosines (n_items,) of an item's embedding with all."""
    return cosines(model.item_factors, model.fitted_data.items.find(item))
