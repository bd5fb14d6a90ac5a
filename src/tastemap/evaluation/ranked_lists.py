"""``RankedLists``: the lists of a model for the users of a test, and what they score."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tastemap.arrays import IndexArray
from tastemap.data.feedback import Feedback
from tastemap.data.ratings import Ratings
from tastemap.evaluation.leakage import pair_numbers
from tastemap.metrics.debiased import debiased_ndcg, debiased_recall, inverse_propensities
from tastemap.metrics.diversity import diversity
from tastemap.metrics.ranking import METRICS, Counts, Hits, Values, coverage, novelty, popular_share

# The scores of lists beside the means over users; each has one value for all lists.
LIST_SCORES = (
    *("debiased_recall", "debiased_ndcg"),
    *("coverage", "novelty", "diversity", "popular_share"),
)
# For the diversity: of lists with more pairs of items some are drawn, of longer lists the first
# places count, and of more users in training as many are drawn.
MAX_PAIRS_OF_DIVERSITY, MAX_PLACES_OF_DIVERSITY = 1_000_000, 1_000
MAX_USERS_OF_DIVERSITY = 20_000


@dataclass(frozen=True)
class RankedLists:
    """The lists of a model, and the items in them that are relevant.

    Attributes:
        user_index: Rows (n,) of the users with a list, in the model's vocabulary, ascending.
        items: Rows (n, k) of items, best first; -1 after a list's end.
        hits: bool (n, k), whether the item at each place is relevant.
        n_relevant: int (n,), the number of relevant items of each user.
        relevant: Rows of the relevant items, user by user; -1 for one that the model does not know.
        n_left_out: Number of users of the test without a list.
    """

    user_index: IndexArray
    items: IndexArray
    hits: Hits
    n_relevant: Counts
    relevant: IndexArray
    n_left_out: int

    def per_user(self) -> dict[str, Values]:
        """Each metric of `METRICS`, (n,)."""
        return {name: metric(self.hits, self.n_relevant) for name, metric in METRICS.items()}

    def summary(self, train: Feedback) -> dict[str, float]:
        """The mean of each metric, then `LIST_SCORES`.

        Args:
            train: The ratings or interactions that the model was fitted on.
        """
        counts = _takers(train)
        n_users = int((train.by_user.counts > 0).sum())
        # The last element stands for items that the model does not know, row -1.
        weights = inverse_propensities(np.append(counts, 0), n_users)
        gains = self.hits * weights[self.items]
        debiased = (gains, weights[self.relevant], self.n_relevant)
        return {name: float(values.mean()) for name, values in self.per_user().items()} | {
            "debiased_recall": debiased_recall(*debiased),
            "debiased_ndcg": debiased_ndcg(*debiased),
            "coverage": coverage(self.items, train.n_items),
            "novelty": novelty(self.items, counts, n_users),
            "diversity": diversity(_drawn(self.items), *_drawn_pairs(train)),
            "popular_share": popular_share(self.items, counts),
        }

    def frame(self, train: Feedback) -> pl.DataFrame:
        """`summary` and the numbers of users, as `evaluate_ranking` gives them."""
        values = self.summary(train)
        values |= {"users": float(len(self.user_index)), "users_left_out": float(self.n_left_out)}
        k = self.items.shape[1]
        frame = pl.DataFrame({"metric": list(values), "k": k, "value": list(values.values())})
        return frame.fill_nan(None)


def _takers(train: Feedback) -> Counts:
    """Number (n_items,) of users who took up each item; repeats count once."""
    if isinstance(train, Ratings):
        return train.by_item.counts
    pairs = pair_numbers(train.user_index, train.item_index, train.n_items)
    items = pl.Series(pairs).unique().to_numpy() % (train.n_items + 1) - 1
    return np.bincount(items, minlength=train.n_items)


def _drawn(lists: IndexArray) -> IndexArray:
    """All lists, or some that are drawn, so that they have at most `MAX_PAIRS_OF_DIVERSITY`."""
    lists = lists[:, :MAX_PLACES_OF_DIVERSITY]
    n_pairs = lists.shape[1] * (lists.shape[1] - 1) // 2
    n_lists = MAX_PAIRS_OF_DIVERSITY // max(n_pairs, 1)
    if len(lists) <= n_lists:
        return lists
    return lists[np.random.default_rng(0).permutation(len(lists))[:n_lists]]


def _drawn_pairs(train: Feedback) -> tuple[IndexArray, IndexArray]:
    """Who took up what, as rows: of all users, or of `MAX_USERS_OF_DIVERSITY`, drawn."""
    if train.n_users <= MAX_USERS_OF_DIVERSITY:
        return train.user_index, train.item_index
    users = np.random.default_rng(0).permutation(train.n_users)[:MAX_USERS_OF_DIVERSITY]
    rows = np.concatenate([train.by_user[user] for user in users])
    return train.user_index[rows], train.item_index[rows]
