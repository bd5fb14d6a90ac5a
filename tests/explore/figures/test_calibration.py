"""The figure of calibration: what it says of probabilities that keep their word, and of others."""

import io

import numpy as np
import polars as pl
import pytest
from matplotlib.text import Text

from tastemap.errors import ArgumentError
from tastemap.explore.figures.calibration import plot_calibration
from tastemap.metrics.calibration import calibration_of
from tastemap.metrics.continuous_calibration import continuous_calibration


def drawn(rating, levels, p):
    """The figure of probabilities (n, levels), drawn in full."""
    calibration = calibration_of(rating, levels, p)
    figure = plot_calibration(calibration.reliability, calibration.coverage)
    figure.savefig(io.BytesIO(), format="png")
    return figure


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def lines(figure):
    """The level's lines by name, as (m, 2)."""
    ax = figure.axes[0]
    return {line.get_label(): line.get_xydata() for line in ax.lines[1:]}


def test_what_keeps_its_word_lies_on_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1.0, 2.0, 1.0], size=100_000)
    rating = 1 + (p.cumsum(axis=1) < rng.random((len(p), 1))).sum(axis=1)
    figure = drawn(rating, [1, 2, 3], p)
    assert list(lines(figure)) == ["1", "2", "3"]
    for points in lines(figure).values():
        assert len(points) >= 8
        np.testing.assert_allclose(points[:, 0], points[:, 1], atol=0.06)
    bars, dots = figure.axes[1].patches, figure.axes[1].lines[0].get_ydata()
    np.testing.assert_allclose(dots, [bar.get_height() for bar in bars], atol=0.01)


def test_what_is_too_sure_lies_off_it() -> None:
    # Level 2 is given 90 % and comes true in half of the cases; level 1 the other way about.
    figure = drawn([1, 2] * 50, [1, 2], [[0.1, 0.9]] * 100)
    np.testing.assert_allclose(lines(figure)["1"], [[0.1, 0.5]])
    np.testing.assert_allclose(lines(figure)["2"], [[0.9, 0.5]])
    assert any(
        "are 40.0 percentage points off" in text.replace("\n", " ") for text in texts(figure)
    )
    assert "100 test ratings" in " ".join(texts(figure))
    # The intervals of 50 and 80 % are level 2 alone, which promises 90 %; the last has both levels.
    assert [bar.get_height() for bar in figure.axes[1].patches] == pytest.approx([0.9, 0.9, 1.0])
    assert figure.axes[1].lines[0].get_ydata().tolist() == [0.5, 0.5, 1.0]
    assert {"50.0 %", "100.0 %"} <= set(texts(figure))


def test_on_a_continuous_scale_bars_show_where_ratings_lie_in_their_distributions() -> None:
    u = np.sqrt((np.arange(1000) + 0.5) / 1000)  # too low: most ratings lie in the upper parts
    calibration = continuous_calibration(u, u)
    figure = plot_calibration(calibration.reliability, calibration.coverage)
    figure.savefig(io.BytesIO(), format="png")
    shares, coverage = figure.axes
    heights = [bar.get_height() for bar in shares.patches]
    np.testing.assert_allclose(heights, np.arange(1, 20, 2) / 100, atol=2e-3)
    assert shares.lines[0].get_ydata() == [0.1, 0.1]
    assert [bar.get_height() for bar in coverage.patches] == pytest.approx([0.5, 0.8, 0.95])
    said = " ".join(texts(figure)).replace("\n", " ")
    assert "quantiles are 18.3 percentage points off" in said
    assert "1,000 test ratings" in said
    assert "whole levels" not in said


def test_a_long_scale_has_no_legend_and_rare_statements_are_not_drawn() -> None:
    p = np.full((40, 20), 0.05)
    figure = drawn(np.arange(40) % 20, np.arange(20), p)
    assert figure.axes[0].get_legend() is None
    few = drawn([1, 2] * 5, [1, 2], [[0.1, 0.9]] * 10)
    assert all(len(points) == 0 for points in lines(few).values())


def test_what_cannot_be_drawn_is_refused() -> None:
    calibration = calibration_of([1, 2], [1, 2], [[0.5, 0.5]] * 2)
    with pytest.raises(ArgumentError, match="reliability"):
        plot_calibration(calibration.coverage, calibration.coverage)
    with pytest.raises(ArgumentError, match="coverage"):
        plot_calibration(calibration.reliability, pl.DataFrame())
