"""How good ranked lists are: metrics as pure functions on arrays, and a model's scores by them.

The metrics take lists of one length k, one row a user, best item first:

    hits       bool (n_users, k), whether the item at each rank is relevant
    n_relevant int (n_users,), how many relevant items the user has in all

and give the mean over the users. Where a list is shorter than k its end counts as misses. Every
user must have a relevant item: of a user without one, no list is better than another.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.models.base import Recommender

Hits = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.integer]


def precision(hits: Hits, n_relevant: Counts) -> float:
    """Share of the k places that hold a relevant item.

    A user with fewer than k relevant items cannot reach 1.

    Example:
        >>> precision(np.array([[True, False]]), np.array([2]))
        0.5
    """
    _check(hits, n_relevant)
    return float(hits.mean())


def recall(hits: Hits, n_relevant: Counts) -> float:
    """Share of a user's relevant items that are among the k.

    A user with more than k relevant items cannot reach 1.

    Example:
        >>> recall(np.array([[True, False]]), np.array([4]))
        0.25
    """
    _check(hits, n_relevant)
    return float((hits.sum(axis=1) / n_relevant).mean())


def ndcg(hits: Hits, n_relevant: Counts) -> float:
    """Normalised discounted cumulative gain: a hit at rank r counts 1 / log2(r + 1).

    Divided by what the best possible list of length k would have: min(k, n_relevant) hits in a
    row. Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002,
    with the gains 0 and 1.

    Example:
        >>> round(ndcg(np.array([[False, True]]), np.array([1])), 3)
        0.631
    """
    _check(hits, n_relevant)
    discount = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.cumsum(discount)[np.minimum(n_relevant, hits.shape[1]) - 1]
    return float((hits @ discount / ideal).mean())


def average_precision(hits: Hits, n_relevant: Counts) -> float:
    """Mean average precision: the precision at the rank of each hit, summed up.

    Divided by min(k, n_relevant), so that the best possible list has 1.

    Example:
        >>> average_precision(np.array([[False, True]]), np.array([1]))
        0.5
    """
    _check(hits, n_relevant)
    at_rank = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    best = np.minimum(n_relevant, hits.shape[1])
    return float(((at_rank * hits).sum(axis=1) / best).mean())


def reciprocal_rank(hits: Hits, n_relevant: Counts) -> float:
    """Mean reciprocal rank: 1 over the rank of the first hit; 0 where there is none.

    Example:
        >>> reciprocal_rank(np.array([[False, True, True]]), np.array([2]))
        0.5
    """
    _check(hits, n_relevant)
    first = np.argmax(hits, axis=1) + 1
    return float(np.where(hits.any(axis=1), 1 / first, 0.0).mean())


METRICS: dict[str, Callable[[Hits, Counts], float]] = {
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

    An item that half of the users have rated counts 1 bit, one of a quarter 2; an item that no
    one has rated counts as one of a single user; -1 marks an empty place, and lists without any
    item have 0. Zhou et al., PNAS 107, 2010.

    Example:
        >>> novelty(np.array([[0, 1]]), np.array([2, 1]), n_users=4)
        1.5
    """
    items = lists[lists >= 0]
    if not len(items):
        return 0.0
    return float(-np.log2(np.maximum(counts[items], 1) / n_users).mean())


def evaluate_ranking(
    model: Recommender, test: Ratings, k: int = 10, *, threshold: float | None = None
) -> pl.DataFrame:
    """Rank all items that a user has not rated in training, and score the first k.

    Relevant are the items that the user rates ``threshold`` or more in the test part. Users
    without a relevant item, and users unknown to the model, are left out and counted; relevant
    items that the model does not know stay in the denominator, as misses. Of equal scores the
    item of the lower row comes first; a user with fewer than k unseen items has a shorter list.

    Args:
        model: A fitted model.
        test: Ratings the model has not seen; the vocabularies may differ from the model's.
        k: Length of the lists.
        threshold: The rating from which on an item is relevant; None takes the upper quarter of
            the scale (4 of 1 to 5).

    Returns:
        Frame ``metric, k, value``: the metrics of `METRICS`, ``coverage``, ``novelty``, then the
        number of ``users`` and of ``users_left_out``.

    Raises:
        ArgumentError: If k is not between 1 and the number of items, or nothing is relevant.

    Example:
        >>> from tastemap.data.splits import per_user_split
        >>> from tastemap.data.synthetic import synthetic_ratings
        >>> from tastemap.models import make_model
        >>> train, test = per_user_split(synthetic_ratings())
        >>> frame = evaluate_ranking(make_model("ease").fit(train), test)
        >>> frame["metric"].head(3).to_list()
        ['recall', 'precision', 'ndcg']
    """
    train = model.ratings_
    if isinstance(k, bool) or int(k) != k or not 1 <= k <= train.n_items:
        raise ArgumentError("k", expected=f"a whole number from 1 to {train.n_items}", received=k)
    users, items = model._rows(test)
    relevant = test.rating >= test.scale.liked_from(threshold)
    asked = np.unique(users[relevant & (users >= 0)])
    if not len(asked):
        raise ArgumentError(
            "test",
            expected="a rating at or above the threshold, by a user known to the model",
            received="none",
            do="lower the threshold",
        )
    lists = np.stack([_best_unseen(model, int(user), k) for user in asked])
    truth = np.unique(_pairs(users[relevant], items[relevant], train.n_items))
    hits = np.isin(_pairs(asked[:, None], lists, train.n_items), truth) & (lists >= 0)
    n_relevant = np.bincount(users[relevant & (users >= 0)], minlength=train.n_users)[asked]
    left_out = len(np.unique(test.user_index)) - len(asked)
    values = {name: metric(hits, n_relevant) for name, metric in METRICS.items()}
    values |= {
        "coverage": coverage(lists, train.n_items),
        "novelty": novelty(lists, train.by_item.counts, int((train.by_user.counts > 0).sum())),
        "users": float(len(asked)),
        "users_left_out": float(left_out),
    }
    return pl.DataFrame({"metric": list(values), "k": k, "value": list(values.values())})


def _best_unseen(model: Recommender, user: int, k: int) -> npt.NDArray[np.int64]:
    """Rows (k,) of the items of a user's list; -1 after its end."""
    data = model.ratings_
    score = np.array(model._score(model._user(user)), dtype=np.float64)
    score[data.item_index[data.by_user[user]]] = -np.inf
    kth = np.partition(score, len(score) - k)[len(score) - k]
    rows = np.flatnonzero((score >= kth) & (score > -np.inf))
    rows = rows[np.argsort(-score[rows], kind="stable")][:k]
    return np.pad(rows, (0, k - len(rows)), constant_values=-1)


def _pairs(users: Counts, items: Counts, n_items: int) -> npt.NDArray[np.int64]:
    """One number for each pair; unknown items, -1, share one that no known item has."""
    return users.astype(np.int64) * (n_items + 1) + items + 1


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
