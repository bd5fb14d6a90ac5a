"""Figures of interactions: how much each counts, and when they were made."""

import io
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from tastemap.data.feedback import Source
from tastemap.data.interactions import Interactions
from tastemap.errors import ArgumentError
from tastemap.explore.figures.interactions import (
    MAX_BARS,
    UNITS,
    knows_moments,
    plot_activity,
    plot_weights,
)


def table(n: int = 200, **columns: object) -> Interactions:
    """Interactions of twenty users with ten songs."""
    rows = np.arange(n)
    frame = pl.DataFrame({"user_id": rows % 20, "item_id": rows // 20, **columns})
    return Interactions.from_frame(frame, source=Source("plays.csv", noun="song"))


def drawn(figure: Figure) -> tuple[list[str], list[float]]:
    """The texts and the heights of the bars of a figure that was drawn in full."""
    figure.savefig(io.BytesIO(), format="png")
    texts = [text.get_text() for text in figure.findobj(Text)]
    return texts, [float(bar.get_height()) for bar in figure.axes[0].patches]


def test_a_bar_for_each_of_few_weights_and_a_histogram_of_many() -> None:
    texts, bars = drawn(plot_weights(table(weight=[1, 3, 1, 10] * 50)))
    assert bars == [100, 50, 50]
    assert {"1 is the most frequent weight", "1", "3", "10", "50 %", "25 %"} <= {*texts}
    plays = np.round(10 ** np.linspace(0, 5, 200), 1)
    texts, bars = drawn(plot_weights(table(weight=plays)))
    assert len(bars) == 30
    assert sum(bars) == 200
    assert max(bars) < 20, "by their logarithm"
    assert "Weight of an interaction, logarithmic" in texts
    assert not any("rating" in text.lower() for text in texts)


@pytest.mark.parametrize("unit", UNITS)
def test_activity_is_counted_in_the_shortest_unit_that_has_room(unit) -> None:
    """The rows of 200 equal steps over 40 units, from the first second of 2020 on."""
    begin, span = 1_577_836_800, 40 * unit.seconds
    times = begin + (np.linspace(0, 1, 200) * span).astype(np.int64)
    texts, bars = drawn(plot_activity(table(timestamp=times)))
    assert f"Interactions a {unit.name}" in texts
    assert sum(bars) == 200
    assert 40 <= len(bars) <= MAX_BARS
    assert any(text.startswith(f"The busiest {unit.name} is ") for text in texts)


def test_units_follow_each_other_without_a_hole() -> None:
    assert all(short.seconds < long.seconds for short, long in pairwise(UNITS))


def test_a_moment_is_enough_and_places_are_no_times() -> None:
    once = table(timestamp=np.full(200, 1_577_836_805))
    texts, bars = drawn(plot_activity(once))
    assert bars == [200]
    assert "The busiest minute is 01 Jan 2020, 00:00, with 200" in " ".join(texts).replace(
        "\n", " "
    )
    assert knows_moments(once)
    assert not knows_moments(table(timestamp=np.arange(200)))
    assert not knows_moments(table())
    with pytest.raises(ArgumentError, match="activity in time; expected interactions with times"):
        plot_activity(table())
    with pytest.raises(ArgumentError, match="at least one interaction"):
        plot_weights(once.take(np.zeros(200, dtype=bool)))
