"""Figures of a model: its training, its predictions, its errors, its place among others.

Each function returns a `matplotlib.figure.Figure` of its own.
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import F64, I64
from tastemap.data.scale import Scale
from tastemap.errors import ArgumentError
from tastemap.explore.figures import style
from tastemap.explore.figures.style import BLUE, INK, PALE, QUIET, VERMILION
from tastemap.explore.item_map import need
from tastemap.explore.overfitting import curves, verdict
from tastemap.support.counts import counted, plain, rounded, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# A scale with more levels than this is cut into equal parts.
MAX_LEVELS, N_PARTS = 12, 10
# Below violins, so many characters of numbers of ratings have room beside each other, and so many
# labels of the usual size.
MAX_CHARACTERS_OF_COUNTS, MAX_LARGE_LABELS = 60, 8
# Most dots of a figure, and most values from which the shape of a violin is estimated.
MAX_DOTS, MAX_KERNELS = 20_000, 2_000


def plot_history(
    history: pl.DataFrame, metric: str = "loss", *, is_sampled: bool = False
) -> "Figure":
    """Training and validation curves, the best epoch marked.

    A first epoch that lies far above all others is cut off and its value written
    into the figure, so that the others stay apart.

    Args:
        history: A row for each epoch: ``epoch``, ``train_`` + metric, maybe ``validation_`` +
            metric.
        metric: ``"loss"``, ``"mae"``, …: less is better.
        is_sampled: Whether an epoch is a draw of a sampler, which overfits no more the longer it
            runs.

    Raises:
        ArgumentError: If there is no epoch or no such column.
    """
    epochs, train, validation = curves(history, metric)
    judgement = verdict(history, metric)
    title, reason = judgement.title, f"{judgement.reason[0].upper()}{judgement.reason[1:]}."
    if is_sampled:
        title = f"The {metric} of each draw; predictions are averages over many draws"
        reason = "A draw is no best guess, so its loss goes up and down once it keeps its level."
    with style.styled():
        figure, (ax,) = style.new_figure(title, reason)
        lines = [(train, "training", BLUE)]
        if validation is not None:
            lines.append((validation, "validation", VERMILION))
        for values, label, colour in lines:
            ax.plot(epochs, values, color=colour, lw=2.2, marker="o", ms=4, label=label)
        if judgement.best is not None and validation is not None:
            best, at = validation[judgement.best], epochs[judgement.best]
            ax.axvline(at, color=PALE, lw=1.2, ls=(0, (4, 3)), zorder=1)
            ax.plot([at], [best], "o", ms=11, mfc="none", mec=VERMILION, mew=2)
            late = judgement.best > 0.7 * len(epochs)
            look = {"ha": "right" if late else "center", "path_effects": style.haloed()}
            text = f"best epoch {at}: {best:.3f}"
            style.label(ax, text, (at, best), (0, 13), color=VERMILION, **look)
        _cut_first_epoch(ax, epochs, [values for values, _, _ in lines])
        ax.legend(loc="upper right", fontsize=10)
        ax.set(
            xlabel="Iteration" if is_sampled else "Epoch",
            ylabel="Loss" if metric == "loss" else metric.upper(),
        )
        style.whole_numbers(ax.xaxis)
        style.rules(ax)
    return figure


def plot_predictions(true: npt.ArrayLike, predicted: npt.ArrayLike) -> "Figure":
    """Predicted against true ratings: a pale dot for each rating, so that dense places are dark.

    Of more than 20,000 ratings as many are drawn, at random: more make no other picture.

    Args:
        true: Ratings, (n,).
        predicted: Predictions of the same pairs, (n,).

    Raises:
        ArgumentError: If the two differ in length, are empty or not finite.
    """
    r, p = _pair(true, predicted)
    values, span = np.unique(r), float(np.ptp(r))
    mae, rmse = np.abs(p - r).mean(), np.sqrt(((p - r) ** 2).mean())
    measure = style.Measure.of(r, p)
    title = f"Predictions are {rounded(mae, span)} off the true rating on average"
    note = (
        f"{counted(len(r), 'rating')} · mean absolute error {rounded(mae, span, 3)}, root mean"
        f" squared error {rounded(rmse, span, 3)}"
    )
    dots = np.arange(len(r))
    if len(r) > MAX_DOTS:
        dots = np.random.default_rng(0).choice(len(r), MAX_DOTS, replace=False)
        note += f" · {MAX_DOTS:,} of them drawn"
    r, p = measure.place(r), measure.place(p)
    low, high = min(r.min(), p.min()), max(r.max(), p.max())
    margin = 0.06 * (high - low) or 0.1
    with style.styled():
        figure, (ax,) = style.new_figure(title, note, height=5.6)
        ends = [low - margin, high + margin]
        ax.plot(ends, ends, color=QUIET, lw=1.2, ls=(0, (4, 3)), label="prediction = truth")
        # The lab's dots are pale: about a hundred in one place are fully dark.
        alpha = float(np.clip(150 / len(dots), 0.01, 0.6))
        ax.scatter(r[dots], p[dots], s=60, alpha=alpha, color=BLUE, lw=0, rasterized=True)
        if len(values) <= MAX_LEVELS:
            places = measure.place(values)
            means = [p[r == place].mean() for place in places]
            ax.plot(places, means, "D", ms=7, color=VERMILION, mec="white", label="mean prediction")
        measure.draw(ax.xaxis, "True rating")
        measure.draw(ax.yaxis, "Predicted rating")
        if len(values) <= MAX_LEVELS and not measure.is_log:
            ax.set_xticks(values, [plain(value) for value in values])
        ax.set(xlim=ends, ylim=ends)
        ax.set_aspect("equal")
        ax.legend(loc="upper left", fontsize=10)
        style.rules(ax)
    return figure


def plot_predictions_by_rating(
    true: npt.ArrayLike, predicted: npt.ArrayLike, scale: Scale
) -> "Figure":
    """How predictions are distributed for each true rating: a violin with its quartiles.

    Args:
        true: Ratings, (n,).
        predicted: Predictions of the same pairs, (n,).
        scale: The scale; a continuous one, or one of many levels, is cut into ten equal parts, or
            equal parts of its logarithm where few ratings are far above the others.

    Raises:
        ArgumentError: If the two differ in length, are empty or not finite.
    """
    r, p = _pair(true, predicted)
    measure = style.Measure.of(r, p)
    groups, centres, names = _groups(r, scale, measure)
    parts = [p[groups == g] for g in range(len(centres))]
    step = float(np.diff(centres).min()) if len(centres) > 1 else 1.0
    full = [g for g, part in enumerate(parts) if len(part)]
    span = scale.highest - scale.lowest
    lowest, highest = (rounded(np.median(parts[full[g]]), span, 1) for g in (0, -1))
    counts = [f"{len(part):,}" for part in parts]
    if len(counts) * max(map(len, counts)) > MAX_CHARACTERS_OF_COUNTS:
        counts = [short(len(part)) for part in parts]
    parts = [measure.place(part) for part in parts]
    with style.styled():
        figure, (ax,) = style.new_figure(
            f"Ratings of {names[full[-1]]} are predicted around {highest}, "
            f"ratings of {names[full[0]]} around {lowest}",
            f"{counted(len(r), 'rating')} · width: share of predictions; bar: middle half;"
            " dot: median",
            height=4.6,
        )
        for centre, part in zip(centres, parts, strict=True):
            _violin(ax, centre, part, 0.84 * step)
            ends = [centre - 0.42 * step, centre + 0.42 * step]
            ax.plot(ends, [centre, centre], color=VERMILION, lw=1.8, ls=(0, (3, 1.5)))
        ax.plot([], [], color=VERMILION, lw=1.8, ls=(0, (3, 1.5)), label="prediction = truth")
        measure.draw(ax.yaxis, "Predicted rating")
        # A range stands in two lines, so that ten of them have room beside each other.
        named = zip((name.replace(" to ", "\nto ") for name in names), counts, strict=True)
        ax.set_xticks(centres, [f"{name}\n{count}" for name, count in named])
        ax.tick_params(axis="x", labelsize=10 if len(names) <= MAX_LARGE_LABELS else 8.5)
        ax.set_xlabel("True rating, and number of ratings")
        ax.legend(loc="lower right", fontsize=10)
        style.rules(ax)
    return figure


def plot_error_bands(frame: pl.DataFrame) -> "Figure":
    """Mean absolute error of a model and of the baseline, by popularity and by activity.

    Args:
        frame: ``group`` (``"popularity"``, ``"activity"``), ``band``, ``n``, ``mae``,
            ``baseline_mae``; bands are drawn in the order of the rows.

    Raises:
        ArgumentError: If a column is missing or there is no row.
    """
    need(frame, ("group", "band", "n", "mae", "baseline_mae"), "error bands")
    captions = {"popularity": "Training ratings of the item", "activity": "… of the user"}
    groups = frame["group"].unique(maintain_order=True).to_list()
    errors = frame.select("mae", "baseline_mae").to_numpy()
    least, most = float(np.nanmin(errors)), float(np.nanmax(errors)) + 1e-6
    better = int((frame["mae"] < frame["baseline_mae"]).sum())
    title = f"The model beats the baseline in {better} of {counted(len(frame), 'band')}"
    if np.allclose(errors[:, 0], errors[:, 1], equal_nan=True):
        title = "The errors are those of the baseline"
    with style.styled():
        figure, axes = style.new_figure(
            title,
            "On the test ratings, in units of the rating, by the number of training ratings",
            height=2.2 + 0.42 * max(frame["group"].value_counts()["count"]),
            panels=len(groups),
        )
        for ax, group in zip(axes, groups, strict=True):
            bands = frame.filter(pl.col("group") == group)
            y = np.arange(len(bands))[::-1]
            ax.hlines(y, bands["mae"], bands["baseline_mae"], color=PALE, linewidth=2, zorder=1)
            ax.scatter(bands["baseline_mae"], y, s=46, color=QUIET, label="baseline")
            ax.scatter(bands["mae"], y, s=46, color=BLUE, label="model")
            for at, value, other in zip(y, bands["mae"], bands["baseline_mae"], strict=True):
                side = -1 if value <= other else 1
                text = rounded(value, most)
                style.label(ax, text, (value, at), (7 * side, 0), size=9, color=INK)
            sizes = zip(bands["band"], bands["n"], strict=True)
            ax.set_yticks(y, [f"{band}\n{counted(n, 'test')}" for band, n in sizes], fontsize=9)
            ax.set_title(captions.get(group, str(group)), fontsize=10.5, color=INK)
            ax.set_xlabel("Mean absolute error")
            # One scale for both panels, so that their errors can be compared.
            ax.set_xlim(least - 0.25 * (most - least), most + 0.25 * (most - least))
            ax.margins(y=0.12)
            style.rules(ax, "x")
        # Below the panels, where the key covers no error.
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=10)
    return figure


def plot_leaderboard(frame: pl.DataFrame, chosen: str | None = None) -> "Figure":
    """Training and test error of each model, least test error first, with its seconds.

    Args:
        frame: ``model, train_mae, test_mae, fit_seconds``; a training error may be null, and models
            without a test error are left out.
        chosen: The model that the validation ratings chose; it is marked, and need not be the
            first.

    Raises:
        ArgumentError: If a column is missing or there is no row.
    """
    need(frame, ("model", "train_mae", "test_mae", "fit_seconds"), "leaderboard")
    ranked = frame.filter(pl.col("test_mae").is_not_null()).sort("test_mae")
    need(ranked, ("test_mae",), "leaderboard")
    marked = (ranked["model"] == (chosen or "")).to_numpy()
    title = "Errors of the models"
    if marked.any():
        error = ranked.filter(marked)["test_mae"][0]
        title = f"“{chosen}”, chosen on validation ratings, has a test error of {error:.3f}"
    y = np.arange(len(ranked))
    train, test = (ranked[c].cast(pl.Float64).to_numpy() for c in ("train_mae", "test_mae"))
    with style.styled():
        figure, (ax,) = style.new_figure(
            title,
            "Less is better; a wide gap between the dots is overfitting · right: seconds to train",
            height=1.6 + 0.38 * len(ranked),
        )
        ax.hlines(y, train, test, color=PALE, lw=2.5, zorder=1)
        ax.scatter(train, y, s=55, fc="white", ec=BLUE, lw=1.8, label="training", zorder=2)
        ax.scatter(test, y, s=65, color=BLUE, label="test", zorder=3)
        if marked.any():
            ax.scatter(
                test[marked], y[marked], s=65, color=VERMILION, label="test, chosen", zorder=4
            )
        ends = np.nanmax(np.column_stack([train, test]), axis=1)
        for at, end, value in zip(y, ends, test, strict=True):
            style.label(ax, f"{value:.3f}", (end, at), (8, 0))
        for at, seconds in zip(y, ranked["fit_seconds"], strict=True):
            text = "" if seconds is None else f"{seconds:,.1f} s" if seconds >= 0.1 else "< 0.1 s"
            look = {"xycoords": ("axes fraction", "data"), "ha": "right", "color": QUIET}
            style.label(ax, text, (1, at), (46, 0), size=9.5, **look)
        style.name_rows(ax, ranked["model"].to_list())
        low, high = np.nanmin([train, test]), np.nanmax([train, test])
        span = max(float(high - low), 0.01)
        ax.set_xlim(low - 0.06 * span, high + 0.16 * span)
        ax.set_xlabel("Mean absolute error, in units of the rating")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=10, borderpad=0)
        style.rules(ax, "x")
    return figure


def _cut_first_epoch(ax: "Axes", epochs: I64, lines: list[F64]) -> None:
    """Cut the axis below a first epoch that is far above the rest, and say how high it is."""
    if len(epochs) < 4:
        return
    rest = np.concatenate([values[1:] for values in lines])
    rest = rest[np.isfinite(rest)]
    first = max(float(values[0]) for values in lines)
    if not len(rest):
        return
    low, spread = float(rest.min()), max(float(np.ptp(rest)), 1e-9)
    if not first > float(rest.max()) + 2 * spread:
        return
    ax.set_ylim(low - 0.12 * spread, float(rest.max()) + 0.25 * spread)
    look = {"xycoords": "axes fraction", "va": "baseline", "size": 9.5, "color": QUIET}
    style.label(ax, f"epoch {epochs[0]} lies above: {first:.2f}", (0, 0), (8, 8), **look)


def _violin(ax: "Axes", centre: float, values: F64, width: float) -> None:
    """One violin with its quartiles; only a dot if all values are equal."""
    if not len(values):
        return
    if np.ptp(values) > 0:
        # The shape of many values is that of their quantiles, with the same bandwidth (Scott's).
        bandwidth, body = len(values) ** -0.2, values
        if len(values) > MAX_KERNELS:
            body = np.quantile(values, np.linspace(0, 1, MAX_KERNELS))
        drawn: Any = ax.violinplot(
            [body], [centre], widths=width, showextrema=False, points=120, bw_method=bandwidth
        )
        drawn["bodies"][0].set(facecolor=BLUE, alpha=0.35, edgecolor=BLUE)
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
    ax.vlines(centre, low, high, color=BLUE, lw=5)
    ax.plot([centre], [median], "o", ms=6, color="white", mec=INK, mew=1.2, zorder=3)


def _groups(r: F64, scale: Scale, measure: style.Measure) -> tuple[I64, F64, list[str]]:
    """The group of each rating, and each group's place on the axis and name."""
    levels = scale.levels
    if levels is not None and len(levels) <= MAX_LEVELS:
        group = np.abs(r[:, None] - levels).argmin(axis=1)
        return group, measure.place(levels), [plain(level) for level in levels]
    if scale.lowest == scale.highest:
        group, place = np.zeros(len(r), dtype=np.int64), np.array([scale.lowest])
        return group, measure.place(place), [plain(scale.lowest)]
    edges = measure.parts(scale.lowest, scale.highest, N_PARTS)
    group = np.clip(np.searchsorted(edges, r, side="right") - 1, 0, N_PARTS - 1)
    names = [f"{short(low)} to {short(high)}" for low, high in pairwise(edges)]
    places = measure.place(edges)
    return group, (places[:-1] + places[1:]) / 2, names


def _pair(true: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[F64, F64]:
    """Ratings and predictions as float arrays of one length."""
    pair: list[Any] = [np.asarray(values, dtype=np.float64).ravel() for values in (true, predicted)]
    if len(pair[0]) != len(pair[1]) or not len(pair[0]):
        raise ArgumentError(
            "true and predicted",
            expected="as many predictions as ratings, at least one",
            received=f"{len(pair[0])} and {len(pair[1])}",
        )
    if not all(np.isfinite(values).all() for values in pair):
        raise ArgumentError("true and predicted", expected="finite numbers", received="NaN or inf")
    return pair[0], pair[1]
