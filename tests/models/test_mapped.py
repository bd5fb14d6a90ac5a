"""Large artifacts: ratings and their groups stay in a file that is mapped."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tastemap.data.ratings import Ratings
from tastemap.errors import ArtifactError
from tastemap.models import make_model, mapped
from tastemap.models.base import Recommender
from tastemap.models.store import load_model


@pytest.fixture
def saved(ratings: Ratings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mapped, "LARGE", 100)
    return make_model("bias").fit(ratings).save(tmp_path / "model")


def base_of(array: np.ndarray) -> object:
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def test_a_mapped_table_is_the_one_that_was_saved(saved: Path, ratings: Ratings) -> None:
    found = load_model(saved, mapped=True).ratings_
    assert found.fingerprint() == ratings.fingerprint()
    for name in ("by_user", "by_item"):
        ours, groups = getattr(ratings, name), vars(found)[name]
        assert np.array_equal(groups.offsets, ours.offsets)
        assert np.array_equal(groups.rows, ours.rows)
        assert groups.counts.tolist() == ours.counts.tolist()
        assert base_of(groups.rows) is base_of(found.rating)
    assert not found.rating.flags.writeable


def test_answers_are_the_same(saved: Path) -> None:
    one, other = load_model(saved, mapped=True), load_model(saved)
    assert "by_user" not in vars(other.ratings_)
    assert one.recommend(3, k=5).equals(other.recommend(3, k=5))
    assert one.ratings_.rated_items(3).equals(other.ratings_.rated_items(3))


def test_small_tables_have_no_such_file(ratings: Ratings, tmp_path: Path) -> None:
    path = make_model("bias").fit(ratings).save(tmp_path / "model")
    assert not (path / "ratings.safetensors").exists()
    model: Recommender = load_model(path, mapped=True)
    assert len(model.ratings_) == len(ratings)


def test_without_times(ratings: Ratings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "LARGE", 100)
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
def test_damage_is_named(saved: Path, name: str, change: object) -> None:
    file = saved / "ratings.safetensors"
    arrays = load_file(file)
    save_file(arrays | {name: change(arrays[name])}, file)
    with pytest.raises(ArtifactError, match="the artifact is damaged: fit and save the model"):
        load_model(saved, mapped=True)
    assert load_model(saved) is not None


def test_a_missing_group_and_a_cut_file_are_named(saved: Path) -> None:
    file = saved / "ratings.safetensors"
    arrays = load_file(file)
    del arrays["by_item_rows"]
    save_file(arrays, file)
    with pytest.raises(ArtifactError, match="by_item_rows"):
        load_model(saved, mapped=True)
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ArtifactError, match="a readable ratings.safetensors"):
        load_model(saved, mapped=True)
