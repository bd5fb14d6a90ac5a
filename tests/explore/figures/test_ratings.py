import io

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_rgba
from matplotlib.text import Text

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.explore.figures import ratings as plots
from tastemap.explore.figures import style
from tastemap.explore.item_map import COLOURS


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def drawn(figure):
    """The figure, after it has been drawn in full."""
    figure.savefig(io.BytesIO(), format="png")
    return figure


@pytest.fixture
def places(ratings) -> pl.DataFrame:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, ratings.n_items))
    return pl.DataFrame({"item_id": ratings.items.ids, "x": x, "y": y})


def heights(ax, colour=style.BLUE):
    return [p.get_height() for p in ax.patches if p.get_facecolor() == to_rgba(colour)]


def test_popularity_counts_each_item_once_in_thirty_bins(ratings):
    figure = drawn(plots.plot_popularity(ratings))
    counts = heights(figure.axes[0])
    assert len(counts) == 30
    assert sum(counts) == 90
    share = np.sort(ratings.by_item.counts)[-18:].sum() / len(ratings)
    assert f"A fifth of the items hold {share:.0%} of the ratings" in texts(figure)
    curve = figure.axes[0].child_axes[0].lines[0].get_ydata()
    assert curve[0] == 0
    assert curve[-1] == pytest.approx(100)


def test_rating_counts_are_the_heights_of_the_bars(ratings):
    figure = drawn(plots.plot_rating_counts(ratings))
    expected = [int((ratings.rating == level).sum()) for level in range(1, 6)]
    assert heights(figure.axes[0]) == expected
    assert f"mean {ratings.global_mean:.2f}" in texts(figure)


def test_a_continuous_scale_gets_a_histogram(ratings):
    frame = ratings.to_frame().with_columns(pl.col("rating") + pl.col("item_id").sqrt())
    figure = drawn(plots.plot_rating_counts(Ratings.from_frame(frame)))
    assert sum(heights(figure.axes[0])) == len(ratings)


def test_releases_add_up_to_the_items(ratings):
    figure = drawn(plots.plot_releases_per_year(ratings))
    assert sum(heights(figure.axes[0])) == 90


def test_ratings_per_user_add_up_to_the_users(ratings):
    figure = drawn(plots.plot_ratings_per_user(ratings))
    assert sum(heights(figure.axes[0])) == ratings.n_users


@pytest.mark.parametrize("colour", COLOURS)
def test_the_map_shows_every_item_and_names_the_popular(ratings, places, colour):
    figure = drawn(plots.plot_item_map(places, ratings, colour, labels=5))
    shown = sum(len(points.get_offsets()) for points in figure.axes[0].collections)
    assert shown == 90
    titles = [text for text in texts(figure) if text.startswith("Film ")]
    assert len(titles) == 5
    assert "Film 90" in titles


def test_names_on_the_map_do_not_cover_each_other(ratings, places):
    figure = drawn(plots.plot_item_map(places, ratings, labels=30))
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) > 10
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_titles_are_text_and_those_the_font_lacks_stay_out(places, ratings):
    table = ratings.item_table.with_columns(
        pl.col("title").replace({"Film 90": r"The $\bad$ $100 film", "Film 89": "七人の侍"})
    )
    odd = Ratings.from_frame(ratings.to_frame(), item_table=table)
    shown = texts(drawn(plots.plot_item_map(places, odd, labels=3)))
    assert r"The $\bad$ $100 film" in shown
    assert "七人の侍" not in shown


def test_one_rating_is_enough():
    item_table = pl.DataFrame({"item_id": [1], "release_year": [1990]})
    frame = pl.DataFrame({"user_id": [1], "item_id": [1], "rating": [3.0]})
    one = Ratings.from_frame(frame, item_table=item_table)
    for plot in (
        plots.plot_popularity,
        plots.plot_rating_counts,
        plots.plot_releases_per_year,
        plots.plot_ratings_per_user,
    ):
        drawn(plot(one))
    for colour in COLOURS:
        place = pl.DataFrame({"item_id": [1], "x": [0.0], "y": [0.0]})
        drawn(plots.plot_item_map(place, one, colour))


def test_figures_leave_global_settings_and_windows_alone(ratings):
    before = dict(mpl.rcParams)
    plots.plot_popularity(ratings)
    assert dict(mpl.rcParams) == before


def test_what_cannot_be_drawn_is_refused(ratings, places):
    with pytest.raises(ArgumentError, match="at least one rating"):
        plots.plot_popularity(ratings.take(np.zeros(len(ratings), dtype=bool)))
    with pytest.raises(ArgumentError, match="one of popularity, average, year, genre"):
        plots.plot_item_map(places, ratings, "taste")
    bare = Ratings.from_frame(ratings.to_frame())
    with pytest.raises(ArgumentError, match="release_year"):
        plots.plot_releases_per_year(bare)
