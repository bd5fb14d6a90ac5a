"""Metrics of lists: accuracy by the places of relevant items, coverage, novelty, popularity.

In each function ``hits`` (n_users, k) is true where a list holds a relevant item at a place, and
``n_relevant`` (n_users,), at least 1, is the number of relevant items of each user.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tastemap.arrays import F64, AnyArray, FloatArray, Mask
from tastemap.errors import ArgumentError

Hits: TypeAlias = Mask
Counts: TypeAlias = npt.NDArray[np.integer]
Values: TypeAlias = F64

# The head of the catalogue: this share of the items, those with the most training ratings.
HEAD_SHARE = 0.1


def precision(hits: Hits, n_relevant: Counts) -> Values:
    """Share of the k places that hold a relevant item.

    A user with fewer than k relevant items cannot reach 1.

    Example:
        >>> precision(np.array([[True, False]]), np.array([2])).tolist()
        [0.5]
    """
    _check(hits, n_relevant)
    return hits.mean(axis=1)


def recall(hits: Hits, n_relevant: Counts) -> Values:
    """Share of a user's relevant items that are among the k.

    A user with more than k relevant items cannot reach 1.

    Example:
        >>> recall(np.array([[True, False]]), np.array([4])).tolist()
        [0.25]
    """
    _check(hits, n_relevant)
    return hits.sum(axis=1) / n_relevant


def ndcg(hits: Hits, n_relevant: Counts) -> Values:
    """Normalised discounted cumulative gain: a hit at rank r counts 1 / log2(r + 1).

    Divided by what the best possible list of length k would have: min(k, n_relevant) hits in a
    row. Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002,
    with the gains 0 and 1.

    Example:
        >>> ndcg(np.array([[False, True]]), np.array([1])).round(3).tolist()
        [0.631]
    """
    _check(hits, n_relevant)
    discount = discounts(hits.shape[1])
    ideal = np.cumsum(discount)[np.minimum(n_relevant, hits.shape[1]) - 1]
    return hits @ discount / ideal


def discounts(k: int) -> F64:
    """The discount 1 / log2(r + 1) of each rank r from 1 to k, (k,).

    Example:
        >>> discounts(3).round(3).tolist()
        [1.0, 0.631, 0.5]
    """
    return 1 / np.log2(np.arange(2, k + 2))


def average_precision(hits: Hits, n_relevant: Counts) -> Values:
    """Average precision: the precision at the rank of each hit, summed up.

    Divided by min(k, n_relevant), so that the best possible list has 1.

    Example:
        >>> average_precision(np.array([[False, True]]), np.array([1])).tolist()
        [0.5]
    """
    _check(hits, n_relevant)
    at_rank = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    best = np.minimum(n_relevant, hits.shape[1])
    return (at_rank * hits).sum(axis=1) / best


def reciprocal_rank(hits: Hits, n_relevant: Counts) -> Values:
    """Reciprocal rank: 1 over the rank of the first hit; 0 where there is none.

    Example:
        >>> reciprocal_rank(np.array([[False, True, True]]), np.array([2])).tolist()
        [0.5]
    """
    _check(hits, n_relevant)
    first = np.argmax(hits, axis=1) + 1
    return np.where(hits.any(axis=1), 1 / first, 0.0)


METRICS: dict[str, Callable[[Hits, Counts], Values]] = {
    "recall": recall,
    "precision": precision,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": reciprocal_rank,
}


def coverage(lists: npt.NDArray[np.integer], n_items: int) -> float:
    """Share of the items that stand in at least one list; -1 marks an empty place.

    Example:
        >>> coverage(np.array([[0, 1], [1, -1]]), n_items=4)
        0.5
    """
    return len(np.unique(lists[lists >= 0])) / n_items


def novelty(lists: npt.NDArray[np.integer], counts: Counts, n_users: int) -> float:
    """Mean self-information of the items in the lists: -log2 of the share of users with a rating.

    An item without ratings counts like an item with one rating. -1 marks an empty place, and lists
    without items have the novelty 0. Zhou et al., PNAS 107, 2010.

    Example:
        >>> novelty(np.array([[0, 1]]), np.array([2, 1]), n_users=4)
        1.5
    """
    items = lists[lists >= 0]
    if not len(items):
        return 0.0
    return float(self_information(np.maximum(counts[items], 1), n_users).mean())


def self_information(counts: AnyArray, total: float) -> FloatArray:
    """The self-information -log2(count / total) of each count, in bits; counts at least 1.

    Example:
        >>> self_information(np.array([2, 1]), total=4).tolist()
        [1.0, 2.0]
    """
    return -np.log2(counts / total)


def popular_share(lists: npt.NDArray[np.integer], counts: Counts) -> float:
    """Share of the places that hold an item of the head: the most rated tenth of the items.

    Of items with equally many training ratings the lower row is in the head first. A catalogue of
    fewer than ten items has a head of one. Empty places, -1, do not count. Lists without items have
    the share 0.

    Args:
        lists: Rows of items, (n_users, k).
        counts: Training ratings of each item, (n_items,).

    Example:
        >>> popular_share(np.array([[0, 1], [0, -1]]), counts=np.array([9, 2, 1]))
        0.6666666666666666
    """
    items = lists[lists >= 0]
    n_head = max(round(HEAD_SHARE * len(counts)), 1)
    head = np.argsort(-counts, kind="stable")[:n_head]
    return float(np.isin(items, head).mean()) if len(items) else 0.0


def _check(hits: Hits, n_relevant: Counts) -> None:
    if hits.ndim != 2 or not hits.size or n_relevant.shape != hits.shape[:1]:
        raise ArgumentError(
            "hits and n_relevant",
            expected="shapes (n_users, k) and (n_users,), at least 1",
            received=f"{hits.shape} and {n_relevant.shape}",
        )
    if (n_relevant < np.maximum(hits.sum(axis=1), 1)).any():
        raise ArgumentError(
            "n_relevant", expected="at least 1 and at least the hits of each user", received="less"
        )
