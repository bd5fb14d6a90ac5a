"""Splits: which ratings are in which part."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split as sklearn_split

from tastemap.data import splits
from tastemap.data.feedback import Source
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError


def table(n=60, *, text=False, seed=3):
    rng = np.random.default_rng(seed)
    pairs = rng.choice(12 * 15, size=n, replace=False)
    frame = pl.DataFrame(
        {
            "user_id": pairs // 15 + 1,
            "item_id": pairs % 15 * 3 + 1,
            "rating": rng.integers(1, 6, n),
            "timestamp": rng.integers(0, 40, n),
        }
    )
    return frame.with_columns(pl.col("item_id").cast(pl.String)) if text else frame


def rows(ratings):
    return set(zip(ratings.user_index.tolist(), ratings.item_index.tolist(), strict=True))


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("n", [7, 60, 101])
@pytest.mark.parametrize("test_size", [0.1, 0.2, 0.33])
@pytest.mark.parametrize("seed", [0, 42])
def test_random_split_is_that_of_scikit_learn_on_the_labs_merged_frame(n, test_size, seed, text):
    frame = table(n, text=text)
    raw = frame.to_pandas()
    items = pd.DataFrame({"item_id": sorted(raw["item_id"].unique())})
    merged = items.merge(raw)
    popularity = merged.groupby("item_id").size().reset_index(name="popularity")
    merged = popularity.merge(merged)
    theirs = sklearn_split(merged, test_size=test_size, random_state=seed)
    ours = splits.train_test_split(Ratings.from_frame(frame), test_size, seed)
    for their, our in zip(theirs, ours, strict=True):
        expected = their[["user_id", "item_id", "rating", "timestamp"]]
        for column in expected:
            assert our.to_frame()[column].to_list() == expected[column].to_list()


@given(
    n=st.integers(8, 120),
    test_size=st.floats(0.15, 0.85),
    seed=st.integers(0, 2**32 - 1),
    name=st.sampled_from(["random", "per-user", "time", "forecast", "last"]),
)
def test_every_split_partitions_the_rows(n, test_size, seed, name):
    ratings = Ratings.from_frame(table(n, seed=n))
    try:
        train, test = splits.split_by_name(ratings, name, test_size=test_size, seed=seed)
    except ArgumentError as error:
        assert "at least one rating in each part" in str(error)  # noqa: PT017
        return
    assert len(train) + len(test) == n
    assert rows(train) | rows(test) == rows(ratings)
    assert train.users is ratings.users
    assert train.scale == test.scale == ratings.scale
    if name in ("per-user", "forecast", "last"):
        assert set(test.user_index) <= set(train.user_index)


def test_same_seed_same_rows_and_another_seed_others():
    ratings = Ratings.from_frame(table())
    for split in (splits.train_test_split, splits.per_user_split):
        assert rows(split(ratings, seed=1).test) == rows(split(ratings, seed=1).test)
        assert rows(split(ratings, seed=1).test) != rows(split(ratings, seed=2).test)


def test_published_fold_k_is_block_k_of_the_file():
    n = np.arange(100_000)
    ratings = Ratings.from_frame(
        pl.DataFrame({"user_id": n // 1000, "item_id": n % 1000, "rating": n % 5 + 1})
    )
    for k in range(1, 6):
        train, test = splits.split_by_name(ratings, f"u{k}")
        assert test.user_index[0] == (k - 1) * 20
        assert len(test) == 20_000
        assert len(train) == 80_000


def test_per_user_split_takes_the_share_from_each_user():
    frame = pl.DataFrame(
        {"user_id": [1] * 10 + [2] * 2 + [3], "item_id": [*range(10), 0, 1, 0], "rating": 3}
    )
    test = splits.per_user_split(Ratings.from_frame(frame), 0.3).test
    assert np.bincount(test.user_index, minlength=3).tolist() == [3, 1, 0]


def test_time_split_tests_on_the_latest():
    train, test = splits.time_split(Ratings.from_frame(table()), 0.25)
    assert len(test) == 15
    assert train.timestamp.max() <= test.timestamp.min()


def test_forecast_takes_each_users_last_share():
    frame = pl.DataFrame(
        {
            "user_id": [1, 2, 1, 1, 1, 1, 2],
            "item_id": [1, 1, 2, 3, 4, 5, 2],
            "rating": [5] * 7,
            "timestamp": [8, 9, 9, 1, 2, 3, 1],
        }
    )
    train, test = splits.forecast_split(Ratings.from_frame(frame), 0.2)
    assert rows(test) == {(0, 1)}
    assert len(train) == 6
    assert rows(splits.forecast_split(Ratings.from_frame(frame), 0.7).test) == {
        (0, 0), (0, 1), (0, 4), (1, 0)
    }  # fmt: skip


@pytest.mark.parametrize("name", ["time", "forecast", "last"])
def test_equal_times_are_drawn_with_the_seed_and_said(name):
    # The file has the best ratings last, at one time with the others.
    n = np.arange(60)
    frame = {"user_id": n // 20, "item_id": n % 20, "rating": n % 20 // 4 + 1}
    times = np.where(n % 20 < 4, 0, 1_700_000_000)
    ratings = Ratings.from_frame(pl.DataFrame(frame | {"timestamp": times}))
    drawn = [splits.split_by_name(ratings, name, seed=seed) for seed in range(3)]
    assert rows(drawn[0].test) == rows(splits.split_by_name(ratings, name, seed=0).test)
    assert rows(drawn[0].test) != rows(drawn[1].test)
    assert any(part.test.rating.min() < 5 for part in drawn)  # the last of the file is 5
    assert (drawn[0].test.timestamp > 0).all()
    users = "" if name == "time" else ", for 3 of 3 users (100 %)"
    parted = f"split by time: 48 of 60 ratings (80.0 %) have a time of both parts{users}"
    note = f"{parted}; drawn by seed"
    assert drawn[0].notes == (note,)
    assert drawn[0].train.source.notes[-1] == note
    ties = drawn[0].test.source.ties
    assert (ties.n_rows, ties.n, ties.n_users) == (48, 60, None if name == "time" else 3)


def test_a_split_of_a_part_says_what_itself_drew_and_keeps_notes_that_begin_alike():
    """A note of the reader that begins as the split's own would was taken for it."""
    n = np.arange(60)
    times = np.where(n % 20 < 4, n, 1_700_000_000)
    frame = {"user_id": n // 20, "item_id": n % 20, "rating": 3, "timestamp": times}
    read = Source("r", ("split by time: is what the file says",))
    ratings = Ratings.from_frame(pl.DataFrame(frame), source=read)
    once = splits.leave_last_out(ratings)
    assert once.notes == once.test.source.notes[1:]
    again = splits.leave_last_out(once.train)
    assert again.notes != once.notes
    assert again.test.source.notes == (*read.notes, *again.notes)
    drawn = splits.train_test_split(once.train)
    assert drawn.notes == ()
    assert drawn.test.source.notes == once.test.source.notes


@pytest.mark.parametrize("name", ["time", "forecast", "last"])
def test_equal_times_are_no_order(name):
    frame = table().with_columns(timestamp=pl.lit(1_700_000_000))
    with pytest.raises(ArgumentError, match=r"expected times that differ; .* use the split '(r|p)"):
        splits.split_by_name(Ratings.from_frame(frame), name)
    if name != "time":  # the times of users differ, and those of each user do not
        frame = frame.with_columns(timestamp=pl.col("user_id") * 10**6)
        with pytest.raises(ArgumentError, match="received for each user one time alone"):
            splits.split_by_name(Ratings.from_frame(frame), name)


def test_times_that_differ_need_no_note():
    frame = table().with_columns(timestamp=pl.int_range(60))
    for name in ("time", "forecast", "last"):
        assert splits.split_by_name(Ratings.from_frame(frame), name).notes == ()


def test_leave_last_out_takes_one_rating_of_each_user_with_two():
    frame = pl.DataFrame(
        {
            "user_id": [1, 1, 2, 3, 3],
            "item_id": [1, 2, 1, 1, 2],
            "rating": [5] * 5,
            "timestamp": [7, 3, 1, 4, 5],
        }
    )
    assert rows(splits.leave_last_out(Ratings.from_frame(frame)).test) == {(0, 0), (2, 1)}


@pytest.mark.parametrize("timed", [True, False])
def test_positions_order_what_times_do_not(timed):
    """By equal times or none the order would be drawn; with positions nothing is drawn or noted."""
    frame = pl.DataFrame({"user_id": [1] * 4, "item_id": [5, 6, 7, 8], "position": [2, 3, 1, 0]})
    if timed:
        frame = frame.with_columns(timestamp=pl.Series([9, 9, 9, 10]))
    last = splits.leave_last_out(Interactions.from_frame(frame))
    assert last.test.to_frame()["item_id"].to_list() == [8 if timed else 6]
    half = splits.forecast_split(Interactions.from_frame(frame), test_size=0.5)
    assert half.test.to_frame()["item_id"].to_list() == ([6, 8] if timed else [5, 6])
    assert half.notes == ()


@pytest.mark.parametrize("name", ["random", "per-user", "time", "forecast", "last"])
def test_interactions_are_split_as_ratings_are(name):
    frame = table(40, seed=1)
    ratings = splits.split_by_name(Ratings.from_frame(frame), name)
    views = splits.split_by_name(Interactions.from_frame(frame.drop("rating")), name)
    for part, other in zip(views, ratings, strict=True):
        assert part.to_frame().drop("weight").equals(other.to_frame().drop("rating"))


@pytest.mark.parametrize("test_size", [0, 1, -0.1, 1.5, float("nan")])
@pytest.mark.parametrize("name", ["random", "per-user", "time", "forecast"])
def test_a_share_outside_0_and_1_is_refused(name, test_size):
    with pytest.raises(ArgumentError, match=r"test_size; expected a share between 0 and 1; rec"):
        splits.split_by_name(Ratings.from_frame(table()), name, test_size=test_size)


@pytest.mark.parametrize("name", ["time", "forecast", "last"])
def test_a_split_by_time_needs_times(name):
    with pytest.raises(ArgumentError, match=r"with timestamps; received ratings without; name"):
        splits.split_by_name(Ratings.from_frame(table().drop("timestamp")), name)


def test_what_cannot_be_split_says_why():
    ratings = Ratings.from_frame(table())
    with pytest.raises(ArgumentError, match=r"100,000 ratings of MovieLens.*received 60 ratings"):
        splits.split_by_name(ratings, "u1")
    with pytest.raises(ArgumentError, match="k; expected a fold from 1 to 5; received 6"):
        splits.published_fold(ratings, 6)
    with pytest.raises(ArgumentError, match=r"random, per-user, .* received 'randon'"):
        splits.split_by_name(ratings, "randon")
    with pytest.raises(ArgumentError, match="received 0 to train and 1 to test, of 1; choose"):
        splits.train_test_split(ratings.take(np.array([0])))


@pytest.mark.parametrize("name", ["random", "per-user", "time", "forecast", "last"])
def test_what_was_seen_is_known_in_training_and_is_no_test_pair(
    ratings: Ratings, name: str
) -> None:
    first, rest = ratings.take(np.arange(2000)), ratings.take(np.arange(2000, 3000))
    table = first.with_seen(rest.likes(-np.inf))
    train, test = splits.split_by_name(table, name)
    assert train.seen is table.seen is test.seen
    pairs = {*zip(test.user_index.tolist(), test.item_index.tolist(), strict=True)}
    seen = {*zip(train.seen.user_index.tolist(), train.seen.item_index.tolist(), strict=True)}
    assert len(seen) == 1000
    assert not pairs & seen
