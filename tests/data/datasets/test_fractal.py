"""The fractal expansion: exact numbers, the same seed, the shape and the taste of the original."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.data.datasets.apportionment import allot, resample
from tastemap.data.datasets.fractal import SIZES, FractalExpansion, Size, size_like
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.datasets.writer import write_release
from tastemap.data.ratings import Ratings
from tastemap.data.readers.read import read_ratings
from tastemap.data.scale import Scale
from tastemap.data.splits import train_test_split
from tastemap.errors import ArgumentError, DataError
from tastemap.metrics.rating import rmse
from tastemap.models.registry import make_model

BASE = synthetic_ratings()


def expanded(size: Size, base: Ratings = BASE, seed: int = 0) -> pl.DataFrame:
    return pl.concat(FractalExpansion(base, size, seed).blocks())


def read(frame: pl.DataFrame) -> Ratings:
    return read_ratings(frame, user="userId", item="movieId")


@pytest.mark.parametrize(
    "size",
    [
        Size(120, 80, 3000),  # the original's own
        Size(121, 81, 2000),
        Size(240, 160, 9_000),
        Size(1003, 333, 1500),  # hardly more than one for each
        Size(1003, 333, 90_000),
    ],
)
def test_users_items_and_ratings_are_exactly_as_many_as_asked(size: Size) -> None:
    frame = expanded(size)
    assert frame.columns == list(FractalExpansion.schema)
    ratings = read(frame)
    assert (ratings.n_users, ratings.n_items, len(ratings)) == (
        size.n_users,
        size.n_items,
        size.n_ratings,
    )
    assert frame.select("userId", "movieId").is_duplicated().sum() == 0
    assert frame["userId"].unique().sort().to_list() == list(range(1, size.n_users + 1))
    assert frame["movieId"].unique().sort().to_list() == list(range(1, size.n_items + 1))
    assert frame.select("userId", "movieId").equals(
        frame.select("userId", "movieId").sort("userId", "movieId")
    )


def test_the_presets_are_the_sizes_that_the_releases_have() -> None:
    assert SIZES["ml-25m"] == Size(162_541, 59_047, 25_000_095)
    assert SIZES["ml-32m"] == Size(200_948, 87_585, 32_000_204)


def test_same_seed_same_ratings_and_another_seed_others() -> None:
    size = Size(500, 200, 10_000)
    assert expanded(size).equals(expanded(size))
    assert not expanded(size).equals(expanded(size, seed=1))


def test_ratings_are_on_half_stars_of_five_or_on_the_originals_scale() -> None:
    levels = expanded(Size(500, 200, 10_000))["rating"].unique().sort().to_list()
    assert levels == [0.5 * n for n in range(1, 11)]
    wide = BASE.to_frame().with_columns(pl.col("rating") * 2 + 1)
    assert read(expanded(Size(500, 200, 10_000), Ratings.from_frame(wide))).scale == Scale(3, 11, 2)


def test_the_copies_of_an_item_are_named_and_keep_its_genres() -> None:
    items = FractalExpansion(BASE, Size(240, 165, 9_000)).items()
    assert items["movieId"].to_list() == list(range(1, 166))
    assert items["title"].n_unique() == 165
    assert items["title"].str.contains(r"^(Drama|Comedy) \d+, no\. [123] \(\d{4}\)$").all()
    assert set(items["genres"]) == {"Drama", "Comedy"}
    bare = Ratings.from_frame(BASE.to_frame())
    plain = FractalExpansion(bare, Size(240, 165, 9_000)).items()
    assert plain["title"].str.contains(r"^\d+, no\. [123]$").all()
    assert set(plain["genres"]) == {"(no genres listed)"}


def test_taste_can_be_learnt_from_the_expansion() -> None:
    """On a held-out part factors beat biases, as they do on the original."""
    train, test = train_test_split(read(expanded(Size(1200, 400, 40_000))), 0.1)
    errors = {}
    for name in ("bias", "mf"):
        model = make_model(name).fit(train, progress=False)
        errors[name] = rmse(test.rating, model.predict_ratings(test))
    assert errors["mf"] < 0.95 * errors["bias"]


def test_popular_items_stay_popular_and_shares_are_as_uneven() -> None:
    counts = np.sort(read(expanded(Size(1200, 400, 40_000))).by_item.counts)
    original = np.sort(BASE.by_item.counts)
    top = [table[-len(table) // 5 :].sum() / table.sum() for table in (counts, original)]
    assert min(top) > 0.3
    assert top[0] == pytest.approx(top[1], abs=0.15)
    assert np.corrcoef(np.log(counts[::5]), np.log(original))[0, 1] > 0.95


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (Size(119, 80, 3000), "n_users; expected at least 120"),
        (Size(120, 79, 3000), "n_items; expected at least 80"),
        (Size(240, 160, 200), "n_ratings; expected 39. to 12,000 for"),
        (Size(240, 160, 12_001), "n_ratings; expected .* to 12,000 for 240 users and 160 items"),
    ],
)
def test_a_size_that_cannot_be_is_refused(size: Size, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        FractalExpansion(BASE, size)


def test_users_and_items_without_ratings_are_left_out_of_the_original() -> None:
    part = BASE.take(np.flatnonzero(BASE.user_index < 50))
    assert FractalExpansion(part, Size(60, 90, 1200)).base.n_users == 50
    with pytest.raises(ArgumentError, match="n_users; expected at least 50"):
        FractalExpansion(part, Size(49, 90, 1200))


def test_a_size_in_proportion() -> None:
    assert size_like(BASE, 12_000) == Size(480, 160, 12_000)
    assert size_like(BASE, 12_000, n_users=500, n_items=90) == Size(500, 90, 12_000)


@given(st.data())
def test_allotted_numbers_keep_bounds_and_sum(data: st.DataObject) -> None:
    most = np.array(data.draw(st.lists(st.integers(0, 30), min_size=1, max_size=8)))
    least = np.array([data.draw(st.integers(0, n)) for n in most])
    total = data.draw(st.integers(int(least.sum()), int(most.sum())))
    weights = np.array([data.draw(st.floats(1e-6, 1e6)) for _ in most])
    counts = allot(total, weights, least, most)
    assert counts.sum() == total
    assert (least <= counts).all()
    assert (counts <= most).all()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_a_resampled_table_has_the_same_mean(rows: int, columns: int, m: int, n: int) -> None:
    table = np.random.default_rng(0).normal(size=(rows, columns))
    small = resample(table, (m, n))
    assert small.shape == (m, n)
    assert small.mean() == pytest.approx(table.mean())


# ---- the files ----


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_written_set_is_read_back_and_replaced(form: str, tmp_path: Path) -> None:
    folder, told = tmp_path / "big", []
    for seed in (0, 1):
        big = FractalExpansion(BASE, Size(500, 200, 10_000), seed)
        write_release(
            big.blocks(), big.schema, big.items(), folder, form=form, progress=told.append
        )
    assert sum(told) == 20_000
    assert {path.name for path in folder.iterdir()} == {f"ratings.{form}", "movies.csv"}
    ratings = read_ratings(folder)
    assert (len(ratings), ratings.n_users, ratings.n_items) == (10_000, 500, 200)
    assert ratings.timestamp is not None
    assert "no. " in ratings.items.titles[0]
    assert f"(ratings.{form})" in ratings.source.notes[0]
    same = expanded(Size(500, 200, 10_000), seed=1)
    assert ratings.to_frame().rows() == same.rows()
    assert [path.name for path in tmp_path.iterdir()] == ["big"]


def test_other_folders_and_forms_are_refused(tmp_path: Path) -> None:
    big = FractalExpansion(BASE, Size(120, 80, 3000))
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ArgumentError, match="expected a new folder, or an expanded set to repl"):
        write_release(big.blocks(), big.schema, big.items(), tmp_path)
    with pytest.raises(ArgumentError, match="form; expected one of csv, parquet; received 'tsv'"):
        write_release(big.blocks(), big.schema, big.items(), tmp_path / "x", form="tsv")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


FULL_DISK = """
import resource, sys
from tastemap.data.datasets.fractal import FractalExpansion, Size
from tastemap.data.datasets.writer import write_release
from tastemap.data.datasets.synthetic import synthetic_ratings
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
big = FractalExpansion(synthetic_ratings(), Size(1000, 500, 90_000))
write_release(big.blocks(), big.schema, big.items(), sys.argv[1], form=sys.argv[2])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are those of Unix")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_disk_that_fills_leaves_the_old_set_whole(form: str, tmp_path: Path) -> None:
    folder = tmp_path / "big"
    small = FractalExpansion(BASE, Size(120, 80, 3000))
    write_release(small.blocks(), small.schema, small.items(), folder, form=form)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, folder, form], capture_output=True, text=True, check=False
    )
    assert "DataError: folder" in done.stderr
    assert "File too large" in done.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["big"]


def test_an_error_while_making_the_blocks_leaves_nothing(tmp_path: Path) -> None:
    def broken():
        yield from list(big.blocks())[:1]
        raise OSError(28, "No space left on device")

    big = FractalExpansion(BASE, Size(240, 160, 9_000))
    with pytest.raises(DataError, match="No space left on device"):
        write_release(broken(), big.schema, big.items(), tmp_path / "big")
    assert not list(tmp_path.iterdir())
