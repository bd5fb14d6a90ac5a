"""Ratings of which the truth is known, and how far predictions are from it in standard errors."""

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import F64, I64
from tastemap.data.ratings import Ratings
from tastemap.models.base.recommender import Recommender


def planted(n_users: int = 200, counts: I64 | None = None, seed: int = 0) -> tuple[Ratings, F64]:
    """Ratings of biases, four factors and noise; and the mean of each pair, (n_users, n_items).

    Items have so many ratings: without ``counts``, a sixth of 800 have a single one.
    """
    rng = np.random.default_rng(seed)
    if counts is None:
        counts = np.exp(rng.uniform(0, np.log(n_users / 2), 800)).astype(np.int64)
    n_items = len(counts)
    b_u, b_i = rng.normal(0, 0.4, n_users), rng.normal(0, 0.5, n_items)
    p, q = (rng.normal(0, 0.3, (n, 4)) for n in (n_users, n_items))
    mean = 3.5 + b_u[:, None] + b_i + p @ q.T
    activity = rng.pareto(2, n_users) + 0.3
    share = activity / activity.sum()
    users = [rng.choice(n_users, count, replace=False, p=share) for count in counts]
    pairs = (np.concatenate(users), np.repeat(np.arange(n_items), counts))
    rating = mean[pairs] + rng.normal(0, 0.9, counts.sum())
    columns = {"user_id": pairs[0], "item_id": pairs[1], "rating": rating}
    data = Ratings.from_frame(pl.DataFrame(columns))
    return data, mean[data.users.ids.to_numpy()][:, data.items.ids.to_numpy()]


def spread_of_errors(model: Recommender, mean: F64, items: npt.NDArray[np.bool_]) -> float:
    """The root mean square of errors of predictions of some items, in their standard errors.

    Of each eighth user.
    """
    rows: I64 = np.flatnonzero(items)
    squares = []
    for place in range(0, len(mean), 8):
        user = model.user_at(place)
        errors = model._standard_errors(user, rows.astype(np.int32))
        squares.append(((mean[place] - model.score_rows(user))[rows] / errors) ** 2)
    return float(np.sqrt(np.mean(squares)))
