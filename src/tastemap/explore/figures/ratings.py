"""Figures of a table of ratings and of the map of its items.

Each function returns a `matplotlib.figure.Figure` that belongs to no window and no global state:
save it with ``figure.savefig(path)``, or leave it as the last line of a notebook's cell.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.data.statistics import rating_counts, ratings_per_user, releases_per_year
from tastemap.errors import ArgumentError
from tastemap.explore.figures import style
from tastemap.explore.item_map import OTHER, map_items, need_colour
from tastemap.support.extras import lab_package

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Bins of a histogram, as in the lab.
N_BINS = 30
# With more bars than this, there is no room for a number on each.
MAX_LABELLED_BARS = 12


def plot_popularity(ratings: Ratings) -> "Figure":
    """How many items have how many ratings: a histogram in 30 bins.

    The inset shows how unevenly ratings are spread: the share of all ratings that the most popular
    items hold.

    Raises:
        ArgumentError: If there are no ratings.
    """
    counts = _some(ratings).by_item.counts
    counts = counts[counts > 0]
    held = np.cumsum(np.sort(counts)[::-1]) / counts.sum()
    fifth = held[max(round(len(counts) / 5), 1) - 1]
    with style.styled():
        figure, (ax,) = style.new_figure(
            f"A fifth of the items hold {fifth:.0%} of the ratings",
            f"{_source(ratings)} · {(counts == 1).sum():,} have a single rating, "
            f"half at most {np.median(counts):,.0f}",
        )
        _histogram(ax, counts)
        ax.set(xlabel="Popularity of an item (number of ratings)", ylabel="Items")
        patches = lab_package("matplotlib.patches")
        room = patches.Rectangle((0.42, 0.17), 0.58, 0.9, transform=ax.transAxes, fc="white")
        ax.add_patch(room).set_zorder(0.6)  # over the rules, under the bars
        inset = ax.inset_axes((0.53, 0.38, 0.44, 0.56))
        share = np.arange(len(counts) + 1) / len(counts)
        inset.plot(100 * share, 100 * np.concatenate([[0], held]), color=style.VERMILION, lw=2)
        inset.plot([20], [100 * fifth], "o", color=style.VERMILION, ms=6)
        inset.plot([0, 100], [0, 100], color=style.PALE, lw=1, ls=(0, (4, 3)))
        inset.set(xlim=(0, 100), ylim=(0, 102), xticks=(0, 20, 50, 100), yticks=(0, 50, 100))
        inset.set_xlabel("most popular items, %", size=9.5)
        inset.set_ylabel("ratings held, %", size=9.5)
        inset.tick_params(colors=style.QUIET, labelcolor=style.INK, labelsize=9, length=3)
        inset.spines[["left", "bottom"]].set_color(style.PALE)
    return figure


def plot_rating_counts(ratings: Ratings) -> "Figure":
    """How often each rating was given: a bar for each value of the scale.

    On a continuous scale, a histogram in 30 bins.

    Raises:
        ArgumentError: If there are no ratings.
    """
    counts = rating_counts(_some(ratings))
    values, n = counts["rating"].to_numpy(), counts["count"].to_numpy()
    mean, step = ratings.global_mean, ratings.scale.step
    with style.styled():
        figure, (ax,) = style.new_figure(
            f"{values[n.argmax()]:g} is the most frequent rating; the mean is {mean:.2f}",
            f"{_source(ratings)} · scale {ratings.scale}",
        )
        if step is None:
            _histogram(ax, ratings.rating)
        else:
            ax.bar(values, n, width=0.78 * step, color=style.BLUE)
            if len(values) <= MAX_LABELLED_BARS:
                ax.set_xticks(values, [f"{value:g}" for value in values])
                for value, height in zip(values, n, strict=True):
                    share = f"{height / len(ratings):.0%}" if height else "0"
                    style.label(ax, share, (value, height), (0, 4))
        ax.margins(y=0.12)
        ax.axvline(mean, color=style.VERMILION, lw=1.5, ls=(0, (4, 3)))
        _beside(ax, mean, f"mean {mean:.2f}", right=mean < (values[0] + values[-1]) / 2)
        ax.set(xlabel="Rating", ylabel="Ratings given")
        style.rules(ax)
        style.thousands(ax.yaxis)
    return figure


def plot_releases_per_year(ratings: Ratings) -> "Figure":
    """How many of the items came out in each year.

    Raises:
        ArgumentError: If the items have no ``release_year``, or none has one.
    """
    years = releases_per_year(ratings)
    if not len(years):
        raise ArgumentError("release years", expected="at least one", received="none")
    n = int(years["items"].sum())
    top = years.row(int(years["items"].arg_max() or 0), named=True)
    decades = years.group_by(pl.col("release_year") // 10 * 10).agg(pl.sum("items"))
    decade, most = decades.sort(["items", "release_year"]).row(-1)
    unknown = ratings.n_items - n
    with style.styled():
        figure, (ax,) = style.new_figure(
            f"{most / n:.0%} of the items came out in the {decade}s",
            f"{_source(ratings)}" + (f" · {unknown:,} without a year" if unknown else ""),
        )
        ax.bar(years["release_year"], years["items"], width=0.82, color=style.BLUE)
        year, n_top = top["release_year"], top["items"]
        style.label(ax, f"{year}: {n_top:,}", (year, n_top), (0, 4))
        ax.margins(x=0.02, y=0.12)
        ax.set(xlabel="Year of release", ylabel="Items")
        style.whole_numbers(ax.xaxis)
        style.rules(ax)
        style.thousands(ax.yaxis)
    return figure


def plot_ratings_per_user(ratings: Ratings) -> "Figure":
    """How many users gave how many ratings: a histogram in 30 bins.

    Raises:
        ArgumentError: If there are no ratings.
    """
    counts = ratings_per_user(_some(ratings))["ratings"].to_numpy()
    counts = counts[counts > 0]
    median, mean = float(np.median(counts)), float(counts.mean())
    with style.styled():
        figure, (ax,) = style.new_figure(
            f"Half of the users gave at most {median:,.0f} ratings",
            f"{_source(ratings)} · from {counts.min():,} to {counts.max():,} ratings a user",
        )
        _histogram(ax, counts)
        marks = [(median, "median", style.VERMILION), (mean, "mean", style.GREEN)]
        for place, (value, name, colour) in enumerate(marks):
            top = 0.96 - 0.1 * place
            ax.axvline(value, ymax=top, color=colour, lw=1.5, ls=(0, (4, 3)))
            _beside(ax, value, f"{name} {value:,.0f}", at=top, colour=colour)
        ax.set(xlabel="Activity of a user (number of ratings)", ylabel="Users")
    return figure


def plot_item_map(
    map_frame: pl.DataFrame, ratings: Ratings, colour: str = "popularity", labels: int = 18
) -> "Figure":
    """The items on the plane, coloured, the most popular ones named.

    Args:
        map_frame: ``item_id, x, y``, as `project_items` gives it.
        ratings: The ratings that give popularity and averages.
        colour: ``"popularity"`` (logarithmic), ``"average"``, ``"year"`` or ``"genre"``.
        labels: Most names to write; a name that would cover another is left out.

    Raises:
        ArgumentError: If the colour is none of these, or the map and the ratings do not fit.
    """
    need_colour(colour)
    items = map_items(map_frame, ratings).sort("popularity", maintain_order=True)
    with style.styled():
        figure, (ax,) = style.new_figure(
            "Items that the same people like lie close together",
            f"{len(items):,} items of {ratings.source.name} · t-SNE of their factors: "
            "distances within a group mean something, those between far groups little",
            height=6.6,
        )
        ax.set_aspect("equal", adjustable="datalim")
        ax.set(xticks=(), yticks=())
        ax.spines[:].set_visible(False)
        if colour == "genre":
            _by_genre(ax, items)
        else:
            _by_number(figure, ax, items, colour)
        _name_items(figure, ax, items.reverse(), labels)
    return figure


def _by_number(figure: "Figure", ax: "Axes", items: pl.DataFrame, colour: str) -> None:
    """Points coloured by a number, unknown ones grey, and the scale below the map."""
    colours = lab_package("matplotlib.colors")
    coloured = items.drop_nulls(colour)
    _points(ax, items.filter(pl.col(colour).is_null()), color=style.PALE)
    name, log = {
        "popularity": ("Popularity (number of ratings, logarithmic)", True),
        "average": ("Average rating", False),
        "year": ("Year", False),
    }[colour]
    if not len(coloured):
        return
    low, high = float(coloured[colour].min()), float(coloured[colour].max())  # type: ignore[arg-type]
    if not log:  # few items are old or have one rating only: the scale leaves them out
        low, high = (float(coloured[colour].quantile(q) or 0) for q in (0.1, 0.95))
    norm = (colours.LogNorm if log else colours.Normalize)(low, max(high, low + 1e-9))
    points = _points(ax, coloured, c=coloured[colour], cmap=style.SEQUENTIAL, norm=norm)
    scale = figure.colorbar(
        points, ax=ax, location="bottom", aspect=45, pad=0.02, extend="neither" if log else "both"
    )
    scale.set_label(name)
    scale.outline.set_visible(False)
    scale.ax.tick_params(colors=style.QUIET, labelcolor=style.INK, labelsize=10, length=3)
    if log:
        scale.ax.minorticks_off()
        scale.set_ticks([t for t in (1, 3, 10, 30, 100, 300, 1e3, 1e4, 1e5) if low <= t <= high])
    ticker = lab_package("matplotlib.ticker")
    form = "{x:.1f}" if colour == "average" else "{x:.0f}" if colour == "year" else "{x:,.0f}"
    scale.ax.xaxis.set_major_formatter(ticker.StrMethodFormatter(form))


def _by_genre(ax: "Axes", items: pl.DataFrame) -> None:
    """Points coloured by their main genre, and a key below the map."""
    counts = items["genre"].value_counts().sort(["count", "genre"], descending=[True, False])
    genres = [genre for genre in counts["genre"] if genre != OTHER]
    palette = dict(zip(genres, style.PALETTE, strict=False)) | {OTHER: style.PALE}
    _points(ax, items, c=[palette[genre] for genre in items["genre"]])
    for genre in [*genres, *([OTHER] if OTHER in counts["genre"] else [])]:
        ax.scatter([], [], s=45, color=palette[genre], label=genre)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=4, handletextpad=0.1, fontsize=10)


def _points(ax: "Axes", items: pl.DataFrame, **colour: Any) -> Any:
    """The items, larger the more ratings they have, as an image inside the figure."""
    largest = max(float(items["popularity"].max() or 1), 1.0)  # type: ignore[arg-type]
    size = 10 + 70 * items["popularity"].to_numpy() / largest
    crowding = max(len(items) / 2000, 1)
    return ax.scatter(
        items["x"],
        items["y"],
        s=size / crowding,
        lw=0.3,
        edgecolors="white",
        rasterized=True,
        **colour,
    )


def _name_items(figure: "Figure", ax: "Axes", popular_first: pl.DataFrame, labels: int) -> None:
    """Write titles beside their points, most popular first, where nothing is covered."""
    figure.draw_without_rendering()  # settles the layout, on which the room for text depends
    frame = ax.get_window_extent()
    taken: list[Any] = []
    look = {"va": "center", "size": 8.5, "path_effects": style.haloed(3)}
    for title, x, y in popular_first.select("title", "x", "y").head(4 * labels).rows():
        if len(taken) >= labels:
            return
        if not style.drawable(title):
            continue
        shown = title if len(title) <= 30 else title[:28].rstrip() + "…"
        for offset in ((6, 0), (-6, 0), (0, 9), (0, -9)):
            text = style.label(ax, shown, (x, y), offset, **look)
            box = text.get_window_extent().padded(2)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()


def _histogram(ax: "Axes", values: npt.NDArray[Any]) -> None:
    ax.hist(values, bins=N_BINS, color=style.BLUE, edgecolor="white", linewidth=0.6)
    ax.margins(x=0.01)
    style.rules(ax)
    style.thousands(ax.xaxis)
    style.thousands(ax.yaxis)


def _beside(
    ax: "Axes",
    x: float,
    text: str,
    *,
    right: bool = True,
    at: float = 0.96,
    colour: str = style.VERMILION,
) -> None:
    """Text beside a vertical line, at a height given as a share of the axes."""
    look = {"xycoords": ("data", "axes fraction"), "va": "top", "path_effects": style.haloed()}
    style.label(ax, text, (x, at), (6 if right else -6, 0), color=colour, **look)


def _some(ratings: Ratings) -> Ratings:
    """The ratings; refuses an empty table."""
    if not len(ratings):
        raise ArgumentError("ratings", expected="at least one rating", received="none")
    return ratings


def _source(ratings: Ratings) -> str:
    n_items = int((ratings.by_item.counts > 0).sum())
    return f"{ratings.source.name}: {len(ratings):,} ratings of {n_items:,} items"
