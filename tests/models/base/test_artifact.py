"""The artifact: what is written can be read, and nothing is lost when writing goes wrong."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from damage import vouch
from tastemap.data.ratings import Ratings
from tastemap.data.splits import train_test_split
from tastemap.errors import ArtifactError, NotFittedError
from tastemap.models.base import artifact as mapped
from tastemap.models.base.artifact import read_manifest
from tastemap.models.base.recommender import Recommender
from tastemap.models.bias import BiasModel
from tastemap.models.registry import load_model, make_model


@pytest.fixture
def saved(ratings: Ratings, tmp_path: Path) -> Path:
    return BiasModel(item_damping=3).fit(ratings, seed=7).save(tmp_path / "model")


def rewrite(path: Path, **changes: object) -> None:
    manifest = json.loads((path / "model.json").read_text())
    (path / "model.json").write_text(json.dumps(manifest | changes))


def test_everything_comes_back(saved: Path, ratings: Ratings) -> None:
    model = load_model(saved)
    assert type(model) is BiasModel
    assert (model.item_damping, model.user_damping, model.seed_) == (3, 5, 7)
    assert model.ratings_.fingerprint() == ratings.fingerprint()
    assert model.ratings_.scale == ratings.scale
    assert model.ratings_.item_table.equals(ratings.item_table)
    assert model.ratings_.source == ratings.source


def test_manifest_says_what_the_model_is(saved: Path, ratings: Ratings) -> None:
    manifest = read_manifest(saved)
    assert manifest["class"] == manifest["learnt_by"] == "BiasModel"
    assert manifest["fingerprint"] == ratings.fingerprint()
    assert {"tastemap", "numpy", "polars"} <= set(manifest["versions"])


def test_nothing_in_it_is_code(saved: Path) -> None:
    assert {part.suffix for part in saved.iterdir()} == {".json", ".safetensors", ".parquet"}


def test_saving_again_replaces(saved: Path, ratings: Ratings) -> None:
    BiasModel(item_damping=9).fit(ratings).save(saved)
    assert load_model(saved).item_damping == 9
    assert [entry.name for entry in saved.parent.iterdir()] == ["model"]


def test_what_is_not_an_artifact_is_left_alone(ratings: Ratings, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("words")
    (tmp_path / "file").write_text("words")
    for path in (tmp_path / "thesis", tmp_path / "file"):
        with pytest.raises(ArtifactError, match="already there; choose another path"):
            BiasModel().fit(ratings).save(path)
    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "words"


def test_not_fitted(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        BiasModel().save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_missing_artifact(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="a directory with model.json"):
        load_model(tmp_path / "nothing")


def test_newer_format(saved: Path) -> None:
    rewrite(saved, format=99)
    with pytest.raises(ArtifactError, match="received format 99; update tastemap"):
        load_model(saved)


@pytest.mark.parametrize(
    "change",
    [{"class": "os.system"}, {"scale": {"low": 1}}, {"arrays": {}}, {"format": "one"}],
    ids=["class", "scale", "arrays", "format"],
)
def test_manifest_that_does_not_fit(saved: Path, change: dict[str, object]) -> None:
    rewrite(saved, **change)
    with pytest.raises(ArtifactError):
        load_model(saved)


@pytest.mark.parametrize(
    "part", ["model.json", "arrays.safetensors", "items.parquet", "ratings.parquet"]
)
@pytest.mark.parametrize("damage", ["missing", "truncated", "empty"])
def test_damaged_parts(saved: Path, part: str, damage: str) -> None:
    whole = (saved / part).read_bytes()
    if damage == "missing":
        (saved / part).unlink()
    else:
        (saved / part).write_bytes(whole[: len(whole) // 2] if damage == "truncated" else b"")
    with pytest.raises(ArtifactError, match="expected"):
        load_model(saved)


def test_arrays_that_do_not_fit_the_manifest(saved: Path) -> None:
    arrays = load_file(saved / "arrays.safetensors")
    arrays["item_weights"] = arrays["item_weights"][:-5]
    save_file(arrays, saved / "arrays.safetensors")
    with pytest.raises(ArtifactError, match="that model.json says"):
        load_model(saved)
    rewrite(saved, parts={})
    with pytest.raises(ArtifactError, match="as model.json says"):
        load_model(saved)


def test_arrays_and_manifest_that_agree_and_do_not_fit_the_items(saved: Path) -> None:
    arrays = load_file(saved / "arrays.safetensors")
    arrays["item_weights"] = np.ascontiguousarray(arrays["item_weights"][:-5])
    save_file(arrays, saved / "arrays.safetensors")
    said = {n: {"shape": a.shape, "dtype": str(a.dtype)} for n, a in arrays.items()}
    rewrite(saved, arrays=said)
    vouch(saved)
    with pytest.raises(ArtifactError, match="damaged"):
        load_model(saved)


def test_full_disk_leaves_the_old_artifact(saved: Path) -> None:
    """A limit on the size of files stands for the disk: writing past it fails in the same way."""
    code = textwrap.dedent(f"""
        import resource, signal
        import tastemap as tm
        from tastemap.data.datasets.synthetic import synthetic_ratings
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        model = tm.BiasModel(item_damping=9).fit(synthetic_ratings())
        for limit in (100, 1500, 4096):  # in the arrays, the items, the ratings
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            try:
                model.save({str(saved)!r})
            except OSError as error:
                print(error.errno)
    """)
    failed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert failed.stdout.split() == [b"27"] * 3
    assert load_model(saved).item_damping == 3
    assert [entry.name for entry in saved.parent.iterdir()] == ["model"]


@pytest.mark.slow
def test_kill_in_the_middle_of_a_save_leaves_an_artifact(saved: Path) -> None:
    """Saves in a loop, killed at different moments: whatever is there loads and is whole."""
    code = textwrap.dedent(f"""
        import itertools
        import tastemap as tm
        from tastemap.data.datasets.synthetic import synthetic_ratings
        data = synthetic_ratings()
        models = [tm.BiasModel(item_damping=d).fit(data) for d in (11, 12)]
        print("ready", flush=True)
        for model in itertools.cycle(models):
            model.save({str(saved)!r})
    """)
    for delay in (0.003, 0.011, 0.017, 0.029, 0.041, 0.053):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        model = load_model(saved)
        assert model.item_damping in (3, 11, 12)
        assert np.isfinite(model.predict(1, 1)).all()


def test_kill_between_the_two_renames_is_mended(saved: Path) -> None:
    os.rename(saved, saved.with_name(".model.old"))  # noqa: PTH104 - the state that a kill leaves
    assert load_model(saved).item_damping == 3


def test_a_reader_between_the_two_renames_waits_for_the_save(saved: Path, ratings: Ratings) -> None:
    fresh = BiasModel(item_damping=4).fit(ratings).save(saved.with_name("fresh"))
    saved.rename(saved.with_name(".model.old"))
    second = threading.Timer(0.2, lambda: fresh.rename(saved))
    second.start()
    assert load_model(saved).item_damping == 4
    second.join()


@pytest.fixture
def mapped_model(ratings: Ratings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mapped, "MIN_MAPPED_RATINGS", 100)
    monkeypatch.setattr("tastemap.models.base.parts.MIN_MAPPED_BYTES", 1)
    return make_model("bias").fit(ratings).save(tmp_path / "model")


def base_of(array: np.ndarray) -> object:
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def test_a_mapped_table_is_the_one_that_was_mapped_model(
    mapped_model: Path, ratings: Ratings
) -> None:
    found = load_model(mapped_model, mapped=True).ratings_
    assert found.fingerprint() == ratings.fingerprint()
    for name in ("by_user", "by_item"):
        ours, groups = getattr(ratings, name), vars(found)[name]
        assert np.array_equal(groups.indptr, ours.indptr)
        assert np.array_equal(groups.indices, ours.indices)
        assert groups.counts.tolist() == ours.counts.tolist()
        assert base_of(groups.indices) is base_of(found.rating)
    assert not found.rating.flags.writeable


def test_answers_are_the_same(mapped_model: Path) -> None:
    one, other = load_model(mapped_model, mapped=True), load_model(mapped_model)
    assert "by_user" not in vars(other.ratings_)
    assert one.recommend(3, k=5).equals(other.recommend(3, k=5))
    assert one.ratings_.rated_items(3).equals(other.ratings_.rated_items(3))


def test_small_tables_have_no_such_file(ratings: Ratings, tmp_path: Path) -> None:
    path = make_model("bias").fit(ratings).save(tmp_path / "model")
    assert not (path / "ratings.safetensors").exists()
    model: Recommender = load_model(path, mapped=True)
    assert len(model.ratings_) == len(ratings)


def test_without_times(ratings: Ratings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "MIN_MAPPED_RATINGS", 100)
    plain = Ratings.from_frame(ratings.to_frame().drop("timestamp"))
    path = make_model("bias").fit(plain).save(tmp_path / "model")
    assert load_model(path, mapped=True).ratings_.timestamp is None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("rating", lambda a: a[:-1]),
        ("item_index", lambda a: a + 1000),
        ("user_index", lambda a: a.astype(np.int64)),
        ("by_user_rows", lambda a: a - 1),
        ("by_user_rows", lambda a: a[:-1]),
        ("by_item_offsets", lambda a: a[::-1].copy()),
        ("by_item_offsets", lambda a: a[:-1]),
    ],
)
def test_damage_is_named(mapped_model: Path, name: str, change: object) -> None:
    file = mapped_model / "ratings.safetensors"
    arrays = load_file(file)
    save_file(arrays | {name: change(arrays[name])}, file)
    vouch(mapped_model)
    with pytest.raises(ArtifactError, match="the artifact is damaged: fit and save the model"):
        load_model(mapped_model, mapped=True)
    assert load_model(mapped_model) is not None


def test_a_missing_group_and_a_cut_file_are_named(mapped_model: Path) -> None:
    file = mapped_model / "ratings.safetensors"
    arrays = load_file(file)
    del arrays["by_item_rows"]
    save_file(arrays, file)
    vouch(mapped_model)
    with pytest.raises(ArtifactError, match="by_item_rows"):
        load_model(mapped_model, mapped=True)
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ArtifactError, match="a readable ratings.safetensors"):
        load_model(mapped_model, mapped=True)


def test_a_table_that_only_lies_in_a_mapped_file_is_mapped(
    mapped_model: Path,
) -> None:
    """It may be larger than the memory, whether mapping was asked for or not."""
    (mapped_model / "ratings.parquet").unlink()
    vouch(mapped_model)
    assert load_model(mapped_model).ratings_.is_mapped


def test_what_was_seen_comes_back(ratings: Ratings, tmp_path: Path) -> None:
    half, rest = train_test_split(ratings, 0.5)
    table = half.with_seen(rest.likes(-np.inf))
    BiasModel().fit(table).save(tmp_path / "model")
    again = load_model(tmp_path / "model").fitted_data
    assert again.fingerprint() == table.fingerprint()
    assert again.seen.users is again.users
    BiasModel().fit(half).save(tmp_path / "model")
    assert not (tmp_path / "model" / "seen.parquet").exists()
    assert load_model(tmp_path / "model").fitted_data.seen is None


def test_what_was_seen_has_to_fit_the_tables(ratings: Ratings, tmp_path: Path) -> None:
    half, rest = train_test_split(ratings, 0.5)
    BiasModel().fit(half.with_seen(rest.likes(-np.inf))).save(tmp_path)
    file = tmp_path / "seen.parquet"
    pl.read_parquet(file).with_columns(item_index=pl.lit(999, pl.Int32)).write_parquet(file)
    vouch(tmp_path)
    with pytest.raises(ArtifactError, match="row 999"):
        load_model(tmp_path)
