"""``Propensity``: how probable it is that a user takes up an item, liked or not."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import expit, logit

from tastemap.arrays import F64, FloatArray, IndexArray
from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.splits import per_user_split
from tastemap.errors import ArgumentError
from tastemap.models.base.artifact import model_class

# The share of each user's items that is hidden to learn what scores mean.
HIDDEN_SHARE = 0.2
# So many scores at most are compared with what was hidden.
MAX_SCORES = 4_000_000
# Lower scores count as this one: their logarithm is finite.
MIN_SCORE = 1e-3
# The prior of the slope is N(1, 1), and Newton's method takes so many steps at most.
PRIOR_SLOPE, MAX_STEPS = 1.0, 30


@dataclass(frozen=True)
class Propensity:
    """Scores of a model of interactions, turned into probabilities.

    The model is `EASE`, or `ALS` of implicit feedback where there are too many items for
    it. It learns from each pair that was rated or seen. A fifth of each user's pairs is
    hidden first, and a logistic regression says what a score means: it is the probability that an
    item is among as many further ones as a quarter of those that the user has touched.

    References:
        Platt, "Probabilistic outputs for support vector machines", 1999 (the regression).

    Prediction:
        log(p / (1 - p)) = a + b log(max(s, 0.001)), for a score s. Somebody who has touched nothing
        takes up an item as probably as an average user.

    Attributes:
        model: The model that scores.
        intercept, slope: a and b.
        average: float64 (n_items,), the share of the users who have touched each item.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> propensity = Propensity.of(synthetic_ratings())
        >>> p = propensity(np.array([0, 2], dtype=np.int32))
        >>> p.shape, bool((p > 0).all() and (p < 1).all())
        ((80,), True)
    """

    model: Any
    intercept: float
    slope: float
    average: F64

    @classmethod
    def of(cls, data: Feedback) -> Self:
        """Learn from ratings, what was seen beside them, or interactions."""
        pairs = data.touched.likes(-np.inf)
        average = (pairs.by_item.counts + 0.5) / (pairs.n_users + 1)
        try:
            train, hidden = per_user_split(pairs, HIDDEN_SHARE)
        except ArgumentError:  # nobody has two items: a score says nothing that is not a guess
            return cls(_fitted(pairs), 0.0, PRIOR_SLOPE, average)
        a, b = _regression(*_scores(_fitted(train), train, hidden))
        return cls(_fitted(pairs), a, b, average)

    def __call__(self, touched: IndexArray) -> F64:
        """The probability (n_items,) that somebody who has touched some items takes up each."""
        if not len(touched):
            return self.average
        user = self.model.fold_in_rows(touched, np.ones(len(touched), dtype=np.float32))
        x = _logarithm(self.model.score_rows(user))
        return np.asarray(expit(self.intercept + self.slope * x), dtype=np.float64)


def _fitted(pairs: Interactions) -> Any:
    try:
        return model_class("EASE")().fit(pairs, progress=False)
    except ArgumentError:  # too many items for a matrix of items by items
        return model_class("ALS")(feedback="implicit").fit(pairs, progress=False)


def _scores(model: Any, train: Interactions, hidden: Interactions) -> tuple[F64, F64]:
    """Scores (n,) of items that users had not touched, and 1 for each that was hidden, else 0."""
    users = np.flatnonzero(hidden.by_user.counts)
    users = users[:: -(-len(users) * train.n_items // MAX_SCORES)].astype(np.int32)
    x, y = _logarithm(model.score_users(users)[0]), np.zeros((len(users), train.n_items))
    is_open = np.ones(x.shape, dtype=np.bool_)
    for row, user in enumerate(users.tolist()):
        is_open[row, train.item_index[train.by_user[user]]] = False
        y[row, hidden.item_index[hidden.by_user[user]]] = 1.0
    return x[is_open], y[is_open]


def _logarithm(scores: FloatArray) -> F64:
    return np.log(np.maximum(np.asarray(scores, dtype=np.float64), MIN_SCORE))


def _regression(x: F64, y: F64) -> tuple[float, float]:
    """Intercept and slope of a logistic regression of y (n,) on x (n,), by Newton's method."""
    X = np.column_stack([np.ones_like(x), x - x.mean()])
    prior, weight = np.array([logit((y.sum() + 0.5) / (len(y) + 1)), PRIOR_SLOPE]), np.eye(2)
    w = prior.copy()
    for _ in range(MAX_STEPS):
        p = expit(X @ w)
        step = np.linalg.solve(
            (X * (p * (1 - p))[:, None]).T @ X + weight, X.T @ (y - p) - weight @ (w - prior)
        )
        w += step
        if np.abs(step).max() < 1e-6:
            break
    slope = max(float(w[1]), 0.0)
    return float(w[0] - slope * x.mean()), slope
