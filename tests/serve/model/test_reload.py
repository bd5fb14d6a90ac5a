"""The model of a folder: read, replaced, and forgotten."""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from small_models import save_small, small_ratings

from tastemap.models.registry import load_model
from tastemap.serve.model.reload import LiveModel


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


def test_arrays_stay_in_the_file_and_outlive_it(artifact: Path, tmp_path: Path) -> None:
    path = tmp_path / "model"
    shutil.copytree(artifact, path)
    mapped, copied = load_model(path, mapped=True), load_model(path)
    base = mapped.factors.item_weights
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    assert not mapped.factors.item_weights.flags.writeable
    save_small(small_ratings(), path, seed=5)
    assert np.array_equal(mapped.factors.item_weights, copied.factors.item_weights)
    assert mapped.recommend(3, k=5).equals(copied.recommend(3, k=5))
