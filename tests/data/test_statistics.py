from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from tastemap.data import statistics
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError


@pytest.fixture
def ratings():
    frame = pl.DataFrame(
        {
            "user_id": [1, 1, 1, 2, 2, 3],
            "item_id": [7, 8, 9, 7, 8, 7],
            "rating": [5, 1, 4, 4, 2, 3],
            "timestamp": [0, 60, 5, 86_400, 7, 8],
        }
    )
    items = pl.DataFrame(
        {
            "item_id": [7, 8, 9],
            "title": ["Alien", "Up", None],
            "release_year": pl.Series([1979, 2009, None], dtype=pl.Int32),
        }
    )
    return Ratings.from_frame(frame, item_table=items)


def test_describe_counts_and_measures(ratings):
    (row,) = statistics.describe(ratings).to_dicts()
    assert (row["ratings"], row["users"], row["items"]) == (6, 3, 3)
    assert row["density"] == pytest.approx(6 / 9)
    assert (row["lowest"], row["highest"], row["step"]) == (1, 5, 1)
    assert row["mean"] == pytest.approx(19 / 6)
    assert row["std"] == pytest.approx(np.std([5, 1, 4, 4, 2, 3], ddof=1))
    assert (row["q25"], row["median"], row["q75"]) == (2.25, 3.5, 4.0)
    assert [row[f"ratings_per_user_{name}"] for name in ("min", "median", "max")] == [1, 2, 3]
    assert [row[f"ratings_per_item_{name}"] for name in ("min", "median", "max")] == [1, 2, 3]
    assert row["items_rated_once"] == 1
    assert row["first"] == datetime(1970, 1, 1, tzinfo=UTC)
    assert row["last"] == datetime(1970, 1, 2, tzinfo=UTC)


def test_describe_without_times_and_of_a_part(ratings):
    part = Ratings.from_frame(ratings.to_frame().drop("timestamp")).take(np.array([0, 1]))
    (row,) = statistics.describe(part).to_dicts()
    assert (row["users"], row["items"], row["first"], row["last"]) == (1, 2, None, None)


def test_describe_of_no_rows_has_the_same_columns(ratings):
    empty = statistics.describe(ratings.take(np.array([], dtype=int)))
    assert empty.columns == statistics.describe(ratings).columns
    assert empty["ratings"].to_list() == [0]


def test_popularity_counts_each_item_in_row_order(ratings):
    assert statistics.popularity(ratings).rows() == [(7, "Alien", 3), (8, "Up", 2), (9, "9", 1)]
    assert statistics.rated_once(ratings)["item_id"].to_list() == [9]


def test_most_popular_breaks_ties_by_row(ratings):
    part = ratings.take(np.array([0, 2, 3, 4]))
    assert statistics.most_popular(part, 2)["item_id"].to_list() == [7, 8]
    with pytest.raises(ArgumentError, match="k; expected at least 1; received 0"):
        statistics.most_popular(ratings, 0)


def test_average_and_damped_average_by_hand(ratings):
    frame = statistics.average_ratings(ratings, damping=2)
    mu = 19 / 6
    assert frame["average"].to_list() == [4, 1.5, 4]
    assert frame["damped_average"].to_list() == pytest.approx(
        [(12 + 2 * mu) / 5, (3 + 2 * mu) / 4, (4 + 2 * mu) / 3]
    )
    assert frame["popularity"].to_list() == [3, 2, 1]
    undamped = statistics.average_ratings(ratings, damping=0)
    assert undamped["damped_average"].to_list() == undamped["average"].to_list()


def test_an_item_without_ratings_has_no_average(ratings):
    part = ratings.take(np.array([0, 1]))
    assert statistics.average_ratings(part)["average"].to_list() == [5, 1, None]
    assert statistics.average_ratings(part)["damped_average"][2] == pytest.approx(3)
    assert statistics.average_ratings(part, 0)["damped_average"].to_list() == [5, 1, None]
    with pytest.raises(ArgumentError, match="damping; expected 0 or more; received -1"):
        statistics.average_ratings(ratings, damping=-1)


def test_rating_counts_list_every_level(ratings):
    part = ratings.take(np.array([0, 1, 2, 3]))
    assert statistics.rating_counts(part).rows() == [(1, 1), (2, 0), (3, 0), (4, 2), (5, 1)]


def test_rating_counts_of_a_continuous_scale():
    frame = pl.DataFrame({"user_id": [1, 2, 3], "item_id": [1, 1, 1], "rating": 3})
    irregular = frame.with_columns(rating=pl.Series([0.1237, 3, 3.25]))
    counts = statistics.rating_counts(Ratings.from_frame(irregular))
    assert counts["count"].to_list() == [1, 1, 1]
    assert counts["rating"].to_list() == pytest.approx([0.1237, 3, 3.25])


def test_releases_per_year_leave_out_the_unknown(ratings):
    assert statistics.releases_per_year(ratings).rows() == [(1979, 1), (2009, 1)]
    assert statistics.knows_releases(ratings)
    assert not statistics.knows_releases(Ratings.from_frame(ratings.to_frame()))
    with pytest.raises(ArgumentError, match="column release_year; received none; read the"):
        statistics.releases_per_year(Ratings.from_frame(ratings.to_frame()))


def test_ratings_per_user(ratings):
    frame = statistics.ratings_per_user(ratings)
    assert frame["ratings"].to_list() == [3, 2, 1]
    assert frame["average"].to_list() == pytest.approx([10 / 3, 3, 3])
