"""The style of every figure: one palette, one type size, quiet axes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from tastemap.arrays import F64, FloatArray
from tastemap.support.counts import plain, short
from tastemap.support.extras import lab_package

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito's colours, distinct for any colour vision, without yellow, too pale on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333")
BLUE, VERMILION, GREEN = PALETTE[:3]
INK, QUIET, RULE, PALE = "#1c2733", "#5b6775", "#d9dee4", "#b6bfc9"
#: Dark to light in even steps, and the same in grey.
SEQUENTIAL = "viridis"

# Ratings whose highest is so many times their median are drawn by their logarithm.
MIN_RATIO_OF_LOG = 50

WIDTH, HEIGHT = 6.8, 4.1  # inches: 680 x 410 pixels at 100 dots per inch
MARGIN_INCHES = 0.12
MAX_TITLE_CHARACTERS, MAX_NOTE_CHARACTERS = 62, 94  # in a line


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the house style; the caller's Matplotlib settings do not change.

    Text is drawn literally: a dollar sign in a title does not begin a formula.
    """
    matplotlib = lab_package("matplotlib")
    settings = {
        "font.family": ["DejaVu Sans"],
        "font.size": 10.5,
        "text.color": INK,
        "text.parse_math": False,
        "axes.edgecolor": QUIET,
        "axes.labelcolor": INK,
        "axes.labelsize": 10.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "figure.dpi": 100,
        "legend.edgecolor": "none",
        "legend.framealpha": 0.9,
    }
    with matplotlib.rc_context(settings):
        yield


def new_figure(
    title: str,
    note: str = "",
    *,
    height: float = HEIGHT,
    panels: int = 1,
    rows: int = 1,
    wide_first: bool = False,
) -> "tuple[Figure, list[Axes]]":
    """A figure that belongs to no window, with panels side by side.

    Args:
        title: The message of the figure, in one sentence.
        note: The source of the data, in small print below the title.
        height: Height in inches.
        panels: Number of axes in a row.
        rows: Number of rows.
        wide_first: Whether one wide panel stands in the place of the first row.
    """
    figure = lab_package("matplotlib.figure").Figure(
        figsize=(WIDTH, height), layout="constrained", facecolor="white"
    )
    title, note = fill(title, MAX_TITLE_CHARACTERS), fill(note, MAX_NOTE_CHARACTERS)
    top = MARGIN_INCHES
    for text, size, colour, weight in ((title, 12.5, INK, "bold"), (note, 9.5, QUIET, "normal")):
        if text:
            figure.text(
                MARGIN_INCHES / WIDTH, 1 - top / height, text,
                size=size, color=colour, weight=weight, va="top", linespacing=1.3,
            )  # fmt: skip
            top += size * 1.3 / 72 * (text.count("\n") + 1) + 0.04
    engine = figure.get_layout_engine()
    room = (MARGIN_INCHES / 2 / WIDTH, MARGIN_INCHES / 2 / height)
    engine.set(rect=(*room, 1 - 2 * room[0], 1 - room[1] - (top + 0.08) / height))
    axes = list(figure.subplots(rows, panels, squeeze=False).ravel())
    if wide_first:
        for ax in axes[:panels]:
            ax.remove()
        axes[:panels] = [figure.add_subplot(axes[0].get_gridspec()[0, :])]
    for ax in axes:
        ax.tick_params(colors=QUIET, labelcolor=INK, labelsize=10, length=3)
        ax.spines[["left", "bottom"]].set_color(PALE)
    return figure, axes


def rules(ax: "Axes", axis: str = "y") -> None:
    """Pale lines to read values by."""
    ax.grid(axis=axis, color=RULE, linewidth=0.8)  # type: ignore[arg-type]


def thousands(axis: Any) -> None:
    """Write the numbers on an axis as they are, 1,234 or 2.5."""
    axis.set_major_formatter(lambda value, _: plain(value))


def whole_numbers(axis: Any, nbins: int = 8) -> None:
    """Put ticks at whole numbers only."""
    ticker = lab_package("matplotlib.ticker")
    axis.set_major_locator(
        ticker.MaxNLocator(integer=True, nbins=nbins, steps=(1, 2, 5, 10), min_n_ticks=1)
    )


def counts(axis: Any, nbins: int = 8) -> None:
    """Ticks for numbers of things: whole, and written as 1,234."""
    whole_numbers(axis, nbins)
    thousands(axis)


@dataclass(frozen=True)
class Measure:
    """Where ratings lie on an axis: as they are, or by their logarithm where few are far above.

    Attributes:
        is_log: Whether the axis has the logarithms to base ten.
    """

    is_log: bool

    @classmethod
    def of(cls, ratings: FloatArray, *others: FloatArray) -> "Measure":
        """The measure for ratings, and for other numbers, (n,), on the same axis."""
        lowest = min(float(values.min()) for values in (ratings, *others))
        return cls.within(lowest, float(np.median(ratings)), float(ratings.max()))

    @classmethod
    def within(cls, lowest: float, median: float, highest: float) -> "Measure":
        """The measure for ratings of which this much is known."""
        return cls(is_log=lowest > 0 and highest > MIN_RATIO_OF_LOG * median)

    def place(self, ratings: FloatArray) -> F64:
        """The places of ratings, (n,), on the axis."""
        values = np.asarray(ratings, dtype=np.float64)
        return np.log10(values) if self.is_log else values

    def parts(self, lowest: float, highest: float, n: int) -> F64:
        """The n + 1 ends of n parts of the axis that are equally wide, as ratings."""
        first, last = self.place(np.array([lowest, highest]))
        ends = np.linspace(first, last, n + 1)
        return 10.0**ends if self.is_log else ends

    def draw(self, axis: Any, name: str) -> None:
        """Name an axis and write its numbers."""
        if not self.is_log:
            axis.set_label_text(name)
            thousands(axis)
            return
        axis.set_label_text(f"{name}, logarithmic")
        whole_numbers(axis)
        axis.set_major_formatter(lambda value, _: short(10.0**value))


def name_rows(ax: "Axes", names: Sequence[str]) -> None:
    """Write a name beside each row 0, 1, … of a figure, the first at the top."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.locator_params(axis="x", nbins=6)


def label(
    ax: "Axes", text: str, at: tuple[Any, Any], offset: tuple[float, float], **options: Any
) -> Any:
    """Text beside a point, at a distance of ``offset`` in points, aligned away from the point."""
    side = "left" if offset[0] > 0 else "right" if offset[0] < 0 else "center"
    defaults = {"ha": side, "va": "center" if offset[0] else "baseline", "size": 10}
    return ax.annotate(text, at, offset, textcoords="offset points", **(defaults | options))


def haloed(width: float = 2.5) -> Sequence[Any]:
    """A white outline that keeps text readable over points."""
    return [lab_package("matplotlib.patheffects").withStroke(linewidth=width, foreground="white")]


def drawable(text: str) -> bool:
    """Whether the font has every character; a missing one would be drawn as a box."""
    manager = lab_package("matplotlib.font_manager")
    font = manager.get_font(manager.findfont("DejaVu Sans"))
    return all(font.get_char_index(ord(character)) for character in text)
