"""The nearest neighbours of every item: by blocked matrix products, or by an approximate index."""

import time
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tastemap.arrays import F32, I64, IndexArray
from tastemap.errors import ArgumentError, MissingPackageError, UnsupportedError
from tastemap.models.base.factors import HasFactors
from tastemap.models.base.recommender import Recommender
from tastemap.support.progress import progress_bar

# By default more items are indexed: the time of comparing all pairs grows with the square of their
# number, the time of an index about in proportion to it.
MAX_EXACT_ITEMS = 1_000_000
# Items whose neighbours by the index are compared with the exact neighbours.
SAMPLE_SIZE = 1000
# Cosines held at once: so many bytes, or those of so many items if these need more.
BLOCK_BYTES, MIN_BLOCK_ITEMS = 8 * 2**20, 128


class Neighbours(NamedTuple):
    """The neighbours of every item, and the recall and time of the search.

    Attributes:
        frame: ``item_id, rank, neighbour_id, title, similarity``, item by item, most similar first;
            ``title`` is the neighbour's, ``similarity`` in [-1, 1] that of `similar_items`. Items
            without a rating, and placeholders, have no neighbours and are none.
        recall: Share of the exact k neighbours that the index finds, over a sample of a thousand
            items; None where all neighbours are exact.
        seconds: Time of the search.
    """

    frame: pl.DataFrame
    recall: float | None
    seconds: float


def similar_all(
    model: Recommender, k: int = 10, *, approximate: bool | None = None, progress: bool = False
) -> Neighbours:
    """The k most similar items of every item, as `Recommender.similar_items` finds them for one.

    Args:
        model: A fitted model with factors.
        k: Number of neighbours, less than the number of rated items.
        approximate: Search a graph of neighbours (HNSW; Malkov and Yashunin, "Efficient and robust
            approximate nearest neighbor search using hierarchical navigable small world graphs",
            2018) instead of comparing all with all. By default where there are more than a million
            items.
        progress: Whether to show a progress bar on standard error.

    Raises:
        ArgumentError: If k is not between 1 and the number of other rated items.
        UnsupportedError: If the model has no factors.
        MissingPackageError: If an index is needed and USearch is not installed.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> from tastemap.models.registry import make_model
        >>> model = make_model("mf").fit(synthetic_ratings())
        >>> neighbours = similar_all(model, k=3)
        >>> neighbours.frame.shape, neighbours.recall
        ((240, 5), None)
    """
    data = model.fitted_data
    if not isinstance(model, HasFactors) or not model.capabilities.similar_items:
        raise UnsupportedError(f"{type(model).__name__} has no factors", do="use another model")
    is_listed = (data.by_item.counts > 0) & ~data.items.placeholders
    rated = np.flatnonzero(is_listed).astype(np.int32)
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k < len(rated):
        expected = f"a whole number from 1 to {len(rated) - 1}, the number of other rated items"
        raise ArgumentError("k", expected=expected, received=k)
    approximate = len(rated) > MAX_EXACT_ITEMS if approximate is None else approximate
    start = time.perf_counter()
    vectors = model.similarity_vectors()[rated]
    recall = None
    if approximate:
        index = _index(vectors, progress)
        near = _by_index(index, vectors, np.arange(len(vectors)), k)
        size = min(SAMPLE_SIZE, len(vectors))
        sample = np.random.default_rng(0).choice(len(vectors), size, replace=False)
        pairs = zip(_by_products(vectors, sample, k, progress=False), near[sample], strict=True)
        recall = float(np.mean([np.isin(exact, indexed).mean() for exact, indexed in pairs]))
    else:
        near = _by_products(vectors, np.arange(len(vectors)), k, progress)
    seconds = time.perf_counter() - start
    return Neighbours(_frame(model, rated, vectors, near), recall, seconds)


def _by_products(vectors: F32, targets: I64, k: int, progress: bool) -> IndexArray:
    """Rows (n, k) of the nearest of the target rows, from all products, a block at a time."""
    from tastemap.kernels.top_k import best_rows

    size = max(MIN_BLOCK_ITEMS, BLOCK_BYTES // (4 * len(vectors)))
    near = np.empty((len(targets), k), np.int32)
    starts = range(0, len(targets), size)
    with progress_bar("comparing", len(starts), "blocks", progress) as step:
        for start in starts:
            block = targets[start : start + size]
            products = vectors[block] @ vectors.T
            products[np.arange(len(block)), block] = -np.inf
            near[start : start + size], _ = best_rows(products, k)
            step("")
    return near


def _index(vectors: F32, progress: bool) -> Any:
    """The index of the rows, a graph of neighbours."""
    try:
        from usearch.index import Index
    except ImportError:
        raise MissingPackageError(
            f"package usearch, which finds neighbours among {len(vectors):,} items",
            expected="it to be installed",
            received="no such package",
            do="install the extra \"scale\", in a clone: pip install '.[scale]';"
            " or compare all with all (approximate=False)",
        ) from None
    # Of vectors made one longer, so that their lengths are 1, the cosine with one that is longer by
    # 0 has the order of the products (Bachrach et al., RecSys 2014, section 3).
    rest = np.sqrt(np.maximum(1.0 - np.einsum("nd,nd->n", vectors, vectors), 0.0))
    index = Index(ndim=vectors.shape[1] + 1, metric="cos", dtype="f32", enable_key_lookups=False)
    keys, size = np.arange(len(vectors)), max(1, len(vectors) // 100)
    starts = range(0, len(vectors), size)
    with progress_bar("indexing", len(starts), "blocks", progress) as step:
        for start in starts:
            part = slice(start, start + size)
            index.add(keys[part], np.column_stack([vectors[part], rest[part]]), copy=True)
            step("")
    return index


def _by_index(index: Any, vectors: F32, targets: I64, k: int) -> IndexArray:
    """Rows (n, k) of the nearest of the target rows by the index, each target itself left out."""
    queries = np.pad(vectors[targets], ((0, 0), (0, 1)))
    keys = np.asarray(index.search(queries, k + 1).keys).astype(np.int64)
    others = keys != targets[:, None]
    # If the index does not find the target itself, the last neighbour is one too many.
    others[others.all(axis=1), -1] = False
    return keys[others].reshape(len(targets), k).astype(np.int32)


def _frame(model: HasFactors, rated: IndexArray, vectors: F32, near: IndexArray) -> pl.DataFrame:
    """The neighbours with ids, titles and similarities."""
    n, k = near.shape
    items = model.ratings_.items
    similarity = np.empty((n, k), np.float32)
    size = max(1, BLOCK_BYTES // (4 * k * vectors.shape[1]))
    for start in range(0, n, size):
        part = slice(start, start + size)
        similarity[part] = np.einsum("nf,nkf->nk", vectors[part], vectors[near[part]])
    similarity = np.clip(similarity, -1.0, 1.0)
    rows = rated[near.ravel()]
    return pl.DataFrame(
        [
            items.ids_at(np.repeat(rated, k)),
            pl.Series("rank", np.tile(np.arange(1, k + 1, dtype=np.int32), n)),
            items.ids_at(rows).rename("neighbour_id"),
            items.titles.gather(rows),
            pl.Series("similarity", similarity.ravel()),
        ]
    )
