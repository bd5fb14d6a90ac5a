"""Standard errors of expected ratings: the equation, and how often the truth lies within them."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.models.base.uncertainty import Uncertainty
from tastemap.models.bias import BiasModel


def test_standard_errors_are_the_equation() -> None:
    rng = np.random.default_rng(0)
    Y, times = rng.normal(size=(30, 4)), rng.integers(1, 9, 30)
    C, S = (root @ root.T + np.eye(4) for root in rng.normal(size=(2, 4, 4)))
    x, y, counts = rng.normal(size=(6, 4)), rng.normal(size=4), np.array([0, 1, 2, 5, 50, 500])
    errors = Uncertainty.of(0.7, Y, times, C, counts).standard_errors(x, S, y, counts)
    Y[:, 0] = y[0] = 1.0
    M = (Y.T * times) @ Y / times.sum()
    open_ = [0.7 * np.linalg.inv(n * M + 0.7 * np.linalg.inv(C)) for n in counts]
    Q = 0.7 * np.linalg.inv(C + np.mean(open_, axis=0))
    for n, row, error in zip(counts, x, errors, strict=True):
        of_item = y @ np.linalg.inv(n * M + Q) @ y
        assert error**2 == pytest.approx(0.7 * (row @ S @ row + of_item))


def test_eight_of_ten_true_means_lie_within_what_caution_takes_off() -> None:
    """Items of 1 to 40 ratings with true means N(3, 0.5^2), and noise of deviation 1."""
    rng = np.random.default_rng(1)
    true, counts = rng.normal(3, 0.5, 2000), rng.integers(1, 41, 2000)
    items = np.repeat(np.arange(2000), counts)
    rating = true[items] + rng.normal(0, 1, len(items))
    table = {"user_id": np.arange(len(items)) // 4, "item_id": items, "rating": rating}
    data = Ratings.from_frame(pl.DataFrame(table))
    model = BiasModel(item_damping=4.0, user_damping=1e6).fit(data)
    rows = np.arange(2000, dtype=np.int32)
    error = np.abs(model.score_rows(model.user_at(-1)) - true[data.items.ids.to_numpy()])
    within = error < 1.2816 * model._standard_errors(model.user_at(0), rows)
    assert 0.75 < within.mean() < 0.85
    for some in (data.by_item.counts < 8, data.by_item.counts > 20):
        assert within[some].mean() > 0.72
