"""Histories: the order of time, ties, gaps."""

import numpy as np
import polars as pl

from tastemap.data.histories import gaps, histories
from tastemap.data.ratings import Ratings


def table(times: list[int] | None, users: list[int]) -> Ratings:
    frame = pl.DataFrame({"user_id": users, "item_id": [*range(len(users))], "rating": 3.0})
    return Ratings.from_frame(
        frame if times is None else frame.with_columns(timestamp=pl.Series(times))
    )


def test_ratings_of_a_user_stand_in_the_order_of_time() -> None:
    ratings = table([30, 5, 10, 7, 20], [1, 2, 1, 2, 1])
    history = histories(ratings)
    assert history[0].tolist() == [2, 4, 0]
    assert history[1].tolist() == [1, 3]
    assert gaps(ratings, history).tolist() == [10, 10, 2]


def test_equal_times_are_drawn_and_follow_neither_the_file_nor_the_items() -> None:
    ratings = table([60] * 200 + [90], [1] * 201)
    first, again, other = (histories(ratings, seed).indices for seed in (0, 0, 1))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
    assert first[-1] == 200
    assert abs(np.corrcoef(first[:-1], np.arange(200))[0, 1]) < 0.3


def test_what_is_drawn_for_two_items_stays_when_rows_come_and_go() -> None:
    ratings = table([60] * 40, [1, 2] * 20)
    more = ratings.merged_with(table([50, 60, 70], [1, 3, 3]))
    turned = ratings.take(np.arange(40)[::-1])

    def items(part: Ratings, user: int) -> list[int]:
        ids = part.items.ids_at(part.item_index[histories(part)[user]]).to_list()
        return [item for item in ids if item > 2]

    for user in (0, 1):
        assert items(more, user) == items(turned, user) == items(ratings, user)


def test_without_times_there_is_no_order() -> None:
    assert histories(table(None, [1, 1])) is None
    ratings = table([1, 2], [1, 1])
    assert not len(gaps(table(None, [1, 1]), histories(ratings)))
