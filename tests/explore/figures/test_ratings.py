import io

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_rgba
from matplotlib.text import Text

from tastemap.data.feedback import Source
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
    curve = figure.axes[1].lines[0].get_ydata()  # beside the bars, which it never covers
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


def table(rating, per_user=1):
    """Ratings of ten items, so many of each user."""
    rows = np.arange(len(rating))
    users, items = rows // per_user, rows % 10
    return Ratings.from_frame(pl.DataFrame({"user_id": users, "item_id": items, "rating": rating}))


def ticks(axis):
    """The numbers on an axis."""
    return [label.get_text() for label in axis.get_ticklabels()]


def test_ticks_say_where_they_stand_on_any_scale():
    jokes = table(np.linspace(-10, 10, 1001))
    figure = drawn(plots.plot_rating_counts(jokes))
    shown = ticks(figure.axes[0].xaxis)
    assert {"−7.5", "−5", "−2.5", "2.5", "7.5"} <= {*shown}
    for tick, text in zip(figure.axes[0].get_xticks(), shown, strict=True):
        assert float(text.replace("−", "-")) == tick
    said = " ".join(texts(figure)).replace("\n", " ")
    assert "Half of the ratings lie between −5.00 and 5.00; the mean is 0.00" in said
    assert "most frequent" not in said


def test_counts_far_above_the_others_are_drawn_by_their_logarithm():
    plays = table(np.unique(np.round(10 ** np.linspace(0, 5.4, 400), 1)))
    figure = drawn(plots.plot_rating_counts(plays))
    ax = figure.axes[0]
    assert "Rating, logarithmic" in texts(figure)
    assert {"10", "1,000", "100k"} <= {*ticks(ax.xaxis)}
    bars = heights(ax)
    assert sum(bars) == len(plays)
    assert max(bars) < 0.2 * len(plays)


def test_one_rating_a_user_is_said_in_the_singular():
    figure = drawn(plots.plot_ratings_per_user(table(np.array([1.0, 2, 3, 4, 5]))))
    said = " ".join(texts(figure))
    assert "Every user gave 1 rating" in said
    assert "1 ratings" not in said
    assert [tick for tick in figure.axes[0].get_xticks() if 0.5 <= tick <= 1.5] == [1]
    few = drawn(plots.plot_ratings_per_user(table(np.arange(5.0), per_user=3)))
    assert "Half of the users gave at most 2.5 ratings" in texts(few)
    assert len(heights(few.axes[0])) == 2  # a bar for each number
    skewed = Ratings.from_frame(
        pl.DataFrame({"user_id": [1, 2, 3, 3], "item_id": [1, 1, 1, 2], "rating": [1.0, 2, 3, 4]})
    )
    assert "Half of the users gave at most 1 rating" in texts(plots.plot_ratings_per_user(skewed))


def test_a_small_share_is_not_none():
    figure = drawn(plots.plot_rating_counts(table(np.array([1.0, 3.0] + [5.0] * 998))))
    assert {"<1%", "100%"} <= {*texts(figure)}
    assert "0%" not in texts(figure)


def test_a_fifth_is_of_five_items_or_more():
    frame = pl.DataFrame({"user_id": [1, 2, 1], "item_id": [1, 1, 2], "rating": [1.0, 2.0, 3.0]})
    said = texts(drawn(plots.plot_popularity(Ratings.from_frame(frame))))
    assert "The most popular item holds 67% of the ratings" in said
    assert any("1 has a single rating, half at most 1.5" in text for text in said)


def test_figures_call_items_what_they_are():
    frame = pl.DataFrame({"user_id": np.arange(30), "item_id": np.arange(30) % 6, "rating": 3.0})
    source = Source("shelf.csv", ("column ISBN read as item",))
    books = Ratings.from_frame(frame, source=source)
    said = " ".join(texts(drawn(plots.plot_popularity(books)))).replace("\n", " ")
    assert "A fifth of the books hold 17% of the ratings" in said
    assert "shelf.csv: 30 ratings of 6 books" in said
    assert "Popularity of a book (number of ratings)" in said
    assert "item" not in said.lower()


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
