"""Tables on disk: what memory would hold, chunk by chunk."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import tastemap as tm
from tastemap.data import chunks, statistics
from tastemap.data.memmap import Metadata, read_prepared, write_prepared
from tastemap.data.ratings import Ratings
from tastemap.data.readers.prepare import prepare_ratings
from tastemap.data.splits import split_prepared, time_split
from tastemap.errors import ArgumentError, DataError
from tastemap.models.registry import load_model


@pytest.fixture
def parquet(ratings: Ratings, tmp_path: Path) -> Path:
    path = tmp_path / "ratings.parquet"
    ratings.to_frame().sample(fraction=1.0, shuffle=True, seed=1).write_parquet(path)
    return path


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 300 of the 3,000 ratings."""
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 300)
    monkeypatch.setattr("tastemap.data.memmap.CHUNK_ROWS", 300)
    monkeypatch.setattr("tastemap.data.readers.prepare.CHUNK_ROWS", 300)


@pytest.fixture
def table(parquet: Path, tmp_path: Path, small_chunks: None) -> Ratings:
    return prepare_ratings(parquet, tmp_path / "table")


def test_a_table_on_disk_is_that_in_memory(table: Ratings, parquet: Path, tmp_path: Path) -> None:
    whole = tm.read_ratings(parquet)
    assert table.is_mapped
    assert not whole.is_mapped
    for found in (table, tm.read_ratings(tmp_path / "table")):
        assert found.fingerprint() == whole.fingerprint()
        assert found.scale == whole.scale
        for name in ("by_user", "by_item"):
            ours, groups = getattr(whole, name), vars(found)[name]
            assert np.array_equal(groups.indptr, ours.indptr)
            assert np.array_equal(groups.indices, ours.indices)
    assert not table.rating.flags.writeable


def test_statistics_are_the_same(table: Ratings, parquet: Path) -> None:
    whole = tm.read_ratings(parquet)
    for tell in (
        statistics.describe,
        statistics.rating_counts,
        statistics.average_ratings,
        statistics.ratings_per_user,
    ):
        frames = (tell(table), tell(whole))
        assert_frame_equal(*frames)


def test_a_continuous_scale_is_counted(tmp_path: Path, small_chunks: None) -> None:
    values = np.random.default_rng(0).normal(size=1000).round(3).astype(np.float32)
    frame = pl.DataFrame({"user": range(1000), "item": [1] * 1000, "rating": values})
    frame.write_parquet(tmp_path / "r.parquet")
    table = prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")
    assert table.scale.step is None
    row = statistics.describe(table).row(0, named=True)
    exact = pl.Series(values).cast(pl.Float64)
    assert row["mean"] == pytest.approx(exact.mean())
    assert row["std"] == pytest.approx(exact.std())
    for name, q in (("q25", 0.25), ("median", 0.5), ("q75", 0.75)):
        assert row[name] == pytest.approx(exact.quantile(q, "linear"))
    assert statistics.rating_counts(table)["count"].sum() == 1000


def test_text_ids_and_missing_times(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"user": ["b", "a", "a"], "item": ["007", "7", "007"], "rating": [1, 2, 3]}
    ).with_columns(timestamp=pl.Series([5, None, 7]))
    frame.write_parquet(tmp_path / "r.parquet")
    table = prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")
    assert table.users.ids.to_list() == ["a", "b"]
    assert table.items.ids.to_list() == ["007", "7"]
    assert table.timestamp is None
    assert any("times are left out" in note for note in table.source.notes)


def test_times_have_one_unit_throughout(tmp_path: Path, small_chunks: None) -> None:
    times = np.concatenate([np.arange(1, 301) * 10**7, np.arange(300) + 1_600_000_000_000])
    frame = pl.DataFrame({"user": range(600), "item": [1] * 600, "rating": [3, 4] * 300})
    for column in (times, times.astype(float), times.astype(str)):
        frame.with_columns(timestamp=pl.Series(column)).write_parquet(tmp_path / "r.parquet")
        table = prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")
        assert np.array_equal(table.timestamp, times // 1000)
        assert "times read as milliseconds since 1970" in table.source.notes


def test_times_that_are_no_numbers_are_missing(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user": [1, 2, 3], "item": [1] * 3, "rating": [3, 4, 5]})
    frame.with_columns(timestamp=pl.Series([1.0, float("nan"), 3.0])).write_parquet(
        tmp_path / "r.parquet"
    )
    assert prepare_ratings(tmp_path / "r.parquet", tmp_path / "table").timestamp is None


def test_ids_are_taken_as_in_memory(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user": ["a", "a ", "b"], "item": ["1", "2", "1"], "rating": [3, 4, 5]})
    frame.write_parquet(tmp_path / "r.parquet")
    table = prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")
    assert table.fingerprint() == tm.read_ratings(tmp_path / "r.parquet").fingerprint()
    frame.with_columns(user=pl.Series(["a", "", "b"])).write_parquet(tmp_path / "r.parquet")
    with pytest.raises(DataError, match="row 2, column user; expected a user"):
        prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")


def test_a_replacement_that_fails_puts_the_table_back(
    parquet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = prepare_ratings(parquet, tmp_path / "table").fingerprint()
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if ".new-" in self.name:
            raise OSError("no")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", failing)
        with pytest.raises(OSError, match="no"):
            prepare_ratings(parquet, tmp_path / "table")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["ratings.parquet", "table"]
    # As a kill between the two renames leaves it.
    (tmp_path / "table").rename(tmp_path / ".table.old")
    assert tm.read_ratings(tmp_path / "table").fingerprint() == before


@pytest.mark.parametrize(
    ("name", "change"),
    [("by_user_rows", lambda a: a + 10**9), ("by_item_offsets", lambda a: a[::-1].copy())],
)
def test_groups_that_lead_outside_are_refused(
    table: Ratings, tmp_path: Path, name: str, change: object
) -> None:
    file = tmp_path / "table" / f"{name}.npy"
    np.save(file, change(np.load(file)))
    with pytest.raises(DataError, match="leads outside the table; prepare it again"):
        read_prepared(tmp_path / "table")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("rating", float("nan"), "row 901 on, row 2, column rating; expected a finite number"),
        ("userId", None, "row 901 on, row 2, column userId; expected a user"),
    ],
)
def test_a_bad_row_is_named(
    ratings: Ratings, tmp_path: Path, small_chunks: None, column: str, value: object, message: str
) -> None:
    frame = ratings.to_frame().rename({"user_id": "userId"})
    values = frame[column].to_list()
    values[901] = value
    path = tmp_path / "bad.parquet"
    frame.with_columns(pl.Series(column, values)).write_parquet(path, row_group_size=300)
    with pytest.raises(DataError, match=message):
        prepare_ratings(path, tmp_path / "table")
    assert [file.name for file in tmp_path.iterdir()] == ["bad.parquet"]


def test_a_pair_rated_twice_is_refused(ratings: Ratings, tmp_path: Path) -> None:
    frame = ratings.to_frame()
    twice = pl.concat([frame, frame[1234]])
    twice.write_parquet(tmp_path / "twice.parquet")
    user, item = frame.row(1234)[:2]
    with pytest.raises(DataError, match=f"received user {user}, item {item} more than once"):
        prepare_ratings(tmp_path / "twice.parquet", tmp_path / "table")


def test_what_is_no_parquet_and_what_is_no_table(tmp_path: Path, table: Ratings) -> None:
    (tmp_path / "r.csv").write_text("user,item,rating\n1,2,3\n")
    for name in ("r.csv", "nothing.parquet"):
        with pytest.raises(DataError, match="expected a complete Parquet file"):
            prepare_ratings(tmp_path / name, tmp_path / "other")
    with pytest.raises(DataError, match="something else that is already there"):
        write_prepared(tmp_path, [], 0, Metadata.of(table), timed=False)
    (tmp_path / "table" / "rating.npy").unlink()
    with pytest.raises(DataError, match="prepared table .* prepare it again"):
        read_prepared(tmp_path / "table")


@pytest.mark.parametrize("share", [0.1, 0.37, 0.9])
def test_a_split_by_time_is_that_of_memory(table: Ratings, tmp_path: Path, share: float) -> None:
    parts = split_prepared(table, tmp_path / "parts", "time", test_size=share)
    expected = time_split(table, share)
    for part, whole in zip(parts, expected, strict=True):
        assert part.is_mapped
        assert part.to_frame().equals(whole.to_frame())
    assert parts.train.timestamp.max() < parts.test.timestamp.min()


def test_equal_times_stay_together(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user": range(10), "item": [1] * 10, "rating": [3, 4] * 5})
    for times, n_test in (([7] * 5 + [8] * 5, 5), ([7] * 9 + [2**40], 1)):
        frame.with_columns(timestamp=pl.Series(times)).write_parquet(tmp_path / "r.parquet")
        table = prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")
        assert len(split_prepared(table, tmp_path / "parts", "time", test_size=0.1).test) == n_test
    frame.with_columns(timestamp=pl.lit(7)).write_parquet(tmp_path / "r.parquet")
    table = prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")
    with pytest.raises(ArgumentError, match="0 to train and 10 to test"):
        split_prepared(table, tmp_path / "parts", "time", test_size=0.1)


def test_a_split_by_hash(table: Ratings, ratings: Ratings, tmp_path: Path) -> None:
    parts = split_prepared(table, tmp_path / "parts", test_size=0.2, seed=3)
    assert 0.17 < len(parts.test) / len(table) < 0.23
    pairs = [set(part.to_frame().select("user_id", "item_id").rows()) for part in parts]
    assert not pairs[0] & pairs[1]
    assert len(pairs[0] | pairs[1]) == len(table)
    # A pair falls where it falls, in whatever order the table is; another seed draws others.
    again = split_prepared(ratings, tmp_path / "again", test_size=0.2, seed=3)
    assert set(again.test.to_frame().select("user_id", "item_id").rows()) == pairs[1]
    # And whatever else is in it: here a user and an item come first.
    frame = ratings.to_frame()
    more = pl.concat([frame[:1].with_columns(pl.col("user_id", "item_id") * 0), frame])
    grown = split_prepared(Ratings.from_frame(more), tmp_path / "grown", test_size=0.2, seed=3)
    found = set(grown.test.to_frame().select("user_id", "item_id").rows())
    assert found - {(0, 0)} == pairs[1]
    other = split_prepared(table, tmp_path / "other", test_size=0.2, seed=-4)
    assert set(other.test.to_frame().select("user_id", "item_id").rows()) != pairs[1]
    with pytest.raises(ArgumentError, match="by; expected one of hash, time"):
        split_prepared(table, tmp_path / "parts", "random")


def test_training_streams(table: Ratings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tastemap.models.matrix_factorization.STREAMED_ROWS", 500)
    train, test = split_prepared(table, tmp_path / "parts", test_size=0.2)
    in_memory = train.take(np.arange(len(train)))
    assert not in_memory.is_mapped
    errors = []
    for part in (train, in_memory):
        model = tm.MatrixFactorization(n_factors=8).fit(part, seed=1, progress=False)
        errors.append(tm.rmse(test.rating, model.predict_ratings(test)))
    bias = tm.BiasModel().fit(train)
    assert errors[0] == pytest.approx(errors[1], rel=0.03)
    assert errors[0] < 0.95 * tm.rmse(test.rating, bias.predict_ratings(test))
    assert np.allclose(bias.item_bias, tm.BiasModel().fit(in_memory).item_bias, atol=1e-6)
    again = tm.MatrixFactorization(n_factors=8).fit(train, seed=1, progress=False)
    streamed = tm.MatrixFactorization(n_factors=8).fit(train, seed=1, progress=False)
    assert np.array_equal(again.factors.item_weights, streamed.factors.item_weights)


def test_a_model_of_a_table_on_disk_is_saved(table: Ratings, tmp_path: Path) -> None:
    model = tm.MatrixFactorization(n_factors=4, n_epochs=2).fit(table, progress=False)
    model.save(tmp_path / "model")
    assert not (tmp_path / "model" / "ratings.parquet").exists()
    for mapped in (True, False):
        loaded = load_model(tmp_path / "model", mapped=mapped)
        assert loaded.recommend(3, k=5).equals(model.recommend(3, k=5))
        assert loaded.ratings_.fingerprint() == table.fingerprint()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits on the size of files are Linux'")
def test_a_full_disk_leaves_what_was_there(parquet: Path, tmp_path: Path) -> None:
    before = prepare_ratings(parquet, tmp_path / "table").fingerprint()
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "import tastemap as tm;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY));"
        f"tm.prepare_ratings({str(parquet)!r}, {str(tmp_path / 'table')!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "OSError" in done.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["ratings.parquet", "table"]
    assert read_prepared(tmp_path / "table").fingerprint() == before
