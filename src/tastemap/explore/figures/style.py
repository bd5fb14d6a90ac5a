"""The style of every figure: one palette, one type size, quiet axes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import fill
from typing import TYPE_CHECKING, Any

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
    """Write the numbers on an axis as 1,234."""
    ticker = lab_package("matplotlib.ticker")
    axis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))


def whole_numbers(axis: Any) -> None:
    """Put ticks at whole numbers only."""
    ticker = lab_package("matplotlib.ticker")
    axis.set_major_locator(ticker.MaxNLocator(integer=True, nbins=8, min_n_ticks=1))


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
