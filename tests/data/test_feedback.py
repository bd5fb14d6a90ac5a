"""What ratings and interactions share: columns, groups, order, parts, merging."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.feedback import Feedback, Groups
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import DataError

KINDS = {"rating": Ratings, "weight": Interactions}


@pytest.fixture(params=KINDS)
def table(request: pytest.FixtureRequest) -> Feedback:
    """Two users; the times of the first are equal, but its positions differ."""
    frame = pl.DataFrame(
        {
            "user_id": ["ann", "ann", "bo", "ann"],
            "item_id": [7, 8, 7, 9],
            request.param: [2.0, 1.0, 3.0, 4.0],
            "timestamp": [50, 50, 60, 40],
            "position": [2, 1, 0, 0],
        }
    )
    return KINDS[request.param].from_frame(frame)


def test_groups_hold_every_row_once_in_order() -> None:
    groups = Groups.of(np.array([2, 0, 2, 2], dtype=np.int32), 4)
    assert [groups[g].tolist() for g in range(4)] == [[1], [], [0, 2, 3], []]
    assert groups.counts.tolist() == [1, 0, 3, 0]


def test_there_and_back(table: Feedback) -> None:
    again = type(table).from_frame(table.to_frame())
    assert again.fingerprint() == table.fingerprint()
    for name in table.column_names():
        other = table.replaced(**{name: getattr(table, name)[::-1]})
        assert other.fingerprint() != table.fingerprint(), name


def test_no_column_can_be_changed(table: Feedback) -> None:
    for name in table.column_names():
        with pytest.raises(ValueError, match="read-only"):
            getattr(table, name)[0] = 0


def test_order_is_that_of_the_times_then_of_the_positions(table: Feedback) -> None:
    assert table.in_order.tolist() == [3, 1, 0, 2]
    assert table.items_of("ann")["item_id"].to_list() == [7, 8, 9]
    assert table.replaced(timestamp=None).in_order.tolist() == [3, 1, 0, 2]
    assert table.replaced(position=None).in_order.tolist() == [3, 0, 1, 2]
    with pytest.raises(DataError, match="expected times or positions"):
        _ = table.replaced(timestamp=None, position=None).in_order


def test_a_part_keeps_vocabularies_and_all_columns(table: Feedback) -> None:
    part = table.take(np.array([3, 0]))
    assert (len(part), part.n_users, part.n_items) == (2, 2, 3)
    assert [getattr(part, name).tolist() for name in table.column_names()[2:]] == [
        [4.0, 2.0],
        [40, 50],
        [0, 2],
    ]


def test_more_items_come_behind_the_others(table: Feedback) -> None:
    groups = table.by_item, table.by_user
    ids = pl.concat([table.items.ids, pl.Series([9001, 9002]).cast(table.items.ids.dtype)])
    larger = table.with_items(Vocabulary(ids, "item"))
    assert larger.n_items == table.n_items + 2
    assert larger.by_user is groups[1]
    assert larger.by_item.counts.tolist() == [*groups[0].counts, 0, 0]
    assert larger.by_item.fits(larger.n_items, len(table))
    indptr = Groups.of(larger.item_index, len(ids)).indptr
    np.testing.assert_array_equal(larger.by_item.indptr, indptr)


def test_what_is_merged_comes_after_what_was_there(table: Feedback) -> None:
    new = table.take(table.user_index == 0).replaced(item_index=np.array([0, 1, 2]))
    both = table.replaced(item_index=np.array([0, 1, 0, 2])).merged_with(new)
    if isinstance(table, Ratings):  # the other's rating of a pair stays
        assert both.to_frame()["user_id"].to_list() == ["bo", "ann", "ann", "ann"]
        assert both.position.tolist() == [0, 5, 4, 3]
    else:  # all interactions stay
        assert both.position.tolist() == [2, 1, 0, 0, 5, 4, 3]
    assert table.replaced(position=None).merged_with(new).position is None


def test_frames_with_a_position_missing(table: Feedback) -> None:
    frame = table.to_frame().with_columns(position=pl.lit(None, pl.Int32))
    with pytest.raises(DataError, match="row 1, column position"):
        type(table).from_frame(frame)


def test_groups_take_half_the_memory_where_nothing_is_fitted(table: Feedback) -> None:
    wide = table.by_item
    table.narrow()
    assert table.by_item.indices.dtype == table.by_user.indices.dtype == np.int32
    np.testing.assert_array_equal(table.by_item.indices, wide.indices)
    in_a_file = Groups(wide.indptr, np.frombuffer(wide.indices.tobytes(), np.int64))
    assert in_a_file.narrowed() is in_a_file, "a copy would take memory"
