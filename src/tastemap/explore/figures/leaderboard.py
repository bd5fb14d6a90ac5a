"""Figures of a leaderboard: error against seconds, differences with intervals, errors by band.

Each function returns a `matplotlib.figure.Figure` of its own.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tastemap.arrays import F64
from tastemap.explore.figures import style
from tastemap.explore.figures.style import BLUE, INK, PALE, PALETTE, QUIET, VERMILION
from tastemap.explore.item_map import need

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Scores for which more is better, and the names of scores on an axis.
SCORES_OF_LISTS = ("recall", "precision", "ndcg", "map", "mrr")
_NAMES = {"rmse": "RMSE", "mae": "MAE", "ndcg": "NDCG", "map": "MAP", "mrr": "MRR"}
# A difference with a corrected p value of at most this holds.
MAX_P = 0.05
# The left end of the logarithmic axis; faster fits are drawn there.
MIN_SECONDS = 0.01
# About the size of the plotting area, to place labels in.
AREA_POINTS = (400.0, 200.0)
# Beside lines there is room for so many names below each other.
MAX_LINES_BESIDE = 17
# The dashes of the first models, which have a colour each, of the next ones, and so on.
DASHES = ("-", (0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
# A name is tried at these distances above or below its point, in lines.
LINES_OFF = (0, 1, -1, 2, -2, 3, -3, 4, -4)


def plot_error_and_seconds(frame: pl.DataFrame, score: str = "test_rmse") -> "Figure":
    """A score of each model against the seconds of its fit; a line joins the best ones.

    Args:
        frame: ``model, fit_seconds`` and the score; rows without it are left out.
        score: ``test_`` and the name of an error or of a metric of lists.

    Raises:
        ArgumentError: If a column is missing or no model has the score.
    """
    need(frame, ("model", "fit_seconds", score), "leaderboard")
    rows = frame.filter(pl.col(score).is_not_null())
    need(rows, ("model",), "leaderboard")
    metric = score.removeprefix("test_")
    name, up = _NAMES.get(metric, metric.replace("_", " ")), metric in SCORES_OF_LISTS
    value = rows[score].to_numpy().astype(np.float64)
    seconds = np.maximum(rows["fit_seconds"].to_numpy().astype(np.float64), MIN_SECONDS)
    best = int(np.argmax(value) if up else np.argmin(value))
    front = _front(seconds, -value if up else value)
    with style.styled():
        figure, (ax,) = style.new_figure(
            f"“{rows['model'][best]}” has the {'highest' if up else 'least'} test {name},"
            f" {value[best]:.3f}, after {_seconds(seconds[best])}",
            f"{name} on the test part, {'more' if up else 'less'} is better · blue: no model is"
            " both better and quicker · seconds on a logarithmic scale",
        )
        ax.plot(seconds[front], value[front], color=BLUE, lw=1.4, alpha=0.5, zorder=1)
        colours = [BLUE if at in front else QUIET for at in range(len(value))]
        ax.scatter(seconds, value, s=60, color=colours, zorder=3)
        ax.set_xscale("log")
        span = max(float(np.ptp(value)), 1e-3)
        ax.set_ylim(value.min() - 0.1 * span, value.max() + 0.14 * span)
        ax.set_xlim(seconds.min() / 1.6, max(seconds.max() * 6, seconds.min() * 10))
        ax.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f} s" if x >= 1 else f"{x:g} s")
        _label(ax, seconds, value, rows["model"].to_list(), colours)
        ax.set(xlabel="Time of the fit", ylabel=name)
        style.rules(ax)
    return figure


def plot_differences(frame: pl.DataFrame, metric: str = "rmse") -> "Figure":
    """Each model's difference to the reference, with its interval.

    Args:
        frame: ``metric, model, reference, difference, low, high``, one reference for each metric;
            an interval may be null. With a column ``p_holm``, the corrected p value, a difference
            is called one if that is at most 0.05, without it if the interval leaves out 0.
        metric: The metric to draw.

    Raises:
        ArgumentError: If a column is missing or the metric has no row.
    """
    columns = ("metric", "model", "reference", "difference", "low", "high")
    need(frame, columns, "differences")
    rows = frame.filter(pl.col("metric") == metric)
    need(rows, columns, "differences")
    up, name, y = metric in SCORES_OF_LISTS, _NAMES.get(metric, metric), np.arange(len(rows))
    value, low, high = (
        rows[column].fill_null(np.nan).to_numpy() for column in ("difference", "low", "high")
    )
    below, above, note = high < 0, low > 0, "bars: 95 % intervals, users resampled"
    if "p_holm" in rows.columns:
        holds = rows["p_holm"].fill_null(1.0).to_numpy() <= MAX_P
        below, above = holds & (value < 0), holds & (value > 0)
        note += " · colour: holds after Holm’s correction"
    worse, better = (below, above) if up else (above, below)
    reference = rows["reference"][0]
    with style.styled():
        figure, (ax,) = style.new_figure(
            f"{int(better.sum())} better than “{reference}”, {int(worse.sum())} worse,"
            f" {int((~better & ~worse).sum())} not told apart",
            f"{name} minus that of {reference} on the same held-out part · {note} ·"
            f" {'right' if up else 'left'} of the line is better",
            height=1.6 + 0.36 * len(rows),
        )
        ax.axvline(0, color=QUIET, lw=1.2, ls=(0, (4, 3)), zorder=1)
        for at in y:
            colour = BLUE if better[at] else VERMILION if worse[at] else QUIET
            ax.plot([low[at], high[at]], [at, at], color=colour, lw=2.5, solid_capstyle="round")
            ax.plot([value[at]], [at], "o", ms=7, color=colour)
            look = {"xycoords": ("axes fraction", "data"), "ha": "right", "color": INK}
            style.label(ax, f"{value[at]:+.4f}", (1, at), (52, 0), size=9.5, **look)
        style.name_rows(ax, rows["model"].to_list())
        ax.margins(x=0.08)
        ax.set_xlabel(f"Difference of {name}")
        style.rules(ax, "x")
    return figure


def plot_bands_of_models(bands: pl.DataFrame, metric: str = "rmse") -> "Figure":
    """The error of each model by the popularity of the item and by the activity of the user.

    Args:
        bands: ``model, group`` (``"popularity"``, ``"activity"``), ``band``, ``n`` and the metric;
            models and bands are drawn in the order of the rows.
        metric: ``"rmse"`` or ``"mae"``.

    Raises:
        ArgumentError: If a column is missing or there is no row.
    """
    need(bands, ("model", "group", "band", "n", metric), "error bands")
    captions = {"popularity": "Training ratings of the item", "activity": "… of the user"}
    groups = bands["group"].unique(maintain_order=True).to_list()
    models = bands["model"].unique(maintain_order=True).to_list()
    name = _NAMES.get(metric, metric)
    looks: dict[str, dict[str, Any]] = {
        model: {"color": PALETTE[at % len(PALETTE)], "ls": DASHES[at // len(PALETTE) % len(DASHES)]}
        for at, model in enumerate(models)
    }
    with style.styled():
        figure, axes = style.new_figure(
            f"{name} where little is known, and where much is",
            "On the test ratings, by the number of training ratings of the item and of the user",
            height=4.4,
            panels=len(groups),
        )
        for ax, group in zip(axes, groups, strict=True):
            ends: dict[str, tuple[int, float]] = {}
            part = bands.filter(pl.col("group") == group)
            names = part["band"].unique(maintain_order=True).to_list()
            for model, look in looks.items():
                rows = part.filter(pl.col("model") == model)
                x = [names.index(band) for band in rows["band"]]
                ax.plot(x, rows[metric], "o", ms=4.5, color=look["color"])
                ax.plot(x, rows[metric], lw=1.8, **look)
                if len(rows):
                    ends[model] = x[-1], rows[metric][-1]
            sizes = dict(part.select("band", "n").iter_rows())
            ax.set_xticks(range(len(names)), [f"{band}\n{sizes[band]:,}" for band in names])
            ax.tick_params(axis="x", labelsize=8)
            ax.set_title(captions.get(group, str(group)), fontsize=10.5, color=INK)
            ax.set_xlabel("Ratings in training; below, tests")
            style.rules(ax)
        low, high = zip(*(ax.get_ylim() for ax in axes), strict=True)
        for ax in axes:
            ax.set_ylim(min(low), max(high))
        axes[0].set_ylabel(name)
        _name_lines(axes[-1], looks, ends)
    return figure


def _name_lines(
    ax: "Axes", looks: dict[str, dict[str, Any]], ends: dict[str, tuple[int, float]]
) -> None:
    """The names of lines at their right ends, joined to these, none over another."""
    order = sorted(ends, key=lambda model: ends[model][1])
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    gap, start = (top - bottom) / MAX_LINES_BESIDE, right + 0.12 * (right - left)
    places = spread(np.array([ends[model][1] for model in order]), gap, bottom + gap / 2)
    for model, place in zip(order, places.tolist(), strict=True):
        x, value = ends[model]
        ax.plot([x, start], [value, place], lw=1.2, clip_on=False, alpha=0.8, **looks[model])
        look = {"color": INK, "size": 9, "annotation_clip": False}
        style.label(ax, model, (start, place), (4, 0), **look)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)


def spread(values: F64, gap: float, lowest: float) -> F64:
    """Places (n,) near values in order that are at least a gap apart, none below the lowest.

    Example:
        >>> spread(np.array([1.0, 1.1, 5.0]), 1.0, 0.0).tolist()
        [0.55, 1.55, 5.0]
    """
    groups: list[tuple[list[float], float]] = []  # the values of neighbours, and their middle
    for value in values.tolist():
        members, middle = [value], max(value, lowest)
        while groups and middle - gap * (len(members) - 1) / 2 < (
            groups[-1][1] + gap * (len(groups[-1][0]) + 1) / 2
        ):
            members = groups.pop()[0] + members
            half = gap * (len(members) - 1) / 2
            middle = max(sum(members) / len(members), lowest + half)
        groups.append((members, middle))
    steps = [middle + gap * (np.arange(len(m)) - (len(m) - 1) / 2) for m, middle in groups]
    return np.concatenate(steps) if steps else np.zeros(0)


def _front(seconds: F64, error: F64) -> list[int]:
    """Rows of the models that no other beats in both, fastest first: the Pareto front."""
    front: list[int] = []
    for at in np.lexsort((error, seconds)):
        if not front or error[at] < error[front[-1]]:
            front.append(int(at))
    return front


def _label(ax: "Axes", x: F64, y: F64, names: Sequence[str], colours: Sequence[str]) -> None:
    """Names at free places: beside their point, or joined to it by a line."""
    (left, right), (bottom, top) = np.log(ax.get_xlim()), ax.get_ylim()
    at_x = (np.log(x) - left) / (right - left) * AREA_POINTS[0]
    at_y = (y - bottom) / (top - bottom) * AREA_POINTS[1]
    taken = [(px - 5, px + 5, py - 5, py + 5) for px, py in zip(at_x, at_y, strict=True)]
    for n in np.argsort(at_y):
        width, x_n = 6.0 * len(names[n]), at_x[n]
        places = [(side, 11 * step) for step in LINES_OFF for side in (1, -1)]
        for side, rise in places:
            start = x_n + 8 if side > 0 else x_n - 8 - width
            box = (start, start + width, at_y[n] + rise - 5.5, at_y[n] + rise + 5.5)
            if box[0] > 0 and not any(_overlap(box, other) for other in taken):
                break
        taken.append(box)
        line = {"arrowstyle": "-", "color": PALE, "lw": 0.8, "shrinkA": 0, "shrinkB": 3}
        colour = INK if colours[n] == QUIET else colours[n]
        look = {"path_effects": style.haloed(), "arrowprops": line if rise else None}
        style.label(ax, names[n], (x[n], y[n]), (8 * side, rise), color=colour, **look)


def _overlap(box: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes (left, right, bottom, top) share a place."""
    return box[0] < other[1] and other[0] < box[1] and box[2] < other[3] and other[2] < box[3]


def _seconds(seconds: float) -> str:
    """Seconds in words; larger numbers have fewer decimals.

    Example:
        >>> _seconds(0.01), _seconds(3.14), _seconds(61.0)
        ('0.01 s', '3.1 s', '61 s')
    """
    return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:,.{1 if seconds < 10 else 0}f} s"
