"""The table of ratings: immutable columns, its scale, its parts."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
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


def test_likes_are_interactions_with_what_is_rated_from_the_threshold_on(tiny: Ratings) -> None:
    assert tiny.likes().to_frame().rows() == [("ann", 10, 1.0), ("ben", 10, 1.0)]
    assert tiny.likes(3).item_index.tolist() == [0, 1, 0, 2]
    assert len(tiny.likes(6)) == 0
    assert tiny.likes().items is tiny.items


def of_pairs(*pairs: tuple[str, int]) -> Interactions:
    return Interactions.from_frame(pl.DataFrame(pairs, ["user_id", "item_id"], orient="row"))


def pairs_of(seen: Interactions | None) -> list[tuple[str, int]]:
    assert seen is not None
    return sorted(seen.to_frame().select("user_id", "item_id").rows())


def test_what_was_seen_stands_beside_and_is_never_rated(tiny: Ratings) -> None:
    """Of five pairs one is rated, and one comes twice; a user and an item are new."""
    seen = of_pairs(("ann", 10), ("ann", 30), ("ann", 30), ("dee", 20), ("ben", 40))
    both = tiny.with_seen(seen)
    assert pairs_of(both.seen) == [("ann", 30), ("ben", 40), ("dee", 20)]
    assert (len(both), both.n_users, both.n_items) == (6, 4, 4)
    assert both.users.ids.to_list() == ["ann", "ben", "cy", "dee"]
    assert both.fingerprint() != tiny.fingerprint()
    assert tiny.seen is None
    assert tiny.touched is tiny
    assert len(both.touched) == 9
    part = both.take(np.arange(2))
    assert part.seen is both.seen
    again = part.with_seen(of_pairs(("cy", 10)))
    assert pairs_of(again.seen) == [("ann", 30), ("ben", 40), ("cy", 10), ("dee", 20)]


def test_a_frame_of_pairs_that_were_seen_joins_the_vocabularies() -> None:
    frame = pl.DataFrame({"user_id": [2, 2], "item_id": [5, 7], "rating": [3, 4]})
    seen = pl.DataFrame({"user_id": [1, 2], "item_id": [6, 5], "timestamp": [10, 20]})
    table = pl.DataFrame({"item_id": [5, 6], "title": ["five", "six"]})
    ratings = Ratings.from_frame(frame, seen=seen, item_table=table)
    assert pairs_of(ratings.seen) == [(1, 6)]
    assert ratings.seen is not None
    assert ratings.seen.timestamp.tolist() == [10]
    assert ratings.users.ids.to_list() == [1, 2]
    assert ratings.items.titles.to_list() == ["five", "six", "7"]
    alone = Ratings.from_frame(frame)
    assert Ratings.from_frame(frame, seen=seen.clear()).fingerprint() == alone.fingerprint()
    with pytest.raises(DataError, match="item_id"):
        Ratings.from_frame(frame, seen=seen.drop("item_id"))


def test_more_items_are_those_of_what_was_seen_too(tiny: Ratings) -> None:
    ratings = tiny.with_seen(of_pairs(("dee", 40)))
    assert ratings.touched.n_items == ratings.n_items
    more = Vocabulary(pl.Series([*ratings.items.ids, 100]), "item")
    larger = ratings.with_items(more)
    assert larger.seen is not None
    assert larger.seen.items is larger.touched.items is larger.items is more
    assert len(larger.touched) == len(ratings.touched)


def test_merging_keeps_what_was_seen_until_it_is_rated(tiny: Ratings) -> None:
    old = tiny.with_seen(of_pairs(("ann", 30), ("cy", 10)))
    new = pl.DataFrame({"user_id": ["ann", "eve"], "item_id": [30, 9], "rating": [1.0, 2.0]})
    merged = old.merged_with(Ratings.from_frame(new).with_seen(of_pairs(("eve", 10))))
    assert pairs_of(merged.seen) == [("cy", 10), ("eve", 10)]
    assert merged.seen is not None
    assert merged.seen.users is merged.users


def test_a_table_is_blind_to_a_test(tiny: Ratings) -> None:
    seen = tiny.with_seen(of_pairs(("ann", 30), ("cy", 10)))
    test = pl.DataFrame({"user_id": ["cy", "zoe"], "item_id": [10, 30], "rating": [1.0, 2.0]})
    assert pairs_of(seen.blind_to(Ratings.from_frame(test)).seen) == [("ann", 30)]
    assert tiny.blind_to(Ratings.from_frame(test)) is tiny
