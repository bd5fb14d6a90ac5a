"""What it costs in hits that lists are varied, or calibrated to a taste, by how much."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from tastemap.arrays import F64, IndexArray
from tastemap.data.feedback import Feedback
from tastemap.evaluation.evaluate import rank_unseen
from tastemap.metrics.diversity import divergence
from tastemap.models.base.categories import categories
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.reranking import Reranking

#: The weights that are tried; 0 is the plain list.
WEIGHTS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
DEFAULT_COLUMN = "genres"
SCHEMA = {
    "wish": pl.String,
    "weight": pl.Float64,
    "ndcg": pl.Float64,
    "divergence": pl.Float64,
    "diversity": pl.Float64,
}


def trade_off(
    model: Recommender,
    test: Feedback,
    k: int = 10,
    *,
    column: str = DEFAULT_COLUMN,
    weights: Sequence[float] = WEIGHTS,
    threshold: float | None = None,
) -> pl.DataFrame:
    """Score lists that are more and more calibrated, and more and more varied.

    Args:
        model: A fitted model.
        test: Ratings or interactions that the model has not seen. To choose a weight, take a part
            of the training ratings.
        k: Length of the lists.
        column: The column of the item table whose shares are calibrated; without it only varied
            lists are made.
        weights: From 0 to 1.
        threshold: Lowest rating of a relevant item, as in `evaluate_ranking`.

    Returns:
        Frame ``wish, weight, ndcg, divergence, diversity``: ``wish`` is ``"calibrated"`` or
        ``"diversity"``; ``divergence`` is the mean of `metrics.diversity.divergence` over the users
        who like something in training, null without the column; ``diversity`` the intra-list
        diversity. A model that cannot compare items has no rows of varied lists.

    Raises:
        ArgumentError: As `evaluate_ranking` raises it.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> from tastemap.data.splits import train_test_split
        >>> from tastemap.models.registry import make_model
        >>> train, test = train_test_split(synthetic_ratings())
        >>> frame = trade_off(make_model("ease").fit(train), test, weights=(0, 0.5))
        >>> frame.select("wish", "weight").rows()[:3]
        [('calibrated', 0.0), ('calibrated', 0.5), ('diversity', 0.0)]
    """
    data = model.fitted_data
    has_column = column in data.items.frame.columns
    wishes = ["calibrated"] * has_column + ["diversity"] * model.capabilities.similar_items
    shares = _shares_of_items(data, column) if has_column else None
    rows, scores = [], {}
    for wish in wishes:
        for weight in weights:
            value: Any = {column: weight} if wish == "calibrated" else weight
            reranking = Reranking.of(data, **{wish: value})
            key = repr(reranking)  # the plain lists are the same for both wishes
            if key not in scores:
                ranked = rank_unseen(model, test, k, threshold=threshold, reranking=reranking)
                values = ranked.summary(data)
                distance = None
                if shares is not None:
                    distance = _mean_divergence(data, shares, ranked.user_index, ranked.items)
                scores[key] = (values["ndcg"], distance, values["diversity"])
            rows.append((wish, float(weight), *scores[key]))
    return pl.DataFrame(rows, SCHEMA, orient="row")


def _shares_of_items(data: Feedback, column: str) -> csr_array:
    """The shares (n_items, G) of the categories of each item."""
    indptr, ids, n = categories(data, column).with_rest()
    counts = np.diff(indptr)
    return csr_array((1 / np.repeat(counts, counts), ids, indptr), shape=(data.n_items, n))


def _mean_divergence(
    data: Feedback, shares: csr_array, users: IndexArray, lists: IndexArray
) -> float:
    """The mean over the users with likes in training and a list."""
    likes = data.likes()
    p = _mean_shares(likes.user_index, likes.item_index, shares, data.n_users)[users]
    row, place = np.nonzero(lists >= 0)
    q = _mean_shares(row.astype(np.int32), lists[row, place], shares, len(lists))
    counts = p.any(axis=1) & q.any(axis=1)
    return float(divergence(p[counts], q[counts]).mean()) if counts.any() else float("nan")


def _mean_shares(row: IndexArray, items: IndexArray, shares: csr_array, n: int) -> F64:
    """The mean shares (n, G) of the items of each row; zeros for a row without items."""
    has = csr_array((np.ones(len(row)), (row, items)), shape=(n, shares.shape[0]))
    sums: F64 = (has @ shares).toarray()
    return sums / np.maximum(sums.sum(axis=1, keepdims=True), 1e-12)
