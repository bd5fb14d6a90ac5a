"""Sittings: where they begin, and what stays as it was."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.sittings import sittings
from tastemap.errors import ArgumentError


def test_a_sitting_ends_with_a_longer_pause_and_never_goes_over_to_another_user() -> None:
    """Times in the table stand still and run backwards; a pause of exactly 30 minutes is none."""
    frame = pl.DataFrame(
        {
            "user_id": ["bo", "ann", "ann", "bo", "ann", "ann"],
            "item_id": [1, 2, 1, 2, 3, 4],
            "timestamp": [0, 1800, 0, 0, 3601, 3600],
        }
    )
    cut = sittings(Interactions.from_frame(frame), minutes=30)
    assert cut.to_frame()["user_id"].to_list() == ["bo-1", *["ann-1"] * 2, "bo-1", *["ann-1"] * 2]
    finer = sittings(Interactions.from_frame(frame), minutes=29.9)
    assert finer.to_frame()["user_id"].to_list() == [
        *("bo-1", "ann-2", "ann-1", "bo-1", "ann-3", "ann-3")
    ]
    assert finer.source.notes == (
        "4 sittings of 2 users, cut where more than 29.9 minutes passed; 2 of a single interaction",
    )


@given(seed=st.integers(0, 50))
def test_it_is_that_of_the_slow_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    user, time = rng.integers(5, size=40), rng.integers(9000, size=40)
    frame = pl.DataFrame({"user_id": user, "item_id": np.arange(40), "timestamp": time})
    cut = sittings(Interactions.from_frame(frame), minutes=10).to_frame()
    for this in range(40):
        same = cut["user_id"] == cut["user_id"][this]
        mine = np.sort(time[user == user[this]])
        pauses = np.searchsorted(mine, time[this], side="right")
        number = 1 + int((np.diff(mine[:pauses]) > 600).sum())
        assert cut["user_id"][this] == f"{user[this]}-{number}"
        assert set(user[same.to_numpy()]) == {user[this]}


def test_rows_items_and_the_table_of_users_stay(ratings: Ratings) -> None:
    table = pl.DataFrame({"user_id": ratings.users.ids, "age": range(ratings.n_users)})
    whole = Ratings.from_frame(ratings.to_frame(), user_table=table, item_table=ratings.item_table)
    cut = sittings(whole, minutes=1e-3)
    assert cut.to_frame().drop("user_id").equals(whole.to_frame().drop("user_id"))
    assert cut.items is whole.items
    assert cut.scale == whole.scale
    joined = cut.to_frame().join(cut.user_table, on="user_id", maintain_order="left")
    assert joined["age"].to_list() == whole.user_index.tolist()


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf")])
def test_minutes_are_above_0(ratings: Ratings, minutes: float) -> None:
    with pytest.raises(ArgumentError, match=r"minutes; expected a number above 0; received"):
        sittings(ratings, minutes)


def test_times_are_needed(ratings: Ratings) -> None:
    with pytest.raises(ArgumentError, match=r"with timestamps; received ratings without; name"):
        sittings(ratings.replaced(timestamp=None))
