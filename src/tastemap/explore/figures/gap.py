"""Figure of lists by the time since a user was there last: the next click, or taste."""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tastemap.explore.figures import style
from tastemap.explore.figures.style import PALE, PALETTE
from tastemap.explore.item_map import need
from tastemap.metrics.gap import TOTAL, UNKNOWN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Shapes tell models apart where colours do not, as in print.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# Width of all points of a class; the distance of classes is 1.
CLASS_WIDTH = 0.6


def plot_gaps(gaps: pl.DataFrame, k: int) -> "Figure":
    """The hit rate of each model by the time since the user was there last, with intervals.

    Args:
        gaps: ``gap, model, users, recall, recall_low, recall_high``; classes and models are drawn
            in the order of the rows, but "all" is left out, and of more than seven models those
            after the seventh are grey.
        k: Length of the lists.

    Raises:
        ArgumentError: If a column is missing or there is no row.
    """
    need(gaps, ("gap", "model", "users", "recall", "recall_low", "recall_high"), "gaps")
    rows = gaps.filter(pl.col("gap") != TOTAL)
    need(rows, ("gap",), "gaps")
    classes = rows["gap"].unique(maintain_order=True).to_list()
    models = rows["model"].unique(maintain_order=True).to_list()
    sizes = dict(rows.select("gap", "users").iter_rows())
    step = CLASS_WIDTH / max(len(models) - 1, 1)
    with style.styled():
        figure, (ax,) = style.new_figure(
            _message(rows),
            f"Share of users whose held-out item is among the {k} listed, by the time since their"
            " item before · bars: 95 % intervals · below, users",
            height=4.4 + 0.25 * (len(models) // 4),
        )
        for at, model in enumerate(models):
            part = rows.filter(pl.col("model") == model)
            shift = step * at - CLASS_WIDTH / 2 if len(models) > 1 else 0.0
            x = np.array([classes.index(name) for name in part["gap"]]) + shift
            colour = PALETTE[at] if at < len(PALETTE) else PALE
            ax.vlines(x, part["recall_low"], part["recall_high"], color=colour, lw=2)
            ax.plot(
                x, part["recall"], MARKERS[at % len(MARKERS)], ms=6.5, color=colour, label=model
            )
        ax.set_xticks(
            range(len(classes)), [f"{name}\n{sizes[name]:,}" for name in classes], size=9.5
        )
        ax.set_xlim(-0.5, len(classes) - 0.5)
        ax.set_ylim(bottom=0)
        for edge in range(1, len(classes)):
            ax.axvline(edge - 0.5, color=PALE, lw=0.8, ls=(0, (2, 3)), zorder=0)
        ax.set(xlabel="Time since the item before", ylabel=f"Hit rate, HR@{k}")
        style.rules(ax)
        if len(models) > 1:
            handles, labels = ax.get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9.5)
    return figure


def _message(rows: pl.DataFrame) -> str:
    """Which model is ahead in the shortest and in the longest known gap."""
    timed = rows.filter(pl.col("gap") != UNKNOWN)
    classes = timed["gap"].unique(maintain_order=True).to_list()
    if not classes:
        return "When these users were there before is not known"
    first, last = (
        timed.filter(pl.col("gap") == name).sort("recall", descending=True, maintain_order=True)
        for name in (classes[0], classes[-1])
    )
    parts = [f"“{first['model'][0]}” ({classes[0]})"]
    if len(classes) > 1:
        parts.append(f"“{last['model'][0]}” ({classes[-1]})")
    return f"Most hits: {', '.join(parts)}"
