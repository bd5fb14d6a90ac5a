"""Figure of varied and calibrated lists: what they gain, and what that costs in hits."""

from typing import TYPE_CHECKING

import polars as pl

from tastemap.explore.figures import style
from tastemap.explore.figures.style import BLUE, QUIET, VERMILION
from tastemap.explore.item_map import need

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What a wish is called, its colour, and the shape that tells it apart in print.
LINES = {"calibrated": ("calibrated", BLUE, "o"), "diversity": ("diversity", VERMILION, "s")}
# The loss of NDCG that the message allows, and what it says of each wish.
MAX_LOSS = 0.02
SENTENCES = {
    "calibrated": ("divergence", "lists come {} % closer to the taste"),
    "diversity": ("diversity", "lists are {} % more diverse"),
}
AXES = {
    "divergence": "Divergence from the taste, in nats (less is better)",
    "diversity": "Diversity within a list (more is better)",
}


def plot_trade_off(frame: pl.DataFrame, k: int, column: str = "genres") -> "Figure":
    """NDCG against the divergence from the taste and against the diversity, by weight.

    Args:
        frame: The result of `tastemap.evaluation.trade_off.trade_off`.
        k: Length of the lists.
        column: What the lists were calibrated by.

    Raises:
        ArgumentError: If a column is missing or there is no row.
    """
    need(frame, ("wish", "weight", "ndcg", "divergence", "diversity"), "trade-off")
    panels = [name for name in AXES if frame[name].count()]
    with style.styled():
        figure, axes = style.new_figure(
            _message(frame),
            f"Lists of {k}, calibrated by {column} or varied, by weight; the lines meet at 0",
            height=3.9,
            panels=len(panels),
        )
        for ax, name in zip(axes, panels, strict=True):
            _draw(ax, frame, name)
            ax.set_xlabel(AXES[name], size=9)
        axes[0].set_ylabel(f"NDCG@{k}")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=9.5)
    return figure


def _draw(ax: "Axes", frame: pl.DataFrame, name: str) -> None:
    for wish, (title, colour, marker) in LINES.items():
        part = frame.filter((pl.col("wish") == wish) & pl.col(name).is_not_null()).sort("weight")
        if not len(part):
            continue
        ax.plot(part[name], part["ndcg"], color=colour, marker=marker, ms=5.5, lw=1.4, label=title)
        for weight, x, y in part.select("weight", name, "ndcg").rows():
            if weight and SENTENCES[wish][0] == name:
                style.label(ax, f"{weight:g}", (x, y), (5, 4), size=8, color=QUIET, va="bottom")
    ax.margins(x=0.12)
    ax.set_ylim(0, 1.12 * float(frame["ndcg"].max()))  # type: ignore[arg-type]
    style.rules(ax)


def _message(frame: pl.DataFrame) -> str:
    """How far lists can be calibrated, or else varied, at no more than 2 % of the NDCG."""
    for wish, (name, sentence) in SENTENCES.items():
        part = frame.filter((pl.col("wish") == wish) & pl.col(name).is_not_null()).sort("weight")
        if not len(part):
            continue
        plain = part.row(0, named=True)
        cheap = part.filter(pl.col("ndcg") >= (1 - MAX_LOSS) * plain["ndcg"])[name]
        best = cheap.min() if wish == "calibrated" else cheap.max()
        change = abs(best / plain[name] - 1) if plain[name] else 0.0
        return f"For {100 * MAX_LOSS:.0f} % of the NDCG, {sentence.format(round(100 * change))}"
    return "Lists that are neither varied nor calibrated"
