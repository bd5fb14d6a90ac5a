"""Lists of one model by the time that a user was away: the next click, or taste."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from tastemap.arrays import F64
from tastemap.data.feedback import Feedback
from tastemap.errors import ArgumentError
from tastemap.evaluation.evaluate import rank_unseen
from tastemap.evaluation.leakage import is_forecast
from tastemap.evaluation.ranked_lists import RankedLists
from tastemap.metrics.gap import by_gap, interval_of_share
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
        Frame ``gap, users, share, recall, recall_low, recall_high, ndcg, mrr``; the last row is
        "all". Where a user has one test rating, the recall is the hit rate, HR. Its 95 % interval
        is Wilson's (`tastemap.metrics.gap.interval_of_share`).

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
    gap = gaps_before(model.fitted_data, test)
    at_time = model.later(gap) if at_request else model
    return lists_by_gap(rank_unseen(at_time, test, k, threshold=threshold), gap)


def lists_by_gap(ranked: RankedLists, gap: F64) -> pl.DataFrame:
    """The scores of lists by gap; the frame of `evaluate_by_gap`.

    Args:
        ranked: The lists of a model.
        gap: Seconds (n_users,) of each row of the model's users, NaN where unknown.
    """
    values = ranked.per_user()
    frame = by_gap(
        gap[ranked.user_index], {name: values[name] for name in ("recall", "ndcg", "mrr")}
    )
    users = frame["users"].to_numpy().astype(np.float64)
    low, high = interval_of_share(frame["recall"].to_numpy(), users)
    columns = ("gap", "users", "share", "recall", "recall_low", "recall_high", "ndcg", "mrr")
    return frame.with_columns(recall_low=low, recall_high=high).select(columns)


def joined_gaps(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Frames of `lists_by_gap` of several models, a class after the other; for each class all.

    Args:
        frames: By the name of the model.

    Returns:
        Frame ``gap, model, users, share, recall, recall_low, recall_high, ndcg, mrr``.
    """
    parts = [
        frame.with_row_index("class").insert_column(2, pl.Series("model", [name] * len(frame)))
        for name, frame in frames.items()
    ]
    return pl.concat(parts).sort("class", maintain_order=True).drop("class")


def is_next(train: Feedback, test: Feedback) -> bool:
    """Whether the test holds the next rating of each user in it, at a known time.

    So it is after `leave_last_out` of a table with times: one test rating a user, none older than
    their last in training, of users known from training.

    Example:
        >>> from tastemap.data.splits import split_by_name
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> ratings = synthetic_ratings()
        >>> [is_next(*split_by_name(ratings, name)) for name in ("last", "forecast", "random")]
        [True, False, False]
    """
    if train.timestamp is None or test.timestamp is None or not len(test):
        return False
    rows = train.users.index(test.users.ids, missing="negative")[test.user_index]
    in_train = (rows >= 0) & (train.by_user.counts[rows] > 0)
    return bool(in_train.all()) and len(np.unique(rows)) == len(rows) and is_forecast(train, test)


def gaps_before(train: Feedback, test: Feedback) -> F64:
    """Seconds (n_users,) from the last training rating of a user to the first test rating.

    Args:
        train: The ratings before the test; the users of the result are its rows.
        test: The test ratings; its vocabularies may differ.

    Returns:
        NaN for a user without one of them, or whose test rating is the older.

    Raises:
        ArgumentError: If one of them has no times.

    Example:
        >>> from tastemap.data.ratings import Ratings
        >>> table = {"user_id": [1, 1], "item_id": [7, 8], "rating": [4, 5], "timestamp": [60, 90]}
        >>> ratings = Ratings.from_frame(pl.DataFrame(table))
        >>> gaps_before(ratings.take(np.array([0])), ratings.take(np.array([1]))).tolist()
        [30.0]
    """
    if train.timestamp is None or test.timestamp is None:
        raise ArgumentError(
            "test",
            expected="ratings with timestamps, in training and test",
            received="ratings without",
            do="name the column (timestamp=...) when reading",
        )
    users = train.users.index(test.users.ids, missing="negative")[test.user_index]
    latest, first = np.full(train.n_users, np.nan), np.full(train.n_users, np.nan)
    np.fmax.at(latest, train.user_index, train.timestamp.astype(np.float64))
    np.fmin.at(first, users[users >= 0], test.timestamp[users >= 0].astype(np.float64))
    gap = first - latest
    return np.where(gap >= 0, gap, np.nan)
