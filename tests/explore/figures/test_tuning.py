"""The figure of a search: best first at the right end of the axis, failures to be seen."""

import numpy as np
import polars as pl
import pytest

from tastemap.errors import ArgumentError
from tastemap.explore.figures.tuning import plot_search


def trials(metric: str = "rmse", n_options: int = 2, **columns: list[object]) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    options = {f"option_{i}": 10 ** rng.uniform(-2, 1, 6) for i in range(n_options)}
    frame = {
        "trial": [1, 2, 3, 4, 5, 6],
        "state": ["done"] * 6,
        metric: [0.92, 0.95, 0.91, 0.915, 9.0, 0.93],
        "seconds": [1.0] * 6,
        **options,
        "note": ["the defaults", *[None] * 5],
    }
    return pl.DataFrame(frame | columns)


def drawn(figure, label: str) -> list[float]:
    line = next(line for line in figure.axes[-1].lines if line.get_label() == label)
    return list(line.get_ydata())


@pytest.mark.parametrize("n_options", [1, 2, 4, 5])
def test_a_panel_for_each_option_and_one_for_the_order(n_options: int) -> None:
    figure = plot_search(trials(n_options=n_options), "rmse", log=["option_0"])
    figure.canvas.draw()
    assert len(figure.axes) == n_options + 1
    scales = {ax.get_xlabel(): ax.get_xscale() for ax in figure.axes}
    assert scales["option_0"] == "log"
    assert scales.get("option_1", "linear") == "linear"


def test_the_best_so_far_falls_and_the_outlier_is_moved_to_the_edge() -> None:
    figure = plot_search(trials(), "rmse")
    assert drawn(figure, "best so far") == [0.92, 0.92, *[0.91] * 5]
    assert figure.axes[-1].get_ylim()[1] < 1.1
    assert "6 trials: the least RMSE is 0.9100, the defaults have 0.9200" in {
        text.get_text() for text in figure.texts
    }


def test_lists_are_better_the_larger_their_value() -> None:
    frame = trials("ndcg", ndcg=[0.3, 0.1, 0.32, 0.31, 0.0, 0.2])
    figure = plot_search(frame, "ndcg", larger_is_better=True)
    assert drawn(figure, "best so far") == [0.3, 0.3, *[0.32] * 5]
    assert figure.axes[-1].get_ylabel() == "NDCG@10"


def test_failures_are_crosses_and_without_a_value_there_is_no_figure() -> None:
    frame = trials(rmse=[0.9, None, 0.8, None, 0.85, 0.7])
    figure = plot_search(frame, "rmse")
    assert len(drawn(figure, "failed")) == 2
    one = plot_search(frame.head(1), "rmse")
    one.canvas.draw()
    with pytest.raises(ArgumentError, match="a trial with a value"):
        plot_search(trials(rmse=[None] * 6), "rmse")
    with pytest.raises(ArgumentError, match="no column mae"):
        plot_search(trials(), "mae")
