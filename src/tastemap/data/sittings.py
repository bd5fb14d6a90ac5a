"""Sittings: what a user did without a long pause, as if each were a user."""

from dataclasses import replace
from typing import TypeVar

import numpy as np
import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import ArgumentError
from tastemap.support.counts import counted

TableT = TypeVar("TableT", bound=Feedback)


def sittings(feedback: TableT, minutes: float = 30) -> TableT:
    """Cut each user's rows into sittings: after a pause of more than some minutes a new one begins.

    A model of sessions knows what somebody did just now, and not who it was. It is fitted and
    judged on a table whose users are sittings, as any table: after `leave_last_out` the last item
    of each sitting is the test.

    Args:
        feedback: Ratings or interactions with times, n rows.
        minutes: Longest pause within a sitting; more than 0. Thirty minutes is what web analytics
            take; Catledge and Pitkow, "Characterizing browsing strategies in the World-Wide Web",
            1995, measured 25.5.

    Returns:
        The same rows, in the same order, items and values. The user ids are ``"USER-1"``,
        ``"USER-2"`` and so on, in the order of time; a table of users goes with them. A note in
        ``source.notes`` counts the sittings.

    Raises:
        ArgumentError: If there are no times, or ``minutes`` is not a number above 0.

    Example:
        >>> from tastemap.data.ratings import Ratings
        >>> table = {"user_id": 7, "item_id": [1, 2, 3], "rating": 4, "timestamp": [0, 60, 7200]}
        >>> sittings(Ratings.from_frame(pl.DataFrame(table))).to_frame()["user_id"].to_list()
        ['7-1', '7-1', '7-2']
    """
    if not 0 < minutes < np.inf:
        raise ArgumentError("minutes", expected="a number above 0", received=repr(minutes))
    if feedback.timestamp is None:
        raise ArgumentError(
            "feedback",
            expected=f"{feedback.noun} with timestamps",
            received=f"{feedback.noun} without",
            do="name the column (timestamp=...) when reading",
        )
    order = feedback.in_order
    user, time = feedback.user_index[order], feedback.timestamp[order]
    is_first = np.ones(len(order), dtype=np.bool_)
    new_user = user[1:] != user[:-1]
    is_first[1:] = new_user | (np.diff(time) > 60 * minutes)
    sitting = np.cumsum(is_first) - 1
    user_index = np.empty(len(order), dtype=np.int32)
    user_index[order] = sitting
    return feedback.replaced(
        user_index=user_index,
        users=_vocabulary(feedback, user[is_first]),
        source=replace(
            feedback.source, notes=(*feedback.source.notes, _note(feedback, sitting, minutes))
        ),
    )


def _vocabulary(feedback: Feedback, user_of: np.ndarray) -> Vocabulary:
    """The sittings as users; ``user_of`` (n_sittings,) has the row of the user of each."""
    starts = np.flatnonzero(np.append(True, user_of[1:] != user_of[:-1]))
    number = np.arange(len(user_of)) - np.repeat(starts, np.diff(np.append(starts, len(user_of))))
    frame = pl.DataFrame({"user": feedback.users.ids_at(user_of), "number": number + 1})
    ids = frame.select(pl.format("{}-{}", "user", "number"))["user"]
    table = feedback.user_table
    if table is not None:
        table = table[user_of].with_columns(ids.alias("user_id"))
    return Vocabulary(ids, "user", table)


def _note(feedback: Feedback, sitting: np.ndarray, minutes: float) -> str:
    """How many sittings there are, and how many of them are of a single row."""
    sizes, row = np.bincount(sitting), feedback.noun.removesuffix("s")
    n_users = int((feedback.by_user.counts > 0).sum())
    return (
        f"{counted(len(sizes), 'sitting')} of {counted(n_users, 'user')}, cut where more than"
        f" {minutes:g} minutes passed; {int((sizes == 1).sum()):,} of a single {row}"
    )
