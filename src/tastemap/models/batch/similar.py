"""The nearest neighbours of every item: by blocked matrix products, or by an approximate index."""

import time
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import IndexArray
from tastemap.errors import ArgumentError, MissingPackageError, UnsupportedError
from tastemap.models.base.factors import HasFactors
from tastemap.models.base.recommender import Recommender
from tastemap.support.progress import progress_bar

# More items than this are not all compared with each other unless that is asked for: the work
# grows with their square, that of an index hardly faster than with their number.
MANY = 1_000_000
# Items whose neighbours by the index are held against the exact ones.
SAMPLE = 1000
# Items at a time: their cosines with all others are held at once, in some megabytes.
_BLOCK = 8 * 2**20
_LEAST = 128

Unit = npt.NDArray[np.float32]


class Neighbours(NamedTuple):
    """The neighbours of every item, and how they were found.

    Attributes:
        frame: ``item_id, rank, neighbour_id, title, similarity``, item by item, most similar first;
            ``title`` is the neighbour's, ``similarity`` a cosine in [-1, 1]. Items without a rating
            have no neighbours and are none.
        recall: Share of the exact k neighbours that the index found, over a sample of a thousand
            items; None where all neighbours are exact.
        seconds: What finding them took.
    """

    frame: pl.DataFrame
    recall: float | None
    seconds: float


def similar_all(
    model: Recommender,
    k: int = 10,
    *,
    approximate: bool | None = None,
    progress: bool = False,
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
        >>> found = similar_all(model, k=3)
        >>> found.frame.shape, found.recall
        ((240, 5), None)
    """
    data = model.fitted_ratings
    if not isinstance(model, HasFactors) or not model.capabilities.similar_items:
        raise UnsupportedError(f"{type(model).__name__} has no factors", do="use another model")
    rated = np.flatnonzero(data.by_item.counts > 0).astype(np.int32)
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k < len(rated):
        expected = f"a whole number from 1 to {len(rated) - 1}, the number of other rated items"
        raise ArgumentError("k", expected=expected, received=k)
    approximate = len(rated) > MANY if approximate is None else approximate
    start = time.perf_counter()
    unit = _unit(model.item_factors[rated])
    recall = None
    if approximate:
        index = _index(unit, progress)
        near = _by_index(index, unit, np.arange(len(unit)), k)
        sample = np.random.default_rng(0).choice(len(unit), min(SAMPLE, len(unit)), replace=False)
        exact = _by_products(unit, sample, k, progress=False)
        recall = float(
            np.mean([np.isin(a, b).mean() for a, b in zip(exact, near[sample], strict=True)])
        )
    else:
        near = _by_products(unit, np.arange(len(unit)), k, progress)
    seconds = time.perf_counter() - start
    return Neighbours(_frame(model, rated, unit, near), recall, seconds)


def _unit(factors: npt.NDArray[Any]) -> Unit:
    """Rows of length one; a row of zeros stays."""
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    return (factors / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)


def _by_products(unit: Unit, asked: npt.NDArray[Any], k: int, progress: bool) -> IndexArray:
    """Rows (n, k) of the nearest of some rows: every cosine is computed, a block at a time."""
    from tastemap.kernels.top_k import best_of, shortlisted

    size = max(_LEAST, _BLOCK // (4 * len(unit)))
    near = np.empty((len(asked), k), np.int32)
    starts = range(0, len(asked), size)
    with progress_bar("comparing", len(starts), "blocks", progress) as step:
        for start in starts:
            block = asked[start : start + size]
            cosines = unit[block] @ unit.T
            cosines[np.arange(len(block)), block] = -np.inf
            rows, owner, ends = shortlisted(cosines, None, k)
            best = np.empty((len(block), k), np.float32)
            best_of(cosines[owner, rows], rows, ends, k, near[start : start + size], best)
            step("")
    return near


def _index(unit: Unit, progress: bool) -> Any:
    """A graph of the rows."""
    try:
        from usearch.index import Index
    except ImportError:
        raise MissingPackageError(
            f"package usearch, which finds neighbours among {len(unit):,} items",
            expected="it to be installed",
            received="no such package",
            do="install the extra \"scale\", in a clone: pip install '.[scale]';"
            " or compare all with all (approximate=False)",
        ) from None
    index = Index(ndim=unit.shape[1], metric="cos", dtype="f32", enable_key_lookups=False)
    keys, size = np.arange(len(unit)), max(1, len(unit) // 100)
    starts = range(0, len(unit), size)
    with progress_bar("indexing", len(starts), "blocks", progress) as step:
        for start in starts:
            index.add(keys[start : start + size], unit[start : start + size], copy=True)
            step("")
    return index


def _by_index(index: Any, unit: Unit, asked: npt.NDArray[Any], k: int) -> IndexArray:
    """Rows (n, k) of the nearest by the graph; the row itself is left out."""
    keys = np.asarray(index.search(unit[asked], k + 1).keys).astype(np.int64)
    others = keys != asked[:, None]
    # Where the row itself was not found, the last one is one too many.
    others[others.all(axis=1), -1] = False
    return keys[others].reshape(len(asked), k).astype(np.int32)


def _frame(model: HasFactors, rated: IndexArray, unit: Unit, near: IndexArray) -> pl.DataFrame:
    """The answer with ids, titles and cosines."""
    n, k = near.shape
    items = model.ratings_.items
    similarity = np.empty((n, k), np.float32)
    for start in range(0, n, 4096):
        part = slice(start, start + 4096)
        similarity[part] = np.einsum("nf,nkf->nk", unit[part], unit[near[part]])
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
