"""The model of a folder: read, replaced, and forgotten."""

import gc
import logging
import os
import shutil
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
from small_models import save_small, small_ratings
from waiting import wait_until

from damage import DAMAGES, damaged
from tastemap.data.nouns import item_noun
from tastemap.errors import ArtifactError
from tastemap.models.base.artifact import read_manifest
from tastemap.models.registry import load_model
from tastemap.serve.model import reload
from tastemap.serve.model.reload import LiveModel, copies_folder, load


def test_what_another_process_was_told_to_forget_is_forgotten_soon(
    artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemap.serve.model.reload.SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr("tastemap.serve.model.reload.MAX_SECONDS_REMEMBERED", 0.0)
    live = LiveModel(artifact)
    live.current.fold_in(np.array([1], dtype=np.int32), np.array([5.0], dtype=np.float32))
    assert live.current._remembered.cache_info().currsize == 1
    live.watch()
    for _ in range(1000):
        if live.current._remembered.cache_info().currsize == 0:
            break
        time.sleep(0.01)
    live.stop()
    assert live.current._remembered.cache_info().currsize == 0


def test_a_damaged_artifact_leaves_the_old_one_in_use(artifact: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(artifact, model)
    live = LiveModel(model)
    before = live.current
    assert not live.reload()
    good = (model / "arrays.safetensors").read_bytes()
    (model / "arrays.safetensors").unlink()
    (model / "arrays.safetensors").write_bytes(good[:100])
    assert not live.reload(force=True)
    assert "damaged" in live.failure
    assert live.current is before
    (model / "arrays.safetensors").unlink()
    (model / "arrays.safetensors").write_bytes(good)
    assert live.reload(force=True)
    assert live.failure is None
    shutil.rmtree(model)
    assert not live.reload(force=True)
    assert live.current.version == before.version


def is_mapped(array: np.ndarray) -> bool:
    """Whether an array is a view of a file in memory."""
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    return isinstance(array, np.memmap)


def test_a_model_that_is_replaced_is_gone_at_once(artifact: Path, tmp_path: Path) -> None:
    """The collector does not look at what a server loads at its start."""
    shutil.copytree(artifact, tmp_path / "model")
    live = LiveModel(tmp_path / "model")
    live.current.fold_in(np.array([1], dtype=np.int32), np.array([5.0], dtype=np.float32))
    parts = [weakref.ref(live.current), weakref.ref(live.current.model)]
    gc.disable()
    try:
        assert live.reload(force=True)
        assert [part() for part in parts] == [None, None]
    finally:
        gc.enable()


def test_arrays_stay_in_the_file_and_outlive_it(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemap.models.base.parts.MIN_MAPPED_BYTES", 1)
    path = tmp_path / "model"
    shutil.copytree(artifact, path)
    mapped, copied = load_model(path, mapped=True), load_model(path)
    assert is_mapped(mapped.factors.item_weights)
    assert not mapped.factors.item_weights.flags.writeable
    save_small(small_ratings(), path, seed=5)
    assert np.array_equal(mapped.factors.item_weights, copied.factors.item_weights)
    assert mapped.recommend(3, k=5).equals(copied.recommend(3, k=5))


def copied(source: Path, target: Path) -> None:
    """A saved model copied over another file by file, in place, as ``cp -r`` does it."""
    for file in source.iterdir():
        shutil.copyfile(file, target / file.name)


@pytest.mark.slow
def test_no_damage_ends_the_watching(
    artifact: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After each kind of damage the old model answers, and the next sound one is taken."""
    caplog.set_level(logging.WARNING, "tastemap.serve")
    path = tmp_path / "model"
    shutil.copytree(artifact, path)
    live = LiveModel(path)
    for kind, damage in DAMAGES.items():
        before, n_said = live.current, len(caplog.records)
        damaged(artifact, path, damage)
        assert not live.reload(), kind
        assert live.current is before
        assert live.failure, kind
        assert not live.reload(), kind
        said = [record.getMessage() for record in caplog.records[n_said:]]
        if (path / "model.json").exists():
            assert len(said) == 1, kind
            assert str(path) in said[0]
            assert "\n" not in said[0]
        damaged(artifact, path, lambda _: None)
        assert live.reload(), kind
        assert live.failure is None


class PanicException(BaseException):
    """What a library in Rust raises."""


def test_the_watcher_outlives_whatever_is_raised_while_a_model_is_made_ready(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "SECONDS_BETWEEN_LOOKS", 0.01)
    path = tmp_path / "model"
    shutil.copytree(artifact, path)
    raised: list[BaseException] = []

    def prepare(_: object) -> None:
        if raised:
            raise raised[0]

    live = LiveModel(path, prepare=prepare)
    live.watch()
    for error in (PanicException("out of range"), RecursionError(), MemoryError(), ValueError("x")):
        before = live.current
        raised[:] = [error]
        (path / "model.json").touch()
        wait_until(lambda: live.failure is not None)
        assert str(error) in live.failure
        assert live.current is before
        raised.clear()
        (path / "model.json").touch()
        wait_until(lambda before=before: live.current is not before)
        assert live.failure is None
    live.stop()


def test_a_refused_model_is_read_again_when_a_file_of_it_changes_and_after_a_while(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, reads = tmp_path / "model", []
    shutil.copytree(artifact, path)
    live = LiveModel(path)
    whole = (path / "items.parquet").read_bytes()
    (path / "items.parquet").write_bytes(whole[:50])
    assert not live.reload()
    monkeypatch.setattr(reload, "load", lambda *_: reads.append(1) or load(*_))
    assert not live.reload()
    assert not reads
    monkeypatch.setattr(live, "_retry_at", 0.0)
    assert not live.reload()
    assert reads == [1]
    (path / "items.parquet").write_bytes(whole)
    assert live.reload()
    assert live.failure is None


def test_a_file_that_is_cut_short_is_not_missed(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is mapped is a private copy: touching the end of a file that was cut would end us."""
    monkeypatch.setattr("tastemap.models.base.parts.MIN_MAPPED_BYTES", 1)
    path = tmp_path / "model"
    shutil.copytree(artifact, path)
    live = LiveModel(path)
    assert is_mapped(live.current.model.factors.item_weights)
    scores = live.current.scores(live.current.user_at(0))
    for file in path.iterdir():
        os.truncate(file, 0)
    assert np.array_equal(live.current.scores(live.current.user_at(0)), scores)
    copied(artifact, path)
    assert live.reload()
    assert sorted(tmp_path.iterdir()) == [path]


def test_workers_share_private_copies(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemap.models.base.parts.MIN_MAPPED_BYTES", 1)
    path = tmp_path / "model"
    shutil.copytree(artifact, path)
    with copies_folder(path) as folder:
        assert folder.parent == path.parent
        monkeypatch.setenv(reload.COPIES_FOLDER, str(folder))
        threads = [threading.Thread(target=load, args=(path,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        digest = read_manifest(path)["parts"]["arrays.safetensors"]["sha256"]
        assert [file.name for file in folder.iterdir()] == [digest]
        first = load(path)
        copied(save_small(small_ratings(), tmp_path / "newer", seed=3), path)
        second = load(path)
        assert [file.name for file in folder.iterdir()] != [digest]
        assert first.version != second.version
        assert len(list(folder.iterdir())) == 1
        assert np.isfinite(first.scores(first.user_at(0))).all()
    assert not folder.exists()


def test_copies_lie_among_temporary_files_where_nothing_can_be_written(tmp_path: Path) -> None:
    with copies_folder(tmp_path / "not there" / "model") as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_a_model_that_loads_and_does_not_answer_is_refused_at_the_start(artifact: Path) -> None:
    def prepare(_: object) -> None:
        raise PanicException("out of range")

    with pytest.raises(ArtifactError, match="expected a model that answers"):
        LiveModel(artifact, prepare=prepare)


def test_items_are_called_as_the_server_is_told(artifact: Path) -> None:
    live = LiveModel(artifact, "opera")
    assert live.reload(force=True)
    assert item_noun(live.current.data).plural == "operas"
    assert item_noun(LiveModel(artifact).current.data).plural != "operas"


def test_a_model_of_the_other_kind_does_not_take_over(
    artifact: Path, clicks_artifact: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    shutil.copytree(artifact, path)
    live = LiveModel(path)
    load_model(clicks_artifact).save(path)
    assert not live.reload()
    assert live.current.has_ratings
    assert "expected one that has learnt from ratings; received one of interactions" in live.failure
