"""Interactions: weights, likes, repeats, items that nobody has touched."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.interactions import Interactions
from tastemap.errors import DataError

PAIRS = pl.DataFrame({"user_id": ["ann", "ann", "bo", "ann"], "item_id": [7, 8, 7, 7]})


def test_without_a_weight_each_interaction_weighs_one() -> None:
    table = Interactions.from_frame(PAIRS)
    assert table.weight.tolist() == [1, 1, 1, 1]
    assert (table.user_index.dtype, table.item_index.dtype, table.weight.dtype) == (
        np.int32,
        np.int32,
        np.float32,
    )
    assert (table.timestamp, table.position) == (None, None)


def test_repeats_are_added_up_at_the_place_of_the_last() -> None:
    weights = PAIRS.with_columns(weight=pl.Series([2.0, 5.0, 1.0, 4.0]))
    assert Interactions.from_frame(weights).summed().to_frame().rows() == [
        ("ann", 8, 5.0),
        ("bo", 7, 1.0),
        ("ann", 7, 6.0),
    ]
    timed = weights.with_columns(timestamp=pl.Series([30, 20, 20, 10]))
    assert Interactions.from_frame(timed).summed().to_frame().rows() == [
        ("ann", 7, 6.0, 30),
        ("ann", 8, 5.0, 20),
        ("bo", 7, 1.0, 20),
    ]


def test_likes_are_sums_above_zero_or_the_threshold() -> None:
    table = Interactions.from_frame(PAIRS.with_columns(weight=pl.Series([2.0, -1.0, 1.0, -1.0])))
    assert table.likes().to_frame().rows() == [("bo", 7, 1.0), ("ann", 7, 1.0)]
    assert len(table.likes(threshold=1.5)) == 0
    assert table.liked(np.array([-1.0, 0.0, 0.5])).tolist() == [False, False, True]


def test_items_that_nobody_has_touched() -> None:
    items = pl.DataFrame({"item_id": [9, 8, 7], "title": ["new", "b", "a"]})
    table = Interactions.from_frame(PAIRS, item_table=items, untouched=True)
    assert table.items.titles.to_list() == ["a", "b", "new"]
    assert table.by_item.counts.tolist() == [3, 1, 0]
    aside = Interactions.from_frame(PAIRS, item_table=items).items
    assert (len(aside), aside.untouched.rows()) == (2, [(9, "new")])
    assert table.items.untouched is None


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"user_id": [1]}, "column item_id; expected columns user_id and item_id"),
        ({"user_id": [], "item_id": []}, "an empty table"),
        ({"user_id": [1], "item_id": [1], "weight": [float("nan")]}, "a finite number"),
        ({"user_id": [1], "item_id": [1], "weight": ["two"]}, "column weight; expected numbers"),
        ({"user_id": [1], "item_id": [1], "weight": [0]}, "0 for all.*leave the column out"),
    ],
)
def test_frames_that_are_no_interactions(columns: dict[str, list], says: str) -> None:
    with pytest.raises(DataError, match=says):
        Interactions.from_frame(pl.DataFrame(columns))
