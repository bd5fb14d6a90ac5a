"""The table of ratings: immutable columns, its scale, its parts."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.errors import DataError


def test_columns_cannot_be_changed(tiny: Ratings) -> None:
    for column in (tiny.rating, tiny.user_index, tiny.item_index):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1
    with pytest.raises(AttributeError):
        tiny.rating = tiny.rating


def test_there_and_back(tiny: Ratings) -> None:
    again = Ratings.from_frame(tiny.to_frame(), item_table=tiny.item_table)
    assert again.fingerprint() == tiny.fingerprint()
    assert tiny.take(np.arange(5)).fingerprint() != tiny.fingerprint()


def test_a_part_keeps_the_vocabularies_and_the_scale(tiny: Ratings) -> None:
    part = tiny.take(tiny.rating < 3)
    assert (len(part), part.n_users, part.n_items) == (2, 3, 3)
    assert part.scale == tiny.scale
    assert part.global_mean == 1.5


def test_rated_items_newest_first() -> None:
    frame = pl.DataFrame(
        {"user_id": [1, 1], "item_id": [5, 6], "rating": [3, 4], "timestamp": [10, 20]}
    )
    assert Ratings.from_frame(frame).rated_items(1)["item_id"].to_list() == [6, 5]


def test_merging_takes_the_newer_rating_and_adds_ids_behind(tiny: Ratings) -> None:
    new = Ratings.from_frame(
        pl.DataFrame({"user_id": ["ann", "dee"], "item_id": [10, 40], "rating": [1.0, 0.5]})
    )
    both = tiny.merged_with(new)
    assert len(both) == 7
    assert both.users.ids.to_list() == ["ann", "ben", "cy", "dee"]
    rows = both.to_frame().filter(user_id="ann", item_id=10)
    assert rows["rating"].to_list() == [1.0]
    assert both.scale == Scale(0.5, 5.0, 0.5)


def test_items_without_ratings_are_kept_aside_and_counted() -> None:
    frame = pl.DataFrame({"user_id": [1, 1], "item_id": [1, 2], "rating": [3, 4]})
    table = pl.DataFrame({"item_id": [2, 8, 9], "title": ["b", "x", "y"]})
    ratings = Ratings.from_frame(frame, item_table=table)
    assert ratings.items.titles.to_list() == ["1", "b"]
    (note,) = ratings.source.notes
    assert note == "2 items of the item table have no rating: they come into lists where asked for"
    assert ratings.items.untouched.rows() == [(8, "x"), (9, "y")]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"user_id": [1], "item_id": [1]}, "column rating; expected columns"),
        ({"user_id": [], "item_id": [], "rating": []}, "an empty table"),
        ({"user_id": [1, None], "item_id": [1, 2], "rating": [1.0, 2.0]}, "row 2, column user_id"),
        ({"user_id": [1], "item_id": [1], "rating": ["five"]}, "column rating; expected numbers"),
        ({"user_id": [1], "item_id": [1], "rating": [float("inf")]}, "a finite number"),
        (
            {"user_id": [1], "item_id": [1], "rating": [1.0], "timestamp": [None]},
            "row 1, column timestamp",
        ),
    ],
)
def test_frames_that_are_no_ratings(columns: dict[str, list], says: str) -> None:
    with pytest.raises(DataError, match=says):
        Ratings.from_frame(pl.DataFrame(columns))


def test_likes_are_interactions_with_what_is_rated_from_the_threshold_on(tiny: Ratings) -> None:
    assert tiny.likes().to_frame().rows() == [("ann", 10, 1.0), ("ben", 10, 1.0)]
    assert tiny.likes(3).item_index.tolist() == [0, 1, 0, 2]
    assert len(tiny.likes(6)) == 0
    assert tiny.likes().items is tiny.items
