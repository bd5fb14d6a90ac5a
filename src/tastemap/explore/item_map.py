"""The 2-D map of the items: t-SNE of their factors."""

import math
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from tastemap.arrays import F32, F64, I64
from tastemap.data.feedback import Feedback
from tastemap.data.nouns import ITEM, Noun
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, TastemapError, TastemapWarning, UnsupportedError
from tastemap.models.base.factors import HasFactors
from tastemap.models.base.recommender import Recommender
from tastemap.support.deadline import current
from tastemap.support.extras import lab_package
from tastemap.support.titles import spoken_all

#: The least number of items of a map.
MIN_ITEMS = 5
# From this many items on, interpolation by FFT is faster than the Barnes-Hut tree.
MIN_ITEMS_OF_FFT = 10_000
# Inner products are rounded to a millionth, because their last bits depend on the threads.
STEPS_OF_PRODUCT = 1e6
# Pairs whose inner products are computed at once: they stay in the caches.
BLOCK_PAIRS = 4096
# Bytes of the scores, in float32, of a block of items.
BLOCK_BYTES = 2**25
# A map compares all items with all others so many times. Its t-SNE has so many iterations, of which
# the time of the first tells that of all.
N_COMPARISONS, N_ITERATIONS, PACE_ITERATIONS = 3, 750, 10
#: The properties that can colour the items of a map.
COLOURS = ("popularity", "average", "year", "genre")
#: Number of the most frequent genres; each has a colour of the palette.
N_GENRES = 7
OTHER = "other"


class SmallMapWarning(TastemapWarning):
    """A map of few items was drawn with a smaller perplexity than requested."""


def item_map(model: Recommender, *, perplexity: float = 30.0, seed: int = 0) -> pl.DataFrame:
    """The map of a model; it is drawn at the first call and stored with the model.

    A saved model includes its map. `project_items` always draws a new map.

    Returns:
        As `project_items`.
    """
    model.fitted_data  # noqa: B018 - refuses a model that is not fitted
    frame = model.item_map_
    if frame is None:
        frame = model.item_map_ = project_items(model, perplexity=perplexity, seed=seed)
    return frame


def project_items(model: Recommender, *, perplexity: float = 30.0, seed: int = 0) -> pl.DataFrame:
    """Draw the items on a plane so that similar items lie close together.

    t-SNE (van der Maaten and Hinton, 2008) by openTSNE, started from the first two principal
    components, so that the map's broad layout is meaningful too. Similarity is a small angle
    between factors, as for `similar_items`, where it counts less if ratings are few. Factors are
    therefore scaled to length one before distances are computed. On MovieLens 100K 56 % of the ten
    items at the smallest angles then lie among the thirty nearest on the map, and 45 % without the
    scaling. (The length, which grows with the number of ratings of an item, hides the direction.)

    The same model, perplexity and seed give the same map bit for bit: one thread, exact
    neighbours. For t-SNE mirror images are equal, so the map is mirrored such that items with many
    ratings lie more to the right and to the top.

    Args:
        model: A fitted model with item factors.
        perplexity: About the number of neighbours that place an item; at least 1.
        seed: Seed of the tiny jitter that separates items with equal factors.

    Returns:
        Frame ``item_id, x, y, preserved`` of the items with a training rating or interaction and
        factors that are not all zero, in item row order, without placeholders. ``preserved``, in
        [0, 1], tells how reliable the map is around an item: the share of its 10 most similar items
        that are among its 30 nearest on the map (of n <= 40 items: n / 4 and 3 n / 4).

    Raises:
        NotFittedError: If the model has not been fitted.
        UnsupportedError: If the model has no item factors.
        ArgumentError: If fewer than 5 items can be drawn, or perplexity is below 1.
        MissingPackageError: If openTSNE is not installed.
        TastemapError: If it would not be done by the `tastemap.support.deadline.deadline` around
            this call.
    """
    rows, directions = _directions(model)
    if not perplexity >= 1:
        raise ArgumentError("perplexity", expected="at least 1", received=repr(perplexity))
    # Each item needs three times the perplexity in neighbours.
    possible = (len(rows) - 1) / 3
    if perplexity > possible:
        warnings.warn(
            f"perplexity {perplexity:g} needs more than {3 * perplexity:g} items; with "
            f"{len(rows)} items the map is drawn with perplexity {possible:.3g}",
            SmallMapWarning,
            stacklevel=2,
        )
    places = _tsne(directions, min(perplexity, possible), seed)
    places -= places.mean(axis=0)
    popular = model.ratings_.by_item.counts[rows] @ places
    places *= np.where(popular < 0, -1.0, 1.0)
    return pl.DataFrame(
        {
            "item_id": model.ratings_.items.ids_at(rows),
            "x": places[:, 0],
            "y": places[:, 1],
            "preserved": _preserved(directions, places),
        }
    )


def describe_map(map_frame: pl.DataFrame, noun: Noun = ITEM) -> str:
    """A sentence for the reader of a map on how reliable it is.

    Args:
        map_frame: The map, with its column ``preserved``.
        noun: What an item is called.

    Example:
        >>> frame = pl.DataFrame({"item_id": range(100), "preserved": [0.5] * 100})
        >>> describe_map(frame)
        'Of the 10 items that are most like an item, 5.0 on average are among the 30 nearest to it
        on the map.'
    """
    need(map_frame, ("preserved",), "map")
    near, reach = _neighbourhood(len(map_frame))
    mean = float(map_frame["preserved"].mean()) * near  # type: ignore[arg-type]
    return (
        f"Of the {near} {noun.plural} that are most like {noun.indefinite}, {mean:.1f} on average "
        f"are among the {reach} nearest to it on the map."
    )


def _directions(model: Recommender) -> tuple[I64, F64]:
    """Rows of the items that can be drawn, and their factors at length one, (n, f)."""
    data = model.fitted_data
    if not isinstance(model, HasFactors) or not model.capabilities.map:
        raise UnsupportedError(
            f"{type(model).__name__} cannot draw a map: it has no item factors",
            do="use a model with factors",
        )
    factors = model.item_factors
    length = np.linalg.norm(factors.astype(np.float64), axis=1)
    # An item without a rating has no place of its own; factors of length 0 have no direction; and
    # a placeholder is no item.
    is_drawn = (data.by_item.counts > 0) & (length != 0) & ~data.items.placeholders
    rows = np.flatnonzero(is_drawn)
    if not np.isfinite(length[rows]).all():
        raise ArgumentError(
            "item factors", expected="finite numbers", received="NaN or infinite values"
        )
    if len(rows) < MIN_ITEMS:
        row = data.noun.removesuffix("s")
        raise ArgumentError(
            "items on the map",
            expected=f"at least {MIN_ITEMS} with a training {row} and factors",
            received=str(len(rows)),
            do="fit the model on more items",
        )
    return rows, factors[rows] / length[rows, None]


def _tsne(directions: F64, perplexity: float, seed: int) -> F64:
    """Places (n, 2) of unit vectors (n, f)."""
    affinity = lab_package("openTSNE.affinity")
    neighbours = lab_package("openTSNE.nearest_neighbors")
    n = len(directions)
    near, cosine = _nearest(directions, min(n - 1, int(3 * perplexity)))
    # Distance between unit vectors; rounding may take a cosine a little above 1.
    distances = np.sqrt(np.maximum(2 - 2 * cosine, 0))
    index = neighbours.PrecomputedNeighbors(near, distances)
    embedding = lab_package("openTSNE").TSNE(
        n_jobs=1,
        random_state=seed,
        negative_gradient_method="bh" if n < MIN_ITEMS_OF_FFT else "fft",
        callbacks=_pace_check(),
        callbacks_every_iters=PACE_ITERATIONS,
    )
    fitted = embedding.fit(
        affinities=affinity.PerplexityBasedNN(perplexity=perplexity, knn_index=index, n_jobs=1),
        initialization=_start(directions, seed),
    )
    return np.array(fitted, dtype=np.float64)


def _pace_check() -> list[Callable[..., bool]] | None:
    """The callback by which t-SNE gives up at once where it would not be done in time."""
    if math.isinf(current().seconds_left):
        return None
    moments: list[float] = []

    def check(*_: Any) -> bool:
        moments.append(time.monotonic())
        if len(moments) == 2:
            pace = (moments[1] - moments[0]) / PACE_ITERATIONS
            _require_time(pace * (N_ITERATIONS - 2 * PACE_ITERATIONS))
        return False

    return [check]


def _require_time(seconds: float) -> None:
    """Refuse to go on with a map that would not be done by the deadline."""
    left = current().seconds_left
    if seconds > left:
        raise TastemapError(
            "time to draw it",
            expected=f"about {max(math.ceil(seconds), 1)} s",
            received=f"{left:.0f} s left",
        )


def _start(directions: F64, seed: int) -> F64:
    """The first two principal components (n, 2), scaled down for t-SNE."""
    centred = directions - directions.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    start = np.zeros((len(centred), 2))
    leading = axes[:, ::-1][:, :2]
    leading = leading * np.where(leading.sum(axis=0) < 0, -1.0, 1.0)
    start[:, : leading.shape[1]] = centred @ leading
    start /= max(float(start[:, 0].std()), 1e-12)
    # Rounded for the same reason as inner products; the jitter separates equal factors.
    jitter = np.random.default_rng(seed).normal(scale=1e-6, size=start.shape)
    return 1e-4 * (np.round(start, 6) + jitter)


def _preserved(directions: F64, places: F64) -> F64:
    """Share of each item's most similar items that are near it on the map, (n,)."""
    near, reach = _neighbourhood(len(places))
    similar, _ = _nearest(directions, near)
    # The nearest by distance maximise x.y - |y|^2 / 2, an inner product in one more dimension.
    half = (places**2).sum(axis=1, keepdims=True) / 2
    lifted = np.hstack([places, -half])
    on_map, _ = _nearest(lifted, reach, queries=np.hstack([places, np.ones_like(half)]))
    both = (similar[:, :, None] == on_map[:, None, :]).any(axis=2)
    return both.mean(axis=1)


def _neighbourhood(n: int) -> tuple[int, int]:
    """The number of most similar items, and the number of nearest items on the map."""
    near = max(min(10, n // 4), 1)
    return near, 3 * near


def _nearest(vectors: F64, k: int, queries: F64 | None = None) -> tuple[I64, F64]:
    """For each row, the k other rows with the largest inner product: rows and products, (n, k)."""
    n, f = vectors.shape
    queries = vectors if queries is None else queries
    near, product = np.empty((n, k), dtype=np.int64), np.empty((n, k))
    small = vectors.astype(np.float32)
    # A bound of the error by float32 and the rounding below (Higham, "Accuracy and stability of
    # numerical algorithms", 2002, equation 3.5, and a rounding of each factor).
    sizes = [np.sqrt(np.einsum("nf,nf->n", rows, rows)) for rows in (queries, vectors)]
    error = (f + 4) * 2.0**-24 * sizes[0] * sizes[1].max() + 1 / STEPS_OF_PRODUCT
    step, begin = max(1, BLOCK_BYTES // (4 * n)), time.monotonic()
    for first in range(0, n, step):
        part = slice(first, min(first + step, n))
        scores = queries[part].astype(np.float32) @ small.T
        near[part], product[part] = _best(scores, error[part], first, vectors, queries[part], k)
        if not first:
            _require_time((time.monotonic() - begin) * (N_COMPARISONS * n / step - 1))
    return near, product


def _best(
    scores: F32, error: F64, first: int, vectors: F64, queries: F64, k: int
) -> tuple[I64, F64]:
    """`_nearest` of some rows, from scores with an error."""
    from tastemap.kernels.top_k import shortlisted

    m, n = scores.shape
    scores[np.arange(m), np.arange(first, first + m)] = -np.inf
    rows, owner, ends = shortlisted(scores, error, k)
    exact = np.empty(len(rows))
    for start in range(0, len(rows), BLOCK_PAIRS):
        pairs = slice(start, start + BLOCK_PAIRS)
        exact[pairs] = np.einsum("pf,pf->p", queries[owner[pairs]], vectors[rows[pairs]])
    # Distinct whole numbers: neither a processor's rounding nor a tie changes the answer.
    rank = np.rint(exact * STEPS_OF_PRODUCT).astype(np.int64) * n + (n - 1 - rows)
    order = np.lexsort((-rank, owner))
    starts = np.concatenate([[0], ends[:-1]])
    best = order[starts[:, None] + np.arange(k)]
    return rows[best].astype(np.int64), rank[best] // n / STEPS_OF_PRODUCT


def without_placeholders(map_frame: pl.DataFrame, ratings: Feedback) -> pl.DataFrame:
    """A map without rows that stand for no item, which older maps have.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> frame = pl.DataFrame({"item_id": [1, 2], "x": [0.0, 1.0], "y": [0.0, 1.0]})
        >>> len(without_placeholders(frame, synthetic_ratings()))
        2
    """
    rows = ratings.items.index(map_frame["item_id"])
    return map_frame.filter(~ratings.items.placeholders[rows])


def map_items(map_frame: pl.DataFrame, ratings: Feedback) -> pl.DataFrame:
    """The items of a map with titles, years, genres, popularity and averages.

    Args:
        map_frame: ``item_id, x, y``, maybe with ``preserved``.
        ratings: The ratings or interactions that give popularity, and the average of ratings.

    Returns:
        The map's rows and columns, then ``title`` (without the year, if that is a column), ``name``
        (the same as people say it), ``year``, ``genres``, ``genre`` (see `main_genres`),
        ``popularity`` (number of ratings or interactions) and ``average`` (mean rating, null
        without ratings). Values that the item table lacks are null.

    Raises:
        ArgumentError: If a column is missing, or an item of the map is not in the table.
    """
    need(map_frame, ("item_id", "x", "y"), "map")
    rows = ratings.items.index(map_frame["item_id"])
    table = ratings.items.frame[rows]
    titles = ratings.items.titles.gather(rows)
    empty = pl.Series([None] * len(rows))
    column = {name: table[name] for name in table.columns}
    genres = column.get("genres", empty.cast(pl.List(pl.String)))
    popularity = ratings.by_item.counts
    average = np.full(ratings.n_items, np.nan)
    if isinstance(ratings, Ratings):
        total = np.bincount(ratings.item_index, ratings.rating, minlength=ratings.n_items)
        np.divide(total, popularity, out=average, where=popularity > 0)
    title = pl.select(pl.coalesce(column.get("title", empty.cast(pl.String)), titles)).to_series()
    return map_frame.with_columns(
        title.alias("title"),
        pl.Series("name", spoken_all(title), dtype=pl.String),
        column.get("year", empty.cast(pl.Int32)).alias("year"),
        genres.alias("genres"),
        main_genres(genres).alias("genre"),
        pl.Series("popularity", popularity[rows]),
        pl.Series("average", average[rows], nan_to_null=True),
    )


def main_genres(genres: pl.Series) -> pl.Series:
    """One genre for each item, which gives its colour.

    Of the seven most frequent genres, it is the rarest that the item has: Romance rather than
    Drama. An item with none of the seven has ``"other"``.

    Args:
        genres: Lists of genres, (n,); null where unknown.

    Example:
        >>> main_genres(pl.Series([["Drama"], ["Drama", "Romance"], None])).to_list()
        ['Drama', 'Romance', 'other']
    """
    single = genres.explode(empty_as_null=True).drop_nulls()
    counts = single.value_counts(name="n").sort(["n", single.name], descending=[True, False])
    ranked = counts[single.name].head(N_GENRES).to_list()
    places = {genre: place for place, genre in enumerate(ranked)}
    names = [
        max((g for g in row or () if g in places), key=places.__getitem__, default=OTHER)
        for row in genres.to_list()
    ]
    return pl.Series("genre", names, dtype=pl.String)


def need(frame: pl.DataFrame, columns: tuple[str, ...], what: str) -> None:
    """Refuse a frame that lacks one of the columns.

    Raises:
        ArgumentError: Naming the columns that are missing.
    """
    missing = [name for name in columns if name not in frame.columns]
    if missing or not len(frame):
        raise ArgumentError(
            f"{what} frame",
            expected=f"rows with columns {', '.join(columns)}",
            received=f"no column {', '.join(missing)}" if missing else "no rows",
        )


def need_colour(colour: str, ratings: Feedback) -> None:
    """Refuse a colour that is not in `COLOURS`, and the average where there are no ratings.

    Raises:
        ArgumentError: Listing the colours.
    """
    has_average = isinstance(ratings, Ratings)
    colours = [name for name in COLOURS if has_average or name != "average"]
    if colour not in colours:
        expected = f"one of {', '.join(colours)}"
        if colour in COLOURS:
            expected += ", for a table without ratings"
        raise ArgumentError("colour", expected=expected, received=repr(colour))
