import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, UnknownIdError
from tastemap.explore.items import main_genres, map_items


def test_the_rarest_of_the_frequent_genres_is_the_main_one():
    genres = [["Drama"]] * 5 + [["Drama", "War"]] * 2 + [[], None, ["Drama", "War"]]
    assert main_genres(pl.Series(genres)).to_list() == ["Drama"] * 5 + ["War"] * 2 + [
        "other",
        "other",
        "War",
    ]


def test_at_most_seven_genres_have_a_name_of_their_own():
    genres = [[f"g{i}"] for i in range(10) for _ in range(20 - i)]
    names = main_genres(pl.Series(genres)).unique().to_list()
    assert sorted(names) == [*(f"g{i}" for i in range(7)), "other"]


def test_what_is_known_and_counted_stands_beside_the_place(ratings):
    frame = pl.DataFrame({"item_id": [3, 1], "x": [0.0, 1.0], "y": [0.0, 1.0]})
    items = map_items(frame, ratings)
    assert items["title"].to_list() == ["Film 3", "Film 1"]
    assert items["popularity"].to_list() == [3, 1]
    only = ratings.rating[ratings.item_index == 0]
    assert items["average"][1] == pytest.approx(float(only[0]))
    assert items["genre"].to_list() == ["Comedy", "Romance"]


def test_items_of_which_nothing_is_known():
    bare = Ratings.from_frame(pl.DataFrame({"user_id": [1], "item_id": ["a"], "rating": [3]}))
    items = map_items(pl.DataFrame({"item_id": ["a"], "x": [0.0], "y": [0.0]}), bare)
    assert items.select("title", "year", "genre", "average").row(0) == ("a", None, "other", 3.0)


def test_a_map_that_does_not_fit_is_refused(ratings):
    with pytest.raises(ArgumentError, match="columns item_id, x, y; received no column y"):
        map_items(pl.DataFrame({"item_id": [1], "x": [0.0]}), ratings)
    with pytest.raises(UnknownIdError):
        map_items(pl.DataFrame({"item_id": [999], "x": [0.0], "y": [0.0]}), ratings)
