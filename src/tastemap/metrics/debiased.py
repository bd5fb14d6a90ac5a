r"""Metrics of lists without the bias of popularity: a hit counts by the inverse of its propensity.

What is held out was seen before it was chosen, and popular items are seen more: a recall over it
rewards lists of popular items. The propensity $p_i$ of an item, the chance that one of its
interactions was observed, is estimated by its popularity in training, and a relevant item weighs
$1 / p_i$. A recommender that lists popular items alone has less of these scores than of the plain
ones.

In each function ``gains`` (n_users, k) holds $1 / p_i$ where a list holds a relevant item at a
place and 0 elsewhere; ``relevant`` (m,) holds $1 / p_i$ of all relevant items, user by user, and
``n_relevant`` (n_users,), at least 1, their numbers.

References:
    Yang, Cui, Xuan, Wang, Belongie and Estrin, "Unbiased offline recommender evaluation for
    missing-not-at-random implicit feedback", RecSys 2018: propensities by a power of popularity,
    here the first, and self-normalised estimates.
    Swaminathan and Joachims, "The self-normalized estimator for counterfactual learning", NeurIPS
    2015: the sum of all weights divides. Yang et al. divide user by user, where the weight of a
    single relevant item cancels out.
"""

import numpy as np

from tastemap.arrays import F64, AnyArray
from tastemap.errors import ArgumentError
from tastemap.metrics.ranking import Counts, discounts


def inverse_propensities(counts: AnyArray, n_users: int) -> F64:
    """The weight 1 / p of items: p is the share of the users who took an item up in training.

    Args:
        counts: Number of these users, (n,); 0 counts as 1.
        n_users: Number of users in training.

    Example:
        >>> inverse_propensities(np.array([2, 0]), n_users=4).tolist()
        [2.0, 4.0]
    """
    weights: F64 = n_users / np.maximum(counts, 1.0)
    return weights


def debiased_recall(gains: F64, relevant: F64, n_relevant: Counts) -> float:
    r"""Recall of relevant items that weigh by their inverse propensities.

    $\sum_u \frac{1}{n_u} \sum_{i \in \text{hits}_u} 1 / p_i$, divided by the same sum over all
    relevant items of each user; if all items are equally popular it is the mean recall.

    Example:
        >>> debiased_recall(np.array([[2.0, 0.0]]), np.array([2.0, 4.0]), np.array([2]))
        0.3333333333333333
    """
    users = _users(gains, relevant, n_relevant)
    total = np.bincount(users, relevant)
    return float((gains.sum(axis=1) / n_relevant).sum() / (total / n_relevant).sum())


def debiased_ndcg(gains: F64, relevant: F64, n_relevant: Counts) -> float:
    r"""NDCG of relevant items whose gains are their inverse propensities.

    The discounted gains of the lists, divided by those of the best lists: the k relevant items of
    the largest gains, the largest first. Both sums weigh each user by the inverse of the best DCG
    with gains of 1; if all items are equally popular it is the mean NDCG.

    Example:
        >>> round(debiased_ndcg(np.array([[0.0, 2.0]]), np.array([2.0]), np.array([1])), 3)
        0.631
    """
    users, k = _users(gains, relevant, n_relevant), gains.shape[1]
    order = np.lexsort((-relevant, users))
    place = np.arange(len(users)) - np.repeat(np.cumsum(n_relevant) - n_relevant, n_relevant)
    in_list, discount = place < k, discounts(k)
    best = np.bincount(users[in_list], relevant[order][in_list] * discount[place[in_list]])
    plain = np.cumsum(discount)[np.minimum(n_relevant, k) - 1]
    return float((gains @ discount / plain).sum() / (best / plain).sum())


def _users(gains: F64, relevant: F64, n_relevant: Counts) -> AnyArray:
    """The row (m,) of the user of each relevant item."""
    right_shape = gains.ndim == 2 and n_relevant.shape == gains.shape[:1] and gains.size
    if not right_shape or n_relevant.min() < 1 or relevant.shape != (n_relevant.sum(),):
        raise ArgumentError(
            "gains, relevant and n_relevant",
            expected="shapes (n_users, k), (sum of n_relevant,) and (n_users,), at least 1",
            received=f"{gains.shape}, {relevant.shape} and {n_relevant.shape}",
        )
    return np.repeat(np.arange(len(n_relevant)), n_relevant)
