import numpy as np
import polars as pl
import pytest

from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.models.base.explanation import (
    Explanation,
    Part,
    PartKind,
    added_up,
    correction,
    kept_inside,
)
from tastemap.models.base.user import User

USER = User(None, np.array([2, 0], np.int32), np.array([5, 1], np.float32))


def of(*effects: float, mean: float = 3.0, beyond: float = 0.5) -> Explanation:
    corrections = (Part(PartKind.TRAINING, beyond),)
    return Explanation(USER, (Part(PartKind.GLOBAL_MEAN, mean),), np.array(effects), corrections)


def test_a_frame_has_the_parts_then_the_ratings_by_size_then_the_corrections() -> None:
    table = pl.DataFrame({"item_id": [10, 20, 30], "title": ["Alien", "Brazil", "Casablanca"]})
    items = Vocabulary(pl.Series([10, 20, 30]), "item", table)
    frame = of(0.25, -1.0).to_frame(items)
    assert frame["part"].to_list() == [
        "global mean",
        "your rating",
        "your rating",
        "training beyond the ratings",
    ]
    assert frame["item_id"].to_list() == [None, 10, 30, None]
    assert frame["title"].to_list() == [None, "Alien", "Casablanca", None]
    assert frame["rating"].to_list() == [None, 1.0, 5.0, None]
    assert frame["contribution"].to_list() == [3.0, -1.0, 0.25, 0.5]
    assert frame["contribution"].sum() == of(0.25, -1.0).total == 2.75


def test_what_leaves_the_scale_is_brought_back_by_a_part_of_its_own() -> None:
    scale = Scale(1, 5, 1)
    assert kept_inside(scale, 5.5) == (Part(PartKind.SCALE, -0.5),)
    assert kept_inside(scale, 4.0) == ()


def test_a_correction_that_is_mere_rounding_is_none() -> None:
    assert correction(PartKind.TRAINING, 1e-9) == ()
    assert correction(PartKind.TRAINING, -0.1) == (Part(PartKind.TRAINING, -0.1),)


def test_a_weighted_sum_adds_up_parts_of_one_kind_and_knows_no_scale() -> None:
    member = Explanation(USER, (Part(PartKind.MEMBER, 2.0, "Popularity"),), np.zeros(2))
    clipped = Explanation(USER, (Part(PartKind.SCALE, 9.0),), np.zeros(2))
    both = added_up(USER, [(2.0, of(1.0, 0.0)), (0.5, of(1.0, 4.0)), (1.0, member), (1.0, clipped)])
    assert {part.name: part.contribution for part in both.parts} == {
        "global mean": 7.5,
        "training beyond the ratings": 1.25,
        "score of Popularity": 2.0,
    }
    assert both.effects.tolist() == [2.5, 2.0]
    assert both.total == pytest.approx(7.5 + 1.25 + 2.0 + 4.5)
