"""The ridge regression of items on their facts, and a trial that says whether it helps.

References:
    Rendle, Krichene, Zhang, Koren, "Revisiting the performance of iALS on item recommendation
    benchmarks", RecSys 2022, learn factors alone. A regression of them on features in the fit is
    in Agarwal, Chen, "Regression-based latent factor models", KDD 2009, section 2; here it follows
    the fit, which is left as it is.
"""

from collections.abc import Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from scipy.linalg import cho_factor, cho_solve

from tastemap.arrays import F64, I64, AnyArray, FloatArray, Mask
from tastemap.data.feedback import Feedback
from tastemap.data.vocabulary import Vocabulary
from tastemap.support.counts import counted

# Numbers of items at which half of what a fact says is believed; a trial chooses one.
PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0)
# An item with so many ratings counts half of one that has all; the most items that a regression
# learns from, those with the most ratings.
RELIABLE_AT, MAX_TEACHERS = 10.0, 4096
# The trial hides a share of the items, but of few items as many as this or a third; and it looks at
# some of the users.
HIDDEN_SHARE, MIN_HIDDEN, MAX_HIDDEN, MAX_USERS = 0.1, 20, 500, 200
# A smaller gain is chance.
STANDARD_ERRORS = 2.0


class Regression:
    """The ridge regression of rows of items on their facts, with one penalty or several.

    Each item counts n / (n + 10) for n ratings. Facts are relative to their mean, so an item of
    average facts has the average row.

    Args:
        X: Facts (n_items, F) of all items, sparse.
        counts: Number of ratings of each item, (n_items,).
        teachers: Rows (m,) of the items to learn from; each has ratings.
        penalties: The ridges: each a number of items at which half of what a fact says is
            believed. With an infinite one each item is average.
    """

    def __init__(self, X: Any, counts: I64, teachers: I64, penalties: Sequence[float]) -> None:
        self.teachers = teachers
        n = counts[teachers].astype(np.float64)
        self.weight = n / (n + RELIABLE_AT)
        taught = X[teachers].toarray().astype(np.float64)
        self.mean = self.weight @ taught / self.weight.sum()
        centred = taught - self.mean  # its weighted sum is 0, so rows need no centring
        self.weighted = (self.weight[:, None] * centred).T
        gram = self.weighted @ centred
        self.factors = [
            cho_factor(gram + penalty * np.eye(len(gram))) if np.isfinite(penalty) else None
            for penalty in penalties
        ]

    def average(self, rows: AnyArray) -> F64:
        """The weighted mean (d,) of rows (n_items, d)."""
        average: F64 = self.weight @ rows[self.teachers] / self.weight.sum()
        return average

    def differences(self, rows: AnyArray, X: Any) -> list[F64]:
        """By how much rows of items with facts X (k, F) differ from the average, (k, d).

        One array for each penalty.
        """
        right = self.weighted @ rows[self.teachers].astype(np.float64)
        facts = X.toarray() - self.mean
        return [
            np.zeros((len(facts), right.shape[1])) if f is None else facts @ cho_solve(f, right)
            for f in self.factors
        ]


class NewItems(NamedTuple):
    """Items to put into a model: their places, and how their rows follow from those of others.

    Attributes:
        rows: int (blocks k,), their row numbers; new ones come behind all others.
        X: Facts (k, F), sparse; an item without any is the average.
        regression: How rows follow from facts, or None for average items. In a trial it has
            several penalties, and with each of them a block of k items.
    """

    rows: AnyArray
    X: Any
    regression: Regression | None

    @property
    def has_facts(self) -> Mask:
        """Which of the items have facts that say something of their rows, (k,)."""
        return (np.diff(self.X.indptr) > 0) & (self.regression is not None)

    def expected(
        self, rows: AnyArray, average: FloatArray | None, without: FloatArray | float = 0.0
    ) -> F64:
        """Rows (blocks k, d) of the items.

        Args:
            rows: Rows (n_items, d), dense or sparse, of the items that have ratings, and maybe of
                others.
            average: (d,), the row of an average item; None takes the mean of those with ratings
                for items from facts, and ``without`` for the others.
            without: (d,), or a number.
        """
        k, d = self.X.shape[0], rows.shape[1]
        base = np.broadcast_to(np.float64(without if average is None else average), (k, d))
        if self.regression is None:
            return base.copy()
        start, has_facts = base, self.has_facts[:, None]
        if average is None:
            start = np.broadcast_to(self.regression.average(rows), (k, d))
        differences = self.regression.differences(rows, self.X)
        return np.vstack([np.where(has_facts, start + by, base) for by in differences])

    def put(self, array: AnyArray, rows: AnyArray) -> AnyArray:
        """A copy of an array (n_items, ...) that has these rows at the places of the items."""
        n = max(len(array), int(self.rows.max()) + 1)
        longer = np.zeros((n, *array.shape[1:]), dtype=array.dtype)
        longer[: len(array)] = array
        longer[self.rows] = rows
        return longer


def square(items: NewItems, matrix: AnyArray, diagonal: FloatArray | None = None) -> AnyArray:
    """Weights of items by items (n, n) where new items have a column and a row.

    Both are what the facts of an item make of those of others. An item's own weight, which may be
    left out of the matrix, counts there: who likes an item may like those of like facts.

    Args:
        items: The new items.
        matrix: (n_before, n_before), the weights.
        diagonal: (n_before,), the weight of an item for itself where the matrix has 0; None takes
            what the matrix has.
    """
    n_before, of_itself = len(matrix), matrix.diagonal()
    at, n = np.arange(n_before), max(n_before, int(items.rows.max()) + 1)
    whole = np.zeros((n, n), dtype=matrix.dtype)
    whole[:n_before, :n_before] = matrix
    whole[at, at] = of_itself if diagonal is None else diagonal
    columns = items.expected(whole[:n_before, :n_before].T, None)
    whole[:n_before, items.rows] = columns.T
    whole[items.rows] = items.expected(whole[:n_before], None)
    whole[at, at] = of_itself
    whole[items.rows, items.rows] = 0
    return whole


# ---- the trial ----


def chosen_penalty(model: Any, X: Any, seed: int) -> tuple[float | None, str]:
    """The penalty with which facts predict hidden items best, None if no better than by chance.

    A tenth of the items is hidden: others teach the regression, and users are folded in from their
    ratings of others. Of a model of ratings the squared errors of the hidden ratings are compared
    with those of the average item; of one that ranks, how far ahead of other hidden items the liked
    ones come. A gain of fewer than two standard errors, over the hidden items, is chance.

    Args:
        model: A fitted model that folds in.
        X: Facts (n_items, F) of all items, sparse.
        seed: Of what is hidden.

    Returns:
        The penalty or None, and a sentence that says so.
    """
    trial = _Trial.of(model.fitted_data, np.random.default_rng(seed))
    average = "new items are average items"
    if trial is None:
        return None, f"too few items to see whether facts help: {average}"
    gains = trial.gains(model, X)
    best = int(np.argmax(gains.sum(axis=1)))
    n, error = counted(gains.shape[1], "hidden item"), float(np.sqrt(np.square(gains[best]).sum()))
    if not gains[best].sum() > STANDARD_ERRORS * error:
        return None, f"facts do not help to predict {n}: {average}"
    return PENALTIES[best], f"facts help to predict {n}: new items follow from theirs"


class _Trial(NamedTuple):
    """Hidden items, and users who have rated some of them and others.

    Attributes:
        hidden, teachers: int64, rows of the items that are hidden, and of those that teach.
        users: int64, rows of users.
    """

    hidden: I64
    teachers: I64
    users: I64

    @classmethod
    def of(cls, data: Feedback, rng: np.random.Generator) -> "_Trial | None":
        counts = data.by_item.counts
        rated = np.flatnonzero(counts)
        least = min(MIN_HIDDEN, len(rated) // 3)
        n_hidden = min(max(int(HIDDEN_SHARE * len(rated)), least), MAX_HIDDEN)
        if not n_hidden:
            return None
        hidden = np.sort(rng.choice(rated, n_hidden, replace=False))
        is_hidden = np.isin(np.arange(len(counts)), hidden)
        teachers = rated[~is_hidden[rated]]
        most = teachers[np.argsort(-counts[teachers], kind="stable")[:MAX_TEACHERS]]
        raters = np.unique(np.concatenate([data.user_index[data.by_item[i]] for i in hidden]))
        return cls(hidden, np.sort(most), rng.permutation(raters)[:MAX_USERS].astype(np.int64))

    def gains(self, model: Any, X: Any) -> F64:
        """The share of each hidden item in the gain with each penalty, (penalties, n_hidden)."""
        from scipy.stats import rankdata  # slow to import, and only a trial needs it

        data, n, size = model.fitted_data, model.fitted_data.n_items, len(self.hidden)
        penalties = (np.inf, *PENALTIES)
        regression = Regression(X, data.by_item.counts, self.teachers, penalties)
        trial, blocks = copy(model), len(penalties)
        ids = pl.Series(np.arange(n + blocks * size))
        trial.ratings_ = data.with_items(Vocabulary(ids, "item"))
        rows = np.arange(n, n + blocks * size, dtype=np.int32)
        trial._place(NewItems(rows, X[self.hidden], regression))
        place = np.full(n, -1)
        place[self.hidden] = np.arange(size)
        totals = np.zeros((len(PENALTIES), size))
        n_rows = 0
        for user in self.users:
            rated = data.by_user[int(user)]
            items, values = data.item_index[rated], data.values[rated]
            hidden = place[items] >= 0
            if hidden.all():
                continue
            description = trial.fold_in_rows(items[~hidden], values[~hidden])
            scores = trial._scores_at(description, rows).reshape(blocks, size).astype(np.float64)
            places, rating = place[items[hidden]], values[hidden].astype(np.float64)
            if model.predicts_ratings:
                errors = np.square(rating - scores[:, places])
                part = errors[0] - errors[1:]
            else:
                places = places[data.liked(rating, getattr(model, "threshold", None))]
                part = (rankdata(scores[1:], axis=1)[:, places] - (size + 1) / 2) / size
            np.add.at(totals.T, places, part.T)
            n_rows += len(places)
        return totals / max(n_rows, 1)
