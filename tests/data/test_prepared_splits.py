"""Splits that are written as prepared tables."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemap.data import splits
from tastemap.data.interactions import Interactions
from tastemap.data.memmap import read_prepared
from tastemap.data.prepared_splits import split_prepared
from tastemap.data.ratings import Ratings
from tastemap.data.readers.prepare import prepare_ratings
from tastemap.errors import ArgumentError, DataError


@pytest.mark.parametrize("share", [0.1, 0.37, 0.9])
def test_a_split_by_time_is_that_of_memory(prepared: Ratings, tmp_path: Path, share: float) -> None:
    parts = split_prepared(prepared, tmp_path / "parts", "time", test_size=share)
    expected = splits.time_split(prepared, share)
    for part, whole in zip(parts, expected, strict=True):
        assert part.is_mapped
        assert part.to_frame().equals(whole.to_frame())
    assert parts.train.timestamp.max() < parts.test.timestamp.min()


def test_equal_times_stay_together(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user": range(10), "item": [1] * 10, "rating": [3, 4] * 5})
    for times, n_test in (([7] * 5 + [8] * 5, 5), ([7] * 9 + [2**40], 1)):
        frame.with_columns(timestamp=pl.Series(times)).write_parquet(tmp_path / "r.parquet")
        prepared = prepare_ratings(tmp_path / "r.parquet", tmp_path / "prepared")
        assert (
            len(split_prepared(prepared, tmp_path / "parts", "time", test_size=0.1).test) == n_test
        )
    frame.with_columns(timestamp=pl.lit(7)).write_parquet(tmp_path / "r.parquet")
    prepared = prepare_ratings(tmp_path / "r.parquet", tmp_path / "prepared")
    with pytest.raises(ArgumentError, match="0 to train and 10 to test"):
        split_prepared(prepared, tmp_path / "parts", "time", test_size=0.1)


def test_a_split_by_hash(prepared: Ratings, ratings: Ratings, tmp_path: Path) -> None:
    parts = split_prepared(prepared, tmp_path / "parts", test_size=0.2, seed=3)
    assert 0.17 < len(parts.test) / len(prepared) < 0.23
    pairs = [set(part.to_frame().select("user_id", "item_id").rows()) for part in parts]
    assert not pairs[0] & pairs[1]
    assert len(pairs[0] | pairs[1]) == len(prepared)
    # A pair falls where it falls, in whatever order the table is; another seed draws others.
    again = split_prepared(ratings, tmp_path / "again", test_size=0.2, seed=3)
    assert set(again.test.to_frame().select("user_id", "item_id").rows()) == pairs[1]
    # And whatever else is in it: here a user and an item come first.
    frame = ratings.to_frame()
    more = pl.concat([frame[:1].with_columns(pl.col("user_id", "item_id") * 0), frame])
    grown = split_prepared(Ratings.from_frame(more), tmp_path / "grown", test_size=0.2, seed=3)
    found = set(grown.test.to_frame().select("user_id", "item_id").rows())
    assert found - {(0, 0)} == pairs[1]
    other = split_prepared(prepared, tmp_path / "other", test_size=0.2, seed=-4)
    assert set(other.test.to_frame().select("user_id", "item_id").rows()) != pairs[1]
    with pytest.raises(ArgumentError, match="by; expected one of hash, time"):
        split_prepared(prepared, tmp_path / "parts", "random")


def test_both_parts_know_what_was_seen(ratings: Ratings, tmp_path: Path) -> None:
    half, rest = splits.train_test_split(ratings, 0.5)
    seen = half.with_seen(rest.likes(1))
    parts = split_prepared(seen, tmp_path / "parts", test_size=0.2)
    for part, name in zip(parts, ("train", "test"), strict=True):
        assert part.seen.to_frame().equals(seen.seen.to_frame())
        assert read_prepared(tmp_path / "parts" / name).fingerprint() == part.fingerprint()
    file = tmp_path / "parts" / "train" / "seen.parquet"
    pl.read_parquet(file).with_columns(item_index=pl.lit(80)).write_parquet(file)
    with pytest.raises(DataError, match="what was seen: a row outside of 80"):
        read_prepared(tmp_path / "parts" / "train")


def test_interactions_are_parted_with_their_repeats_and_positions(
    tmp_path: Path, small_chunks: None
) -> None:
    columns = {"user_id": [i % 40 for i in range(900)], "item_id": [i // 60 for i in range(900)]}
    frame = pl.DataFrame(columns | {"weight": 1.5, "position": range(900)})
    table = Interactions.from_frame(frame.with_columns(pl.col("position").cast(pl.Int32)))
    parts = split_prepared(table, tmp_path / "parts", test_size=0.3)
    frames = [part.to_frame() for part in parts]
    assert pl.concat(frames).sort("position").equals(table.to_frame())
    pairs = [set(frame.select("user_id", "item_id").rows()) for frame in frames]
    assert not pairs[0] & pairs[1]
    with pytest.raises(ArgumentError, match="by; expected interactions with timestamps.*'hash'"):
        split_prepared(table, tmp_path / "by time", "time")
    for part, name in zip(parts, ("train", "test"), strict=True):
        assert part.is_mapped
        again = read_prepared(tmp_path / "parts" / name)
        assert again.fingerprint() == part.fingerprint()


def test_positions_of_ratings_stay(ratings: Ratings, tmp_path: Path) -> None:
    placed = ratings.replaced(position=np.arange(len(ratings), dtype=np.int32))
    parts = split_prepared(placed, tmp_path / "parts")
    together = np.concatenate([part.position for part in parts])
    assert np.array_equal(np.sort(together), placed.position)
