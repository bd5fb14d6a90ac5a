"""Figures of a leaderboard: what they say, and what they cannot draw."""

import io

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from tastemap.errors import ArgumentError
from tastemap.explore.figures import leaderboard as board_plots
from tastemap.explore.figures.style import BLUE, QUIET, VERMILION

BOARD = pl.DataFrame(
    {
        "model": ["slow $x$", "quick", "beaten", "ranks"],
        "fit_seconds": [12.0, 0.0, 20.0, 1.0],
        "test_rmse": [0.85, 0.95, 0.9, None],
        "test_ndcg": [0.2, 0.1, 0.15, 0.4],
    }
)
DIFFERENCES = pl.DataFrame(
    {
        "metric": ["rmse"] * 3 + ["ndcg"],
        "model": ["a", "b", "c", "a"],
        "reference": ["r"] * 4,
        "difference": [-0.02, 0.03, 0.001, 0.05],
        "low": [-0.03, 0.02, -0.01, 0.04],
        "high": [-0.01, 0.04, 0.012, 0.06],
    }
)


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def drawn(figure):
    """The figure, after it has been drawn in full."""
    figure.savefig(io.BytesIO(), format="png")
    return figure


def colours(figure, at: int) -> list[str]:
    return [to_hex(colour) for colour in figure.axes[0].collections[at].get_facecolors()]


def test_models_that_none_beats_in_both_are_blue() -> None:
    figure = drawn(board_plots.plot_error_and_seconds(BOARD))
    assert "“slow $x$” has the least test RMSE, 0.850, after 12 s" in texts(figure)
    assert colours(figure, 0) == [BLUE.lower(), BLUE.lower(), QUIET.lower()]
    assert "ranks" not in texts(figure)


def test_of_lists_more_is_better() -> None:
    figure = drawn(board_plots.plot_error_and_seconds(BOARD, "test_ndcg"))
    assert "“ranks” has the highest test NDCG, 0.400, after 1.0 s" in texts(figure)
    assert colours(figure, 0) == [QUIET.lower(), BLUE.lower(), QUIET.lower(), BLUE.lower()]


def test_names_do_not_cover_each_other() -> None:
    crowd = pl.DataFrame(
        {
            "model": [f"model {n}" for n in range(5)],
            "fit_seconds": [1.0] * 5,
            "test_rmse": [0.9, 0.9001, 0.9002, 0.9, 0.95],
        }
    )
    figure = drawn(board_plots.plot_error_and_seconds(crowd))
    labels = [text for text in figure.axes[0].texts if text.get_text().startswith("model")]
    boxes = [Text.get_window_extent(label) for label in labels]
    for n, box in enumerate(boxes):
        for other in boxes[n + 1 :]:
            beside = box.x0 > other.x1 or other.x0 > box.x1
            assert beside or min(box.y1, other.y1) - max(box.y0, other.y0) < 0.4 * box.height


def test_differences_are_coloured_by_their_intervals() -> None:
    figure = drawn(board_plots.plot_differences(DIFFERENCES))
    assert "1 better than “r”, 1 worse, 1 not told apart" in texts(figure)
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [dot.get_color() for dot in dots] == [BLUE, VERMILION, QUIET]
    lists = drawn(board_plots.plot_differences(DIFFERENCES, "ndcg"))
    assert "1 better than “r”, 0 worse, 0 not told apart" in texts(lists)


def test_an_interval_may_be_missing() -> None:
    unsure = DIFFERENCES.with_columns(low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64))
    corrected = DIFFERENCES.with_columns(p_holm=pl.Series([0.2, 0.01, 1.0, None]))
    figure = drawn(board_plots.plot_differences(corrected))
    assert "0 better than “r”, 1 worse, 2 not told apart" in texts(figure)
    figure = drawn(board_plots.plot_differences(unsure))
    assert "0 better than “r”, 0 worse, 3 not told apart" in texts(figure)


def test_bands_have_a_line_for_each_model_on_one_scale() -> None:
    rows = [
        (f"m{n}", group, band, 10, 0.8 + 0.01 * n)
        for n in range(9)
        for group, band in (("popularity", "1–9"), ("popularity", "10+"), ("activity", "1–9"))
    ]
    bands = pl.DataFrame(rows, schema=["model", "group", "band", "n", "rmse"], orient="row")
    figure = drawn(board_plots.plot_bands_of_models(bands))
    left, right = figure.axes
    assert len(left.lines) == 2 * 9, "dots, and lines"
    assert len(right.lines) == 3 * 9, "and what joins each to its name"
    looks = {(line.get_color(), line.get_linestyle()) for line in left.lines[1::2]}
    assert len(looks) == 9, "colours come again with other dashes"
    assert {f"m{n}" for n in range(9)} <= {*texts(figure)}
    assert left.get_ylim() == right.get_ylim()
    assert "1–9\n10" in texts(figure)


def test_names_of_lines_that_end_together_stand_apart() -> None:
    places = board_plots.spread(np.array([0.1, 0.1, 0.1, 0.5, 3.0]), 1.0, 0.0)
    assert np.all(np.diff(places) >= 1 - 1e-9)
    assert places[0] >= 0
    alone = np.array([1.0, 3.0])
    assert np.array_equal(board_plots.spread(alone, 1.0, 0.0), alone)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ArgumentError, match="no column test_mae"):
        board_plots.plot_error_and_seconds(BOARD, "test_mae")
    with pytest.raises(ArgumentError, match="no rows"):
        board_plots.plot_error_and_seconds(BOARD.tail(1))
    with pytest.raises(ArgumentError, match="no rows"):
        board_plots.plot_differences(DIFFERENCES, "mae")
