"""Tables on disk: what memory would hold, chunk by chunk."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import tastemap as tm
from tastemap.data import statistics
from tastemap.data.memmap import Metadata, read_prepared, write_prepared
from tastemap.data.prepared_splits import split_prepared
from tastemap.data.ratings import Ratings
from tastemap.data.readers.prepare import prepare_ratings
from tastemap.errors import DataError
from tastemap.models.registry import load_model


def test_a_table_on_disk_is_that_in_memory(
    prepared: Ratings, parquet: Path, tmp_path: Path
) -> None:
    whole = tm.read_ratings(parquet)
    assert prepared.is_mapped
    assert not whole.is_mapped
    for found in (prepared, tm.read_ratings(tmp_path / "table")):
        assert found.fingerprint() == whole.fingerprint()
        assert found.scale == whole.scale
        for name in ("by_user", "by_item"):
            ours, groups = getattr(whole, name), vars(found)[name]
            assert np.array_equal(groups.indptr, ours.indptr)
            assert np.array_equal(groups.indices, ours.indices)
    assert not prepared.rating.flags.writeable


def test_statistics_are_the_same(prepared: Ratings, parquet: Path) -> None:
    whole = tm.read_ratings(parquet)
    for tell in (
        statistics.describe,
        statistics.rating_counts,
        statistics.average_ratings,
        statistics.ratings_per_user,
    ):
        frames = (tell(prepared), tell(whole))
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
    prepared: Ratings, tmp_path: Path, name: str, change: object
) -> None:
    file = tmp_path / "table" / f"{name}.npy"
    np.save(file, change(np.load(file)))
    with pytest.raises(DataError, match="leads outside the table; prepare it again"):
        read_prepared(tmp_path / "table")


def test_a_pair_rated_twice_is_refused(ratings: Ratings, tmp_path: Path) -> None:
    frame = ratings.to_frame()
    twice = pl.concat([frame, frame[1234]])
    twice.write_parquet(tmp_path / "twice.parquet")
    user, item = frame.row(1234)[:2]
    with pytest.raises(DataError, match=f"received user {user}, item {item} more than once"):
        prepare_ratings(tmp_path / "twice.parquet", tmp_path / "table")


def test_folders_that_are_no_prepared_table(tmp_path: Path, prepared: Ratings) -> None:
    metadata = Metadata(prepared.users, prepared.items, prepared.scale, prepared.source)
    with pytest.raises(DataError, match="something else that is already there"):
        write_prepared(tmp_path, [], 0, metadata, [])
    (tmp_path / "table" / "rating.npy").unlink()
    with pytest.raises(DataError, match="prepared table .* prepare it again"):
        read_prepared(tmp_path / "table")


@pytest.mark.parametrize(
    "change",
    [
        *({"scale": {}}, {"scale": [1, 5]}, {"scale": {"lowest": 1, "highest": 5, "step": 0}}),
        *({"columns": 1}, {"columns": ["rating"]}, {"notes": [1]}, {"name": []}, {"format": 9}),
    ],
    ids=str,
)
def test_a_table_json_of_something_else_is_refused(
    prepared: Ratings, tmp_path: Path, change: dict[str, object]
) -> None:
    file = tmp_path / "table" / "table.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    refuse(tmp_path / "table")


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_table_json_that_is_none_is_refused(
    prepared: Ratings, tmp_path: Path, text: bytes
) -> None:
    (tmp_path / "table" / "table.json").write_bytes(text)
    refuse(tmp_path / "table")


def refuse(table: Path) -> None:
    with pytest.raises(DataError, match="prepare it again") as error:
        read_prepared(table)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["users.parquet", "rating.npy", "by_user_rows.npy"])
@pytest.mark.parametrize("place", [0, 0.1, 0.5, 0.99])
def test_a_damaged_file_is_refused_or_read(
    prepared: Ratings, tmp_path: Path, name: str, place: float
) -> None:
    file = tmp_path / "table" / name
    whole = file.read_bytes()
    n = int(place * len(whole))
    for damaged in (whole[:n], whole[:n] + b"\xff" * 8 + whole[n + 8 :]):
        file.unlink()  # the old one is mapped
        file.write_bytes(damaged)
        with contextlib.suppress(DataError):
            read_prepared(tmp_path / "table").by_user[0]


def test_training_streams(
    prepared: Ratings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemap.models.matrix_factorization.CHUNK_ROWS", 500)
    train, test = split_prepared(prepared, tmp_path / "parts", test_size=0.2)
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


def test_a_model_of_a_table_on_disk_is_saved(prepared: Ratings, tmp_path: Path) -> None:
    model = tm.MatrixFactorization(n_factors=4, n_epochs=2).fit(prepared, progress=False)
    model.save(tmp_path / "model")
    assert not (tmp_path / "model" / "ratings.parquet").exists()
    for mapped in (True, False):
        loaded = load_model(tmp_path / "model", mapped=mapped)
        assert loaded.recommend(3, k=5).equals(model.recommend(3, k=5))
        assert loaded.ratings_.fingerprint() == prepared.fingerprint()


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
