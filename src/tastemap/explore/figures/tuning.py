"""Figures of a search for a model's best options."""

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from tastemap.arrays import F64, I64, Mask
from tastemap.errors import ArgumentError
from tastemap.explore.figures import style
from tastemap.explore.figures.style import BLUE, INK, PALE, QUIET, VERMILION
from tastemap.explore.item_map import need

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Options side by side in a row.
N_COLUMNS = 3
# The axis reaches from the best value to this multiple of the distance to this quantile.
REACH, QUANTILE = 2.5, 0.75
# The columns of trials that are not options.
TRIAL_COLUMNS = ("trial", "state", "seconds", "note")


class _Values(NamedTuple):
    """The trials that have a value, in order."""

    value: F64  # (n,)
    best: int  # position of the best
    is_default: Mask  # (n,), the trials of the defaults
    ends: tuple[float, float]  # of the axis
    best_end: int  # index of the good end in ``ends``: 0 if small values are good, else 1


def plot_search(
    trials: pl.DataFrame, metric: str, *, larger_is_better: bool = False, log: Collection[str] = ()
) -> "Figure":
    """The value of each trial with the best so far, and below it the value against each option.

    Trials that are far worse than most are triangles at the edge, so that the good trials can be
    distinguished. Failed trials are crosses.

    Args:
        trials: ``trial, state, seconds, note``, a column named by the metric, one for each option.
        metric: Name of the column of values; null if a trial failed.
        larger_is_better: Whether the best value is the largest.
        log: Options whose axis is logarithmic.

    Raises:
        ArgumentError: If a column is missing or no trial has a value.
    """
    need(trials, ("trial", "note", metric), "trials")
    done = trials.filter(pl.col(metric).is_not_null())
    if not len(done):
        raise ArgumentError("trials", expected="a trial with a value", received="none")
    options = [name for name in trials.columns if name not in (*TRIAL_COLUMNS, metric)]
    values = _values(done, metric, larger_is_better)
    rows = -(-len(options) // N_COLUMNS)
    with style.styled():
        figure, axes = style.new_figure(
            _title(values, metric),
            "Each dot a trial, judged by a held-out part · orange: the best · ring: the defaults",
            height=3.4 + 1.9 * rows,
            panels=min(N_COLUMNS, max(len(options), 1)),
            rows=1 + rows,
            wide_first=True,
        )
        first, *others = axes
        failed = trials.filter(pl.col(metric).is_null())["trial"].to_numpy()
        _in_order(first, done["trial"].to_numpy(), failed, values)
        first.set_ylabel(_name(metric))
        for ax, option in zip(others, options, strict=False):
            _dots(ax, done[option].cast(pl.Float64).to_numpy(), values)
            ax.set_xlabel(option.rpartition(".")[2])
            ax.tick_params(labelsize=8.5)
            if option in log:
                _log_axis(ax, done[option].to_numpy())
        for ax in others[len(options) :]:
            ax.remove()
    return figure


def _values(done: pl.DataFrame, metric: str, larger_is_better: bool) -> _Values:
    """The values, and an axis that shows the good ones apart."""
    value = done[metric].cast(pl.Float64).to_numpy()
    loss = -value if larger_is_better else value
    least = float(loss.min())
    most = min(float(loss.max()), least + REACH * (float(np.quantile(loss, QUANTILE)) - least))
    margin = 0.08 * max(most - least, 1e-3)
    ends = (least - margin, most + margin)
    return _Values(
        value,
        best=int(loss.argmin()),
        is_default=(done["note"] == "the defaults").fill_null(False).to_numpy(),
        ends=(-ends[1], -ends[0]) if larger_is_better else ends,
        best_end=int(larger_is_better),
    )


def _name(metric: str) -> str:
    return "NDCG@10" if metric == "ndcg" else metric.upper()


def _title(values: _Values, metric: str) -> str:
    """The result of the search, in a sentence."""
    most = ("least", "largest")[values.best_end]
    text = (
        f"{len(values.value)} trials: the {most} {_name(metric)} is {values.value[values.best]:.4f}"
    )
    default = values.value[values.is_default]
    return f"{text}, the defaults have {default[0]:.4f}" if len(default) else text


def _in_order(ax: "Axes", number: I64, failed: I64, values: _Values) -> None:
    """Each trial's value, and the best so far as a line."""
    least = np.maximum if values.best_end else np.minimum
    so_far = least.accumulate(values.value)
    last = int(max([*number, *failed]))
    ax.plot(
        [*number, last], [*so_far, so_far[-1]], drawstyle="steps-post", lw=2, color=BLUE,
        label="best so far", zorder=1,
    )  # fmt: skip
    _dots(ax, number.astype(np.float64), values)
    if len(failed):
        edge = np.full(len(failed), values.ends[1 - values.best_end])
        ax.plot(failed, edge, "x", color=INK, clip_on=False, label="failed")
    ax.set_xlim(0.4, last + 0.6)
    ax.set_xlabel("Trial")
    ax.legend(loc=("upper right", "lower right")[values.best_end], fontsize=9.5)
    style.whole_numbers(ax.xaxis)


def _dots(ax: "Axes", x: F64, values: _Values) -> None:
    """Dots, and triangles at the edge for values that lie beyond it."""
    low, high = values.ends
    at = np.clip(values.value, low, high)
    beyond = at != values.value
    ax.plot(x[~beyond], at[~beyond], "o", ms=5, color=PALE, mec=QUIET, mew=0.6)
    marker = "v" if values.best_end else "^"
    if beyond.any():
        ax.plot(x[beyond], at[beyond], marker, ms=5, color=QUIET, clip_on=False)
    ax.plot(x[values.is_default], at[values.is_default], "o", ms=10, mfc="none", mec=INK, mew=1.3)
    ax.plot(x[values.best], at[values.best], "o", ms=7.5, color=VERMILION, zorder=4)
    ax.set_ylim(low, high)
    style.rules(ax)


def _log_axis(ax: "Axes", x: F64) -> None:
    """A logarithmic axis with a few plain numbers on it."""
    if not x.min() > 0:
        return
    ax.set_xscale("log")
    round_numbers = [m * 10.0**e for e in range(-6, 6) for m in (1, 2, 5)]
    ticks = [n for n in round_numbers if x.min() <= n <= x.max()]
    ticks = ticks[:: -(-len(ticks) // 4) or 1]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
