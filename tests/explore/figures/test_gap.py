"""The figure of lists by gap: what it says, and what it cannot draw."""

import io

import polars as pl
import pytest
from matplotlib.text import Text

from tastemap.errors import ArgumentError
from tastemap.explore.figures.gap import MARKERS, plot_gaps
from tastemap.explore.figures.style import PALE, PALETTE

CLASSES = ["same second", "over an hour", "unknown", "all"]


def gaps(n_models: int) -> pl.DataFrame:
    """Model 0 has the most hits in the same second, and the last model after an hour."""
    rows = [
        {"gap": name, "model": f"m{at}", "users": 40, "recall": abs(0.5 * (c == 0) - 0.01 * at)}
        for c, name in enumerate(CLASSES)
        for at in range(n_models)
    ]
    return pl.DataFrame(rows).with_columns(
        recall_low=pl.col("recall") * 0.8, recall_high=pl.col("recall") * 1.2
    )


def test_it_says_who_is_ahead_soon_and_late_and_names_its_axes() -> None:
    figure = plot_gaps(gaps(3), 10)
    figure.savefig(io.BytesIO(), format="png")
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert "Most hits: “m0” (same second), “m2” (over an hour)" in texts
    (ax,) = figure.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Time since the item before", "Hit rate, HR@10")
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        f"{name}\n40" for name in CLASSES[:3]
    ]
    assert {"m0", "m1", "m2"} <= {*texts}


def test_models_differ_by_shape_too_and_those_after_the_seventh_are_grey() -> None:
    points = [line for line in plot_gaps(gaps(9), 5).axes[0].lines if line.get_marker() != "None"]
    assert [line.get_marker() for line in points[:7]] == [*MARKERS]
    assert [line.get_color() for line in points] == [*PALETTE, PALE, PALE]


def test_one_model_alone_and_unknown_gaps_alone() -> None:
    alone = plot_gaps(gaps(1), 10)
    assert alone.legends == []
    unknown = plot_gaps(gaps(1).filter(pl.col("gap").is_in(["unknown", "all"])), 10)
    texts = [text.get_text() for text in unknown.findobj(Text)]
    assert "When these users were there before is not known" in texts


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(ArgumentError, match="gaps"):
        plot_gaps(gaps(1).drop("recall_low"), 10)
    with pytest.raises(ArgumentError, match="gaps"):
        plot_gaps(gaps(1).filter(gap="all"), 10)
