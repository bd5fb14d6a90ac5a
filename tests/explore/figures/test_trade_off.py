"""The figure of varied and calibrated lists: what it says, and what it cannot draw."""

import io

import polars as pl
import pytest
from matplotlib.text import Text

from tastemap.errors import ArgumentError
from tastemap.explore.figures.trade_off import plot_trade_off

FRAME = pl.DataFrame(
    {
        "wish": ["calibrated"] * 3 + ["diversity"] * 2,
        "weight": [0.0, 0.5, 0.9, 0.0, 0.5],
        "ndcg": [0.30, 0.297, 0.2, 0.30, 0.28],
        "divergence": [0.8, 0.4, 0.2, 0.8, 0.7],
        "diversity": [0.5, 0.52, 0.6, 0.5, 0.7],
    }
)


def test_it_says_what_two_per_cent_of_the_ndcg_buy_and_names_its_axes() -> None:
    figure = plot_trade_off(FRAME, 10)
    figure.savefig(io.BytesIO(), format="png")
    texts = [text.get_text().replace("\n", " ") for text in figure.findobj(Text)]
    assert "For 2 % of the NDCG, lists come 50 % closer to the taste" in texts
    assert {"NDCG@10", "calibrated", "diversity", "0.9"} <= {*texts}
    assert len(figure.axes) == 2


def test_without_categories_the_diversity_alone_is_drawn() -> None:
    frame = FRAME.filter(wish="diversity").with_columns(divergence=pl.lit(None, pl.Float64))
    figure = plot_trade_off(frame, 5)
    texts = [text.get_text().replace("\n", " ") for text in figure.findobj(Text)]
    assert "For 2 % of the NDCG, lists are 0 % more diverse" in texts
    assert len(figure.axes) == 1
    with pytest.raises(ArgumentError, match="trade-off frame; .*; received no rows"):
        plot_trade_off(FRAME.clear(), 5)
