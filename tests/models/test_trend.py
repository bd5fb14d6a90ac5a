"""The trend of items at a time, from planted periods."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.interactions import Interactions
from tastemap.models.trend import SECONDS_PER_DAY, Trend


def test_the_trend_lifts_what_is_taken_up_at_the_time_and_not_after() -> None:
    """Item 1 is of the first month, item 2 of the second, and 40 others are of all of it."""
    day, others = SECONDS_PER_DAY, np.random.default_rng(0).integers(3, 43, 8000).tolist()
    when = [user * 60 * day // 8000 for user in range(8000)]
    rows = [(user, 1 + (user >= 4000), when[user]) for user in range(8000)]
    rows += [(user, others[user], when[user] + 1) for user in range(8000)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    data = Interactions.from_frame(frame)
    trend, counts = Trend.of(data), data.by_item.counts
    assert trend is not None
    first, second, before = (trend.lift(n * day, counts, 30.0) for n in (29.0, 60.0, 0.0))
    assert first[0] > 1.2 * first[2] > 1.44 * first[1]
    assert second[1] > 1.2 * second[2] > 1.44 * second[0]
    assert before == pytest.approx(np.ones(42))


def test_without_times_there_is_no_trend() -> None:
    frame = pl.DataFrame({"user_id": [1, 2], "item_id": [1, 1]})
    assert Trend.of(Interactions.from_frame(frame)) is None
