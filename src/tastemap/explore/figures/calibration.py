"""The figure of calibration: the probabilities that a model gave, and the shares that came true.

References:
    Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017 (the
    reliability diagram). Gneiting, Balabdaoui, Raftery, "Probabilistic forecasts, calibration and
    sharpness", JRSS B 69(2), 2007 (coverage).
"""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tastemap.explore.figures import style
from tastemap.explore.figures.style import BLUE, INK, PALE, QUIET
from tastemap.explore.item_map import need
from tastemap.support.extras import lab_package

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The lines of a scale with more levels than this have one colour.
MAX_COLOURED_LEVELS = 12
# A share of fewer ratings than this is too uncertain to draw.
MIN_RATINGS_OF_SHARE = 30


def plot_calibration(reliability: pl.DataFrame, coverage: pl.DataFrame) -> "Figure":
    """Reliability of each level of the scale, or of parts of it, and coverage of intervals.

    Args:
        reliability: ``level, low, n, predicted, observed``, a row for each level and bin, as of
            `tastemap.metrics.calibration.reliability_of_levels`; on a continuous scale
            ``low, high, n, share, promised, observed``, as of
            `tastemap.metrics.continuous_calibration.reliability_of_parts`.
        coverage: ``mass, promised, observed``, a row for each interval, as of
            `tastemap.metrics.calibration.calibration_table`.

    Raises:
        ArgumentError: If a column is missing or a frame has no row.
    """
    need(coverage, ("mass", "promised", "observed"), "coverage")
    if "share" in reliability.columns:
        return _continuous(reliability, coverage)
    need(reliability, ("level", "low", "n", "predicted", "observed"), "reliability")
    # The calibration error: over bins, the levels together.
    bins = reliability.group_by("low").agg(
        pl.col("n").sum(), gap=((pl.col("observed") - pl.col("predicted")) * pl.col("n")).sum()
    )
    error = float(np.abs(bins["gap"].to_numpy()).sum() / bins["n"].to_numpy().sum())
    total = int(reliability["n"].sum() / reliability["level"].n_unique())
    with style.styled():
        figure, axes = style.new_figure(
            f"On average, probabilities are {100 * error:.1f} percentage points off",
            f"{total:,} test ratings · left: by the probability given to each level of the scale,"
            f" where {MIN_RATINGS_OF_SHARE} or more had it · right: intervals are of whole levels,"
            " so they promise more than their name",
            height=4.4,
            panels=2,
        )
        _draw_reliability(axes[0], reliability)
        _draw_coverage(axes[1], coverage)
    return figure


def _continuous(parts: pl.DataFrame, coverage: pl.DataFrame) -> "Figure":
    """The figure on a continuous scale: where ratings lie in their distributions, and coverage."""
    need(parts, ("low", "high", "n", "share", "promised", "observed"), "reliability")
    off = float((parts["observed"] - parts["promised"]).abs().head(-1).mean() or 0.0)  # type: ignore[arg-type]
    equal = 1 / len(parts)
    with style.styled():
        figure, axes = style.new_figure(
            f"On average, quantiles are {100 * off:.1f} percentage points off",
            f"{parts['n'][0]:,} test ratings · left: where they lie in the distribution that the"
            f" model gave them, {100 * equal:g} % in each part if it keeps its word"
            " · right: central intervals",
            height=4.4,
            panels=2,
        )
        ax = axes[0]
        middles = (parts["low"] + parts["high"]) / 2
        ax.bar(middles, parts["share"], 0.88 * equal, color=BLUE, zorder=2)
        ax.axhline(equal, color=QUIET, lw=1.2, ls=(0, (4, 3)), zorder=3, label="promised")
        ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        highest = max(float(parts["share"].max()), equal)  # type: ignore[arg-type]
        ax.set(xlim=(0, 1), ylim=(0, 1.25 * highest))
        ax.set(xlabel="Probability of a lower rating", ylabel="Test ratings")
        ax.legend(loc="upper right", fontsize=9)
        style.rules(ax)
        _draw_coverage(axes[1], coverage)
    return figure


def _draw_reliability(ax: "Axes", frame: pl.DataFrame) -> None:
    """A line for each level, the diagonal behind them."""
    levels = frame["level"].unique().sort().to_list()
    is_coloured = len(levels) <= MAX_COLOURED_LEVELS
    colours = lab_package("matplotlib").colormaps[style.SEQUENTIAL]
    drawn = frame.filter(pl.col("n") >= MIN_RATINGS_OF_SHARE)
    ax.plot([0, 1], [0, 1], color=QUIET, lw=1.2, ls=(0, (4, 3)), zorder=1)
    for at, level in enumerate(levels):
        line = drawn.filter(level=level).sort("predicted")
        colour = colours(0.9 * at / max(len(levels) - 1, 1)) if is_coloured else PALE
        ax.plot(
            line["predicted"],
            line["observed"],
            "o-",
            ms=4.5,
            lw=1.6,
            color=colour,
            label=f"{level:g}",
        )
    most = 1.0 if not len(drawn) else float(drawn.select("predicted", "observed").to_numpy().max())
    end = min(1.0, most + 0.08)
    ax.set(xlim=(0, end), ylim=(0, end), xlabel="Probability given", ylabel="Share that came true")
    ax.set_aspect("equal")
    if is_coloured:
        sizes = {"fontsize": 9, "title_fontsize": 9.5, "ncols": 1 + len(levels) // 7}
        ax.legend(title="rating", loc="upper left", **sizes)
    style.rules(ax, "both")


def _draw_coverage(ax: "Axes", frame: pl.DataFrame) -> None:
    """For each interval the promised share, a pale bar, and the observed one, a dot."""
    x = np.arange(len(frame))
    ax.bar(x, frame["promised"], 0.62, color=PALE, label="promised", zorder=2)
    ax.plot(x, frame["observed"], "o", ms=9, color=BLUE, mec="white", label="came true", zorder=3)
    for at, value in zip(x, frame["observed"], strict=True):
        look = {"color": INK, "path_effects": style.haloed(), "zorder": 4}
        style.label(ax, f"{100 * value:.1f} %", (at, value), (0, 8), size=9.5, **look)
    ax.set_xticks(x, [f"{100 * mass:g} %" for mass in frame["mass"]])
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    ax.set(ylim=(0, 1.12), xlabel="Interval", ylabel="Ratings inside")
    ax.legend(loc="upper center", ncols=2, fontsize=9, bbox_to_anchor=(0.5, 1.12))
    style.rules(ax)
