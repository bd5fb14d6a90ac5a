"""The probability of taking an item up: calibrated, whoever is asked of, on any table."""

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.models.base import item_based
from tastemap.models.base.propensity import Propensity, _fitted, _regression, _scores


def test_scores_become_shares_that_come_true(ratings: Ratings, split: Split) -> None:
    """Of pairs that were hidden from the scores, also among those that look likely."""
    learnt = Propensity.of(split.train)
    train, hidden = split.train.likes(-np.inf), split.test.likes(-np.inf)
    x, y = _scores(_fitted(train), train, hidden)
    p = expit(learnt.intercept + learnt.slope * x)
    likely = p > np.quantile(p, 0.8)
    assert p.mean() == pytest.approx(y.mean(), rel=0.15)
    assert p[likely].mean() == pytest.approx(y[likely].mean(), rel=0.15)
    assert y[likely].mean() > 1.5 * y[~likely].mean()


def test_the_regression_is_where_the_gradient_is_that_of_the_prior() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(-3, 1, 4000)
    y = (rng.random(4000) < expit(1 + 2 * x)).astype(np.float64)
    a, b = _regression(x, y)
    assert (a, b) == pytest.approx((1, 2), abs=0.3)
    lack = y - expit(a + b * x)
    assert (x - x.mean()) @ lack == pytest.approx(b - 1, abs=1e-4)
    assert _regression(x, 1 - y)[1] == 0  # never upside down


def test_what_was_seen_says_what_is_likely(split: Split) -> None:
    seen = split.train.with_seen(split.test.likes(-np.inf))
    more, less = Propensity.of(seen), Propensity.of(split.train)
    assert more.average.sum() > less.average.sum()
    none = np.zeros(0, dtype=np.int32)
    np.testing.assert_array_equal(less(none), less.average)


def test_where_nobody_has_two_items_and_where_there_are_too_many(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pl.DataFrame({"user_id": [1, 2, 3], "item_id": [7, 8, 7]})
    p = Propensity.of(Interactions.from_frame(frame))(np.array([0], dtype=np.int32))
    assert ((p > 0) & (p < 1)).all()
    monkeypatch.setattr(item_based, "MAX_ITEMS", 10)
    assert type(Propensity.of(ratings).model).__name__ == "ALS"
