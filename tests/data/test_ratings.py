"""The table of ratings: immutable columns, its scale, its parts."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.data.ratings import Groups, Ratings
from tastemap.data.scale import Scale
from tastemap.errors import DataError


@pytest.mark.parametrize(
    ("values", "scale", "levels"),
    [
        ([1, 5, 3, 4], Scale(1, 5, 1), [1, 2, 3, 4, 5]),
        ([0.5, 5, 4.5], Scale(0.5, 5, 0.5), list(np.arange(0.5, 5.1, 0.5))),
        ([0, 1], Scale(0, 1, 1), [0, 1]),
        ([-1, 1], Scale(-1, 1, 2), [-1, 1]),
        ([3, 3], Scale(3, 3, None), [3]),
        ([1, 2.5, 3.25, 3.303], Scale(1, 3.303, None), None),
        ([1, 3, 6], Scale(1, 6, 1), [1, 2, 3, 4, 5, 6]),
        ([-10, -9.97, 10], Scale(-10, 10, None), None),
        ([0, 1.8e-43], Scale(0, 1.8e-43, None), None),
        ([0, 1, 3e38], Scale(0, 3e38, None), None),
    ],
)
def test_the_scale_is_read_off_the_values(values, scale, levels) -> None:
    found = Scale.infer(np.array(values, dtype=np.float32).astype(float))
    assert (found.lowest, found.highest) == pytest.approx((scale.lowest, scale.highest))
    assert found.step == (None if scale.step is None else pytest.approx(scale.step))
    assert levels is None if found.levels is None else found.levels == pytest.approx(levels)


@given(st.lists(st.integers(1, 10), min_size=1), st.sampled_from([0.5, 1.0, 2.0]))
def test_every_value_is_a_level(numbers: list[int], step: float) -> None:
    values = np.array(numbers) * step
    levels = Scale.infer(values).levels
    assert levels is not None
    assert np.isin(values, levels).all()


def test_union_of_scales() -> None:
    assert Scale(1, 5, 1).union(Scale(0.5, 4, 0.5)) == Scale(0.5, 5, 0.5)
    assert Scale(1, 5, 1).union(Scale(3, 3, None)) == Scale(1, 5, 1)
    assert Scale(1, 5, 1).union(Scale(0, 4, None)) == Scale(0, 5, None)


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


def test_groups_hold_every_row_once_in_order() -> None:
    groups = Groups.of(np.array([2, 0, 2, 2], dtype=np.int32), 4)
    assert [groups[g].tolist() for g in range(4)] == [[1], [], [0, 2, 3], []]
    assert groups.counts.tolist() == [1, 0, 3, 0]


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


def test_items_without_ratings_are_left_out_and_counted() -> None:
    frame = pl.DataFrame({"user_id": [1, 1], "item_id": [1, 2], "rating": [3, 4]})
    table = pl.DataFrame({"item_id": [2, 8, 9], "title": ["b", "x", "y"]})
    ratings = Ratings.from_frame(frame, item_table=table)
    assert ratings.items.titles.to_list() == ["1", "b"]
    assert ratings.source.notes == ("2 items of the item table have no rating and are left out",)


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


def test_self_information_is_in_bits_and_rarer_items_have_more() -> None:
    frame = pl.DataFrame({"user_id": [1, 2, 3, 1], "item_id": [1, 1, 1, 2], "rating": [3.0] * 4})
    centred, deviation = Ratings.from_frame(frame).self_information
    # With one rating more each, the shares are 4/6 and 2/6: one bit apart.
    assert centred[1] - centred[0] == pytest.approx(1)
    assert centred.sum() == pytest.approx(0)
    assert deviation == pytest.approx(0.5)
