"""Every answer judged by the same code: tastemap's metrics."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tastemap.arrays import F64
from tastemap.evaluation.ranked_lists import RankedLists
from tastemap.metrics import calibration
from tastemap.metrics import rating as metrics
from tastemap.metrics.bootstrap import holm, paired_differences
from tastemap.metrics.gap import by_gap

LEVELS = np.arange(1.0, 6.0)
# So many that the least p value stays below 0.05 where Holm multiplies it by the number of peers.
N_RESAMPLES = 10_000


@dataclass(frozen=True)
class Score:
    """What an answer is worth.

    Attributes:
        values: Metrics by name.
        totals, counts: Sums of each user's losses and their numbers, (n_users,), of which paired
            differences are made: squared errors, or NDCG of one list each.
        note: What had to be mended, or nothing.
    """

    values: dict[str, float]
    totals: Any
    counts: Any
    note: str = ""


def rating_score(answer: Any, train: Any, test: Any) -> Score:
    """RMSE and MAE of predictions, and of a distribution also MAE of the median and log-loss."""
    rows = np.unique(test.user_index, return_inverse=True)[1]
    values: dict[str, float] = {}
    predicted = np.asarray(answer, dtype=np.float64)
    if predicted.ndim == 2:
        median = LEVELS[np.argmax(np.cumsum(predicted, axis=1) >= 0.5 - 1e-6, axis=1)]
        level = calibration.places(test.rating, LEVELS)
        values["mae_median"] = metrics.mae(test.rating, median)
        values["log_loss"] = calibration.log_loss(level, predicted)
        predicted = predicted @ LEVELS
    missing = ~np.isfinite(predicted)
    predicted = np.clip(np.where(missing, train.global_mean, predicted), 1, 5)
    errors = (predicted - test.rating) ** 2
    found = {
        "rmse": metrics.rmse(test.rating, predicted),
        "mae": metrics.mae(test.rating, predicted),
    }
    note = f"no answer for {missing.sum()} pairs: the mean instead" if missing.any() else ""
    return Score(found | values, np.bincount(rows, errors), np.bincount(rows), note)


def list_score(answer: Any, train: Any, test: Any, gap: F64 | None = None) -> Score:
    """Recall@k, NDCG@k and coverage of lists, one for each user with test items, ascending.

    With the seconds (n_users,) since each user was there last, NDCG@k by these, too.
    """
    lists = np.asarray(answer)
    users, rows = np.unique(test.user_index, return_inverse=True)
    check_lists(lists, users, train)
    keys = users[:, None].astype(np.int64) * train.n_items + lists
    hits = np.isin(keys, test.user_index.astype(np.int64) * train.n_items + test.item_index)
    relevant = test.item_index[np.argsort(rows, kind="stable")]
    ranked = RankedLists(users, lists, hits, np.bincount(rows), relevant, 0)
    means, each = ranked.summary(train), ranked.per_user()["ndcg"]
    values = {name: means[name] for name in ("recall", "ndcg", "coverage")}
    if gap is not None:
        classes = by_gap(gap[users], {"ndcg": each})
        values |= {f"ndcg, {name}": ndcg for name, _, _, ndcg in classes.iter_rows()}
    return Score(values, each, np.ones(len(users)))


def check_lists(lists: Any, users: Any, train: Any) -> None:
    """A list of distinct items that its user has not seen, for each user; else an error."""
    if lists.ndim != 2 or len(lists) != len(users):
        raise ValueError(f"{len(users)} lists are asked for, the answer has shape {lists.shape}")
    inside = (lists >= 0) & (lists < train.n_items)
    seen = np.isin(
        users[:, None].astype(np.int64) * train.n_items + lists,
        train.user_index.astype(np.int64) * train.n_items + train.item_index,
    )
    twice = (np.diff(np.sort(lists, axis=1), axis=1) == 0).any(axis=1)
    for wrong, what in ((~inside, "no item"), (seen & inside, "a seen item")):
        if wrong.any():
            raise ValueError(f"{wrong.any(axis=1).sum()} lists hold {what}")
    if twice.any():
        raise ValueError(f"{twice.sum()} lists hold an item twice")


def difference(peer: Score, ours: Score, *, root: bool) -> list[float]:
    """Peer minus ours of a mean loss, or of its root, a 95 % interval and p: users resampled."""
    losses = [peer.totals, ours.totals]
    found = paired_differences(losses, peer.counts, 1, root=root, n_resamples=N_RESAMPLES)
    return [float(values[0]) for values in found]


def corrected(rows: list[dict[str, Any]]) -> None:
    """Add to the differences of one task their p values by Holm, for as many as there are."""
    compared = [row for row in rows if "difference" in row]
    p = holm([row["difference"][3] for row in compared])
    for row, value in zip(compared, p, strict=True):
        row["p_holm"] = float(value)
