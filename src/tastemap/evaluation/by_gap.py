"""Lists of one model by the time that a user was away: the next click, or taste."""

import numpy as np
import polars as pl

from tastemap.arrays import F64
from tastemap.data.feedback import Feedback
from tastemap.errors import ArgumentError
from tastemap.evaluation.evaluate import rank_unseen
from tastemap.metrics.gap import by_gap
from tastemap.models.base.recommender import Recommender


def evaluate_by_gap(
    model: Recommender,
    test: Feedback,
    k: int = 10,
    *,
    threshold: float | None = None,
    at_request: bool = False,
) -> pl.DataFrame:
    """`evaluate_ranking` by the time between a user's test rating and their rating before it.

    It is meant for `leave_last_out`: of several test ratings of a user the first in time counts
    for the gap. Most of what is foreseen within a second or a minute is the order of a page;
    what is foreseen after an hour is taste. "same second" is the share of tied times too: there
    the split drew which rating is the last.

    Args:
        model: A fitted model.
        test: Ratings the model has not seen, with times.
        k, threshold: As in `evaluate_ranking`; ``threshold=test.scale.lowest`` makes every test
            rating relevant, as tables of next items have it.
        at_request: Ask the model at the time of the test rating, which an application knows when
            a user comes back (see `Recommender.later`), and not right after the rating before.

    Returns:
        Frame ``gap, users, share, recall, ndcg, mrr``; the last row is "all".

    Raises:
        ArgumentError: As `evaluate_ranking`, or if training or test have no times.

    Example:
        >>> from tastemap.data.splits import leave_last_out
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> from tastemap.models.registry import make_model
        >>> train, test = leave_last_out(synthetic_ratings())
        >>> evaluate_by_gap(make_model("popularity").fit(train), test)["gap"].to_list()
        ['within a minute', 'all']
    """
    gap = _gaps(model, test)
    at_time = model.later(np.nan_to_num(gap)) if at_request else model
    ranked = rank_unseen(at_time, test, k, threshold=threshold)
    values = ranked.per_user()
    return by_gap(
        gap[ranked.user_index], {name: values[name] for name in ("recall", "ndcg", "mrr")}
    )


def _gaps(model: Recommender, test: Feedback) -> F64:
    """Seconds (n_users,) from the last training rating of a user to the first test rating.

    NaN for a user without one of them, or whose test rating is the older.
    """
    train = model.fitted_data
    if train.timestamp is None or test.timestamp is None:
        raise ArgumentError(
            "test",
            expected="ratings with timestamps, in training and test",
            received="ratings without",
            do="name the column (timestamp=...) when reading",
        )
    users, _ = model.rows_of(test)
    latest, first = np.full(train.n_users, np.nan), np.full(train.n_users, np.nan)
    np.fmax.at(latest, train.user_index, train.timestamp.astype(np.float64))
    np.fmin.at(first, users[users >= 0], test.timestamp[users >= 0].astype(np.float64))
    gap = first - latest
    return np.where(gap >= 0, gap, np.nan)
