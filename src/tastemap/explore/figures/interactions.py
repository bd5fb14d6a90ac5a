"""Figures of a table of interactions: how much each counts, and when they were made."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.readers.timestamps import MIN_LIKELY_SECONDS
from tastemap.data.statistics import value_counts
from tastemap.errors import ArgumentError
from tastemap.explore.figures import style
from tastemap.explore.figures.ratings import (
    MAX_LABELLED_BARS,
    N_BINS,
    histogram,
    label_bars,
    some_rows,
    source_line,
)
from tastemap.support.counts import counted, plain
from tastemap.support.extras import lab_package

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Most bars of the activity in time; more would be thinner than the gaps between them.
MAX_BARS = 60


class Unit(NamedTuple):
    """A part of the calendar.

    Attributes:
        every: Its name in Polars.
        name: Its name in a sentence.
        seconds: Its length, about.
        form: How one of them is written.
    """

    every: str
    name: str
    seconds: int
    form: str


UNITS = (
    Unit("1m", "minute", 60, "%d %b %Y, %H:%M"),
    Unit("1h", "hour", 3600, "%d %b %Y, %H:00"),
    Unit("1d", "day", 86_400, "%d %B %Y"),
    Unit("1w", "week", 604_800, "that of %d %B %Y"),
    Unit("1mo", "month", 2_629_746, "%B %Y"),
    Unit("1y", "year", 31_556_952, "%Y"),
)


def plot_weights(interactions: Interactions) -> "Figure":
    """How often each weight occurs: a bar for each of up to 12 weights, otherwise a histogram.

    A histogram has 30 bins, of the logarithms of the weights where few are far above the others.

    Raises:
        ArgumentError: If there are no interactions.
    """
    counts = value_counts(some_rows(interactions))
    values, n = counts["weight"].to_numpy(), counts["count"].to_numpy()
    median, mean = float(np.median(interactions.weight)), float(interactions.weight.mean())
    is_counted = len(values) <= MAX_LABELLED_BARS
    title = f"Half of the weights are at most {plain(median)}; the mean is {plain(round(mean, 1))}"
    if is_counted:
        title = f"{plain(values[n.argmax()])} is the most frequent weight"
    with style.styled():
        figure, (ax,) = style.new_figure(title, source_line(interactions))
        if is_counted:
            places = np.arange(len(values))
            ax.bar(places, n, width=0.78, color=style.BLUE)
            ax.set_xlabel("Weight of an interaction")
            label_bars(ax, places, n, [plain(value) for value in values])
        else:
            measure = style.Measure.of(interactions.weight)
            histogram(ax, measure.place(interactions.weight), n_bins=N_BINS)
            measure.draw(ax.xaxis, "Weight of an interaction")
        ax.margins(y=0.12)
        ax.set_ylabel("Interactions")
        style.rules(ax)
        style.counts(ax.yaxis)
    return figure


def knows_moments(ratings: Feedback) -> bool:
    """Whether the rows have times that are no mere numbers of places."""
    times = ratings.timestamp
    return times is not None and len(times) > 0 and int(np.median(times)) >= MIN_LIKELY_SECONDS


def plot_activity(ratings: Feedback) -> "Figure":
    """How many rows were made in each minute, hour, day, week, month or year (UTC).

    The unit is the shortest one of which there are at most 60.

    Raises:
        ArgumentError: If there are no rows, or no times.
    """
    times = some_rows(ratings).timestamp
    if times is None:
        raise ArgumentError("activity in time", expected=f"{ratings.noun} with times")
    span = int(times.max()) - int(times.min())
    unit = next((unit for unit in UNITS if span <= MAX_BARS * unit.seconds), UNITS[-1])
    begins = pl.from_epoch(pl.Series("begin", times)).dt.truncate(unit.every)
    bars = begins.value_counts(sort=False, name="n").sort("begin")
    top = bars.row(int(bars["n"].arg_max() or 0), named=True)
    dates = lab_package("matplotlib.dates")
    with style.styled():
        figure, (ax,) = style.new_figure(
            f"The busiest {unit.name} is {top['begin'].strftime(unit.form)},"
            f" with {counted(top['n'], ratings.noun.removesuffix('s'))}",
            f"{source_line(ratings)} · times in UTC",
        )
        days = 0.86 * unit.seconds / 86_400
        places = dates.date2num(bars["begin"])
        ax.bar(places, bars["n"], width=days, color=style.BLUE, align="edge")
        locator = dates.AutoDateLocator(minticks=3, maxticks=7)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
        ax.margins(x=0.01)
        ax.set_ylabel(f"{ratings.noun.capitalize()} a {unit.name}")
        style.rules(ax)
        style.counts(ax.yaxis)
    return figure
