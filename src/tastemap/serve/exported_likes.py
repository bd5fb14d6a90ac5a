"""A model of likes as the exported site takes it: weights of pairs of items, and neighbours."""

import base64
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from tastemap.arrays import Mask
from tastemap.errors import UnsupportedError
from tastemap.models.base.item_based import LikeModel, LikeTerm
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.selection import top_k

#: So many weights are exported, each of two bytes: 4,096 items of which each pair has one.
MAX_WEIGHTS = 2**24
#: Neighbours of an item that the site lists.
N_NEIGHBOURS = 10
# A weight is a whole number of steps, of which the largest of its row has so many.
N_STEPS = 32_767


def likes_data(model: Recommender) -> dict[str, Any]:
    """What scores, explains and compares items in a browser, ready for JSON.

    Raises:
        UnsupportedError: If the model's scores are no sums over what a person likes, or there are
            more weights than a browser can be sent.
    """
    if not isinstance(model, LikeModel):
        raise UnsupportedError(
            f"{model.learnt_by_} cannot be exported: its scores are no sums over what is liked",
            do="export an ease, item-knn or next-item model",
        )
    terms = model.like_terms()
    if (n_weights := sum(map(_n_weights, terms))) > MAX_WEIGHTS:
        raise UnsupportedError(
            f"{model.learnt_by_} cannot be exported: it has {n_weights:,} weights of pairs of "
            f"items, and a page can be sent {MAX_WEIGHTS:,}",
            do="export an item-knn model with fewer neighbours (n_neighbours=20)",
        )
    data = model.fitted_data
    popularity = data.likes().by_item.counts
    rows, similarity = _neighbours(model, (popularity > 0) & ~data.items.placeholders)
    return {
        "terms": [_term_data(term) for term in terms],
        "popularity": packed(popularity, np.uint32),
        "frequency": packed(data.by_item.counts, np.uint32),
        "ordered": model.capabilities.ordered,
        "neighbours": packed(rows, np.int32),
        "similarity": packed(similarity, np.float32),
    }


def packed(values: ArrayLike, dtype: Any) -> str:
    """Numbers as base64 of their little-endian bytes."""
    array = np.ascontiguousarray(values, dtype=np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(array.tobytes()).decode()


def _n_weights(term: LikeTerm) -> int:
    """How many weights are not 0."""
    weights = term.weights
    return int(weights.nnz if isinstance(weights, csr_array) else np.count_nonzero(weights))


def _term_data(term: LikeTerm) -> dict[str, Any]:
    """A term; if most of its weights are 0, those that are not with their columns."""
    W = csr_array(term.weights)
    n, nnz = W.shape[0], np.diff(W.indptr)
    largest = np.zeros(n, dtype=np.float32)
    largest[nnz > 0] = np.maximum.reduceat(np.abs(W.data), W.indptr[:-1][nnz > 0])
    step = largest / N_STEPS
    W.data = np.rint(W.data / np.repeat(np.where(step > 0, step, 1), nnz)).astype(np.int16)
    is_dense = 2 * W.nnz >= n * n
    return {
        "weights": packed(W.toarray() if is_dense else W.data, np.int16),
        "step": packed(step, np.float32),
        "indptr": None if is_dense else packed(W.indptr, np.uint32),
        "columns": None if is_dense else packed(W.indices, np.uint32),
        "place_weights": None if term.place_weights is None else term.place_weights.tolist(),
        "power": term.power,
        "scale": None if term.scale is None else packed(term.scale, np.float32),
    }


def _neighbours(model: LikeModel, is_listed: Mask) -> tuple[Any, Any]:
    """The items most similar to each, (n, k) rows, -1 where there are no more, and similarities."""
    n = len(is_listed)
    k = min(N_NEIGHBOURS, max(n - 1, 1))
    neighbours = np.full((n, k), -1, dtype=np.int32)
    similarities = np.zeros((n, k), dtype=np.float32)
    for item in range(n):
        similarity = model.similarity_rows(item)
        allowed = is_listed.copy()
        allowed[item] = False
        rows = top_k(similarity, allowed, k)
        neighbours[item, : len(rows)] = rows
        similarities[item, : len(rows)] = similarity[rows]
    return neighbours, similarities
