"""How good ranked lists are: metrics as pure functions on arrays, and a model's scores by them.

The metrics of `METRICS` take lists of one length k, one row a user, best item first:

    hits       bool (n_users, k), whether the item at each rank is relevant
    n_relevant int (n_users,), how many relevant items the user has in all

and give each user's value, float64 (n_users,) in [0, 1]; a model's is their mean. Where a list is
shorter than k its end counts as misses. Every user must have a relevant item: of a user without
one, no list is better than another.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.models.base import Recommender
from tastemap.models.everyone import best_items

Hits = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.integer]
Values = npt.NDArray[np.float64]

# The head of the catalogue: this share of the items, those with the most training ratings.
POPULAR = 0.1


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
    discount = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.cumsum(discount)[np.minimum(n_relevant, hits.shape[1]) - 1]
    return hits @ discount / ideal


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


def popular_share(lists: npt.NDArray[np.integer], counts: Counts) -> float:
    """Share of the places that hold an item of the head: the most rated tenth of the items.

    Of items with equally many training ratings the lower row is in the head first; a catalogue of
    fewer than ten items has a head of one. Empty places, -1, do not count; lists without any item
    have 0.

    Args:
        lists: Rows of items, (n_users, k).
        counts: Training ratings of each item, (n_items,).

    Example:
        >>> popular_share(np.array([[0, 1], [0, -1]]), counts=np.array([9, 2, 1]))
        0.6666666666666666
    """
    items = lists[lists >= 0]
    n_head = max(round(POPULAR * len(counts)), 1)
    head = np.argsort(-counts, kind="stable")[:n_head]
    return float(np.isin(items, head).mean()) if len(items) else 0.0


@dataclass(frozen=True)
class RankedLists:
    """The lists of a model, and what of them its users liked.

    Attributes:
        user_index: Rows (n,) of the users asked, in the model's vocabulary, ascending.
        items: Rows (n, k) of items, best first; -1 after a list's end.
        hits: bool (n, k), whether the item at each place is relevant.
        n_relevant: int (n,), how many relevant items each user has.
        n_left_out: Users of the test that were not asked.
    """

    user_index: npt.NDArray[np.integer]
    items: npt.NDArray[np.integer]
    hits: Hits
    n_relevant: Counts
    n_left_out: int

    def per_user(self) -> dict[str, Values]:
        """Each metric of `METRICS`, (n,)."""
        return {name: metric(self.hits, self.n_relevant) for name, metric in METRICS.items()}

    def summary(self, train: Ratings) -> dict[str, float]:
        """The mean of each metric, then ``coverage``, ``novelty`` and ``popular_share``.

        Args:
            train: What the model was fitted on.
        """
        counts = train.by_item.counts
        n_users = int((train.by_user.counts > 0).sum())
        return {name: float(values.mean()) for name, values in self.per_user().items()} | {
            "coverage": coverage(self.items, train.n_items),
            "novelty": novelty(self.items, counts, n_users),
            "popular_share": popular_share(self.items, counts),
        }


def rank_unseen(
    model: Recommender,
    test: Ratings,
    k: int = 10,
    *,
    threshold: float | None = None,
    seen: Ratings | None = None,
) -> RankedLists:
    """The lists of the users of a test, by the protocol of `evaluate_ranking`, whose errors it has.

    Args:
        model, test, k, threshold: As in `evaluate_ranking`.
        seen: Ratings that the users gave besides those of training, with the model's vocabularies:
            a validation part. Their items are left out of the lists too.
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
    lists = best_items(model, asked, k, seen=(train,) if seen is None else (train, seen)).items
    truth = np.unique(_pairs(users[relevant], items[relevant], train.n_items))
    return RankedLists(
        user_index=asked,
        items=lists,
        hits=np.isin(_pairs(asked[:, None], lists, train.n_items), truth) & (lists >= 0),
        n_relevant=np.bincount(users[relevant & (users >= 0)], minlength=train.n_users)[asked],
        n_left_out=len(np.unique(test.user_index)) - len(asked),
    )


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
        Frame ``metric, k, value``: the metrics of `METRICS`, ``coverage``, ``novelty``,
        ``popular_share``, then the number of ``users`` and of ``users_left_out``.

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
    ranked = rank_unseen(model, test, k, threshold=threshold)
    values = ranked.summary(model.ratings_) | {
        "users": float(len(ranked.user_index)),
        "users_left_out": float(ranked.n_left_out),
    }
    return pl.DataFrame({"metric": list(values), "k": k, "value": list(values.values())})


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
