"""Figures of a table of ratings and of the map of its items.

Each function returns a `matplotlib.figure.Figure` that belongs to no window and no global state:
save it with ``figure.savefig(path)``, or leave it as the last line of a notebook's cell.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.nouns import item_noun
from tastemap.data.ratings import Ratings
from tastemap.data.statistics import rating_counts, releases_per_year
from tastemap.errors import ArgumentError
from tastemap.explore.figures import style
from tastemap.explore.item_map import OTHER, map_items, need_colour
from tastemap.support.counts import counted, plain, rounded
from tastemap.support.extras import lab_package

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TableT = TypeVar("TableT", bound=Feedback)

#: Bins of a histogram, as in the lab.
N_BINS = 30
# With more bars than this, there is no room for a number on each.
MAX_LABELLED_BARS = 12
# A smaller share would be rounded to nothing.
MIN_SHARE_SHOWN = 0.005
# Of fewer items, a fifth is no whole one.
MIN_ITEMS_OF_FIFTH = 5


def plot_popularity(ratings: Feedback) -> "Figure":
    """How many items have how many rows, a histogram, and how unevenly these are spread.

    A row is a rating or an interaction.

    The histogram has 30 bins, or one for each number where there are fewer numbers. The curve
    beside it is the share of all ratings that the most popular items hold.

    Raises:
        ArgumentError: If there are no ratings.
    """
    counts = some_rows(ratings).by_item.counts
    counts = counts[counts > 0]
    held = np.cumsum(np.sort(counts)[::-1]) / counts.sum()
    top = max(round(len(counts) / 5), 1)
    share, noun = f"{100 * held[top - 1]:.0f} % of the {ratings.noun}", item_noun(ratings)
    title = f"A fifth of the {noun.plural} hold {share}"
    if len(counts) < MIN_ITEMS_OF_FIFTH:
        title = f"The most popular {noun.singular} holds {share}"
    n_once = int((counts == 1).sum())
    with style.styled():
        figure, (ax, curve) = style.new_figure(
            title,
            f"{source_line(ratings)} · {n_once:,} {'has' if n_once == 1 else 'have'} a single "
            f"{ratings.noun.removesuffix('s')}, "
            f"half at most {plain(np.median(counts))}",
            panels=2,
        )
        histogram(ax, counts)
        ax.set_xlabel(f"Popularity of {noun.indefinite} (number of {ratings.noun})")
        ax.set_ylabel(noun.plural.capitalize())
        shares = np.arange(len(counts) + 1) / len(counts)
        curve.plot(100 * shares, 100 * np.concatenate([[0], held]), color=style.VERMILION, lw=2)
        mark = 100 * top / len(counts), 100 * held[top - 1]
        curve.plot([mark[0]], [mark[1]], "o", color=style.VERMILION, ms=6)
        curve.plot([0, 100], [0, 100], color=style.PALE, lw=1, ls=(0, (4, 3)))
        curve.set(xlim=(0, 100), ylim=(0, 102), xticks=(0, 20, 50, 100), yticks=(0, 50, 100))
        curve.set(
            xlabel=f"Most popular {noun.plural}, %", ylabel=f"{ratings.noun.capitalize()} held, %"
        )
        style.rules(curve)
    return figure


def plot_rating_counts(ratings: Ratings) -> "Figure":
    """How often each rating was given: a bar for each value of the scale.

    On a continuous scale, a histogram in 30 bins; of their logarithms where few are far above.

    Raises:
        ArgumentError: If there are no ratings.
    """
    counts = rating_counts(some_rows(ratings))
    values, n = counts["rating"].to_numpy(), counts["count"].to_numpy()
    scale, step = ratings.scale, ratings.scale.step
    mean = rounded(ratings.global_mean, scale.highest - scale.lowest)
    title = f"{plain(values[n.argmax()])} is the most frequent rating; the mean is {mean}"
    if scale.levels is None:
        middle = np.quantile(ratings.rating, (0.25, 0.75))
        low, high = (rounded(float(end), scale.highest - scale.lowest) for end in middle)
        title = f"Half of the ratings lie between {low} and {high}; the mean is {mean}"
    measure = style.Measure(is_log=False)
    with style.styled():
        figure, (ax,) = style.new_figure(title, f"{source_line(ratings)} · scale {ratings.scale}")
        if step is None:
            measure = style.Measure.of(ratings.rating)
            histogram(ax, measure.place(ratings.rating), n_bins=N_BINS)
        else:
            ax.bar(values, n, width=0.78 * step, color=style.BLUE)
        ax.margins(y=0.12)
        ends = ax.get_xlim()
        at = float(measure.place(np.array([ratings.global_mean]))[0])
        ax.axvline(at, color=style.VERMILION, lw=1.5, ls=(0, (4, 3)))
        _beside(ax, at, f"mean {mean}", right=at < (ends[0] + ends[1]) / 2)
        measure.draw(ax.xaxis, "Rating")
        ax.set_ylabel("Ratings given")
        style.rules(ax)
        style.counts(ax.yaxis)
        if step is not None and len(values) <= MAX_LABELLED_BARS:
            label_bars(ax, values, n, [plain(value) for value in values])
    return figure


def label_bars(
    ax: "Axes", places: npt.NDArray[Any], n: npt.NDArray[Any], names: Sequence[str]
) -> None:
    """A named tick for each bar, and above it its share of all."""
    ax.set_xticks(places, names)
    for place, height in zip(places, n, strict=True):
        share = height / n.sum()
        text = "0" if not height else "<1 %" if share < MIN_SHARE_SHOWN else f"{100 * share:.0f} %"
        style.label(ax, text, (place, height), (0, 4))


def plot_releases_per_year(ratings: Feedback) -> "Figure":
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
            f"{100 * most / n:.0f} % of the {item_noun(ratings).plural} came out in the {decade}s",
            f"{source_line(ratings)}" + (f" · {unknown:,} without a year" if unknown else ""),
        )
        ax.bar(years["release_year"], years["items"], width=0.82, color=style.BLUE)
        year, n_top = top["release_year"], top["items"]
        style.label(ax, f"{year}: {n_top:,}", (year, n_top), (0, 4))
        ax.margins(x=0.02, y=0.12)
        ax.set(xlabel="Year of release", ylabel=item_noun(ratings).plural.capitalize())
        style.whole_numbers(ax.xaxis)
        style.rules(ax)
        style.counts(ax.yaxis)
    return figure


def plot_ratings_per_user(ratings: Feedback) -> "Figure":
    """How many users have how many ratings or interactions: a histogram.

    It has 30 bins, or one for each number where there are fewer numbers.

    Raises:
        ArgumentError: If there are no ratings.
    """
    counts = some_rows(ratings).by_user.counts
    counts = counts[counts > 0]
    noun, verb = ratings.noun.removesuffix("s"), "gave" if ratings.noun == "ratings" else "have"
    median, mean = float(np.median(counts)), float(counts.mean())
    is_equal = counts.min() == counts.max()
    span = f"from {counts.min():,} to {counts.max():,} {noun}s a user"
    title = f"Half of the users {verb} at most {plain(median)} {noun}{'s' * (median != 1)}"
    if is_equal:
        title = f"Every user {verb.replace('have', 'has')} {counted(int(counts[0]), noun)}"
    with style.styled():
        figure, (ax,) = style.new_figure(
            title,
            source_line(ratings) + ("" if is_equal else f" · {span}"),
        )
        histogram(ax, counts)
        marks = [("median", median, style.VERMILION), ("mean", mean, style.GREEN)]
        for place, (name, value, colour) in enumerate([] if is_equal else marks):
            top = 0.96 - 0.1 * place
            ax.axvline(value, ymax=top, color=colour, lw=1.5, ls=(0, (4, 3)))
            text = f"{name} {plain(round(value, 1))}"
            _beside(ax, value, text, at=top, colour=colour)
        ax.set(xlabel=f"Activity of a user (number of {ratings.noun})", ylabel="Users")
    return figure


def plot_item_map(
    map_frame: pl.DataFrame, ratings: Feedback, colour: str = "popularity", labels: int = 18
) -> "Figure":
    """The items on the plane, coloured, the most popular ones named.

    Args:
        map_frame: ``item_id, x, y``, as `project_items` gives it.
        ratings: The ratings or interactions that give popularity, and averages if they are
            ratings.
        colour: ``"popularity"`` (logarithmic), ``"average"``, ``"year"`` or ``"genre"``.
        labels: Most names to write; a name that would cover another is left out.

    Raises:
        ArgumentError: If the colour is none of these, or the map and the ratings do not fit.
    """
    need_colour(colour, ratings)
    items = map_items(map_frame, ratings).sort("popularity", maintain_order=True)
    noun = item_noun(ratings)
    with style.styled():
        figure, (ax,) = style.new_figure(
            f"{noun.plural.capitalize()} that the same people like lie close together",
            f"{counted(len(items), *noun)} of {ratings.source.name} · t-SNE of their factors: "
            "distances within a group mean something, those between far groups little",
            height=6.6,
        )
        ax.set_aspect("equal", adjustable="datalim")
        ax.set(xticks=(), yticks=())
        ax.spines[:].set_visible(False)
        if colour == "genre":
            _by_genre(ax, items)
        else:
            _by_number(figure, ax, items, colour, ratings.noun)
        _name_items(figure, ax, items.reverse(), labels)
    return figure


def _by_number(figure: "Figure", ax: "Axes", items: pl.DataFrame, colour: str, rows: str) -> None:
    """Points coloured by a number, unknown ones grey, and the scale below the map."""
    colours = lab_package("matplotlib.colors")
    coloured = items.drop_nulls(colour)
    _points(ax, items.filter(pl.col(colour).is_null()), color=style.PALE)
    name, log = {
        "popularity": (f"Popularity (number of {rows}, logarithmic)", True),
        "average": ("Average rating", False),
        "year": ("Year", False),
    }[colour]
    if not len(coloured):
        return
    low, high = float(coloured[colour].min()), float(coloured[colour].max())  # type: ignore[arg-type]
    if log:  # an item that is disliked alone has a popularity of 0
        low = max(low, 1.0)
    else:  # few items are old or have one rating only: the scale leaves them out
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
        ticks = [n * 10**power for power in range(8) for n in (1, 3)]
        scale.set_ticks([tick for tick in ticks if low <= tick <= high])
    if colour == "year":
        style.whole_numbers(scale.ax.xaxis)
    form = "{:.0f}".format if colour == "year" else plain
    scale.ax.xaxis.set_major_formatter(lambda value, _: form(value))


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
    for title, x, y in popular_first.select("name", "x", "y").head(4 * labels).rows():
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


def histogram(ax: "Axes", values: npt.NDArray[Any], n_bins: int | None = None) -> None:
    """A histogram; without a number of bins, of whole numbers, with at most one bin for each."""
    bins: Any = n_bins or N_BINS
    if n_bins is None:
        low, high = int(values.min()), int(values.max())
        if high - low < N_BINS:
            bins = np.arange(low - 0.5, high + 1)
        style.counts(ax.xaxis, nbins=5)
    ax.hist(values, bins=bins, color=style.BLUE, edgecolor="white", linewidth=0.6)
    ax.margins(x=0.01)
    style.rules(ax)
    style.counts(ax.yaxis)


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


def some_rows(ratings: TableT) -> TableT:
    """The table; refuses an empty one."""
    if not len(ratings):
        row = ratings.noun.removesuffix("s")
        raise ArgumentError(ratings.noun, expected=f"at least one {row}", received="none")
    return ratings


def source_line(ratings: Feedback) -> str:
    """The name of a table, and how many rows and items it has."""
    n_items = int((ratings.by_item.counts > 0).sum())
    items = counted(n_items, *item_noun(ratings))
    return (
        f"{ratings.source.name}: {counted(len(ratings), ratings.noun.removesuffix('s'))} of {items}"
    )
