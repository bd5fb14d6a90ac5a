"""Items that nobody has rated, put into the served model."""

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_models import SCRIPT

from tastemap.errors import ArgumentError, ArtifactError, UnsupportedError
from tastemap.models.base.artifact import Artifact
from tastemap.models.popularity import Popularity
from tastemap.models.registry import load_model
from tastemap.serve.model import additions, reload
from tastemap.serve.model.additions import NewItem, add_items
from tastemap.serve.model.reload import LiveModel
from tastemap.support.atomic import alone_at

DAWN = NewItem("9001", {"title": SCRIPT, "genres": ["Comedy", None], "year": 1999})


@pytest.fixture
def live(bayes_artifact: Path, tmp_path: Path) -> LiveModel:
    """A served model of its own."""
    return LiveModel(Path(shutil.copytree(bayes_artifact, tmp_path / "model")))


def test_a_new_item_is_served_at_once_and_kept_once(live: LiveModel) -> None:
    before = live.current
    picks = before.model.recommend(1, k=5)
    answer = add_items(live, [DAWN, NewItem("2", {})])
    assert (answer.added, answer.unchanged) == (1, 1)
    assert answer.items[0] == additions.AddedItem(9001, f"{SCRIPT} (1999)", "added", "facts")
    assert (answer.items[1].status, answer.items[1].basis) == ("unchanged", "ratings")
    assert "the new items lack release_year" in answer.notes
    assert (len(before.catalogue), len(live.current.catalogue)) == (83, 84)
    assert live.current.model.recommend(1, k=5).equals(picks)
    assert load_model(live.path).fitted_data.items.frame.columns == before.data.items.frame.columns
    again, version = add_items(live, [DAWN]), live.current.version
    assert (again.added, again.items[0].status, again.notes) == (0, "unchanged", [])
    assert live.current.version == version
    with pytest.raises(ArgumentError, match="the item '9001' is there, with another year"):
        add_items(live, [NewItem("9002", {}), NewItem("9001", {"year": 2000})])
    assert live.current.version == version


def test_processes_that_add_items_lose_none_of_each_other(live: LiveModel) -> None:
    other = LiveModel(live.path)
    add_items(live, [DAWN])
    assert add_items(other, [NewItem("9002", {"genres": "Drama|Comedy"}), DAWN]).added == 1
    items = load_model(live.path).fitted_data.items
    assert items.frame["genres"][-2:].to_list() == [["Comedy"], ["Drama", "Comedy"]]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (NewItem("x", {}), "an id as the model's, which are whole numbers; received 'x'"),
        (NewItem("007", {}), "received '007'"),
        (NewItem("1", {"title": "Another"}), "the item '1' is there, with another title"),
        (NewItem("900", {"colour": "red"}), "expected title, year, release_year, genres"),
        (NewItem("900", {"item_id": 7}), "received 'item_id'"),
    ],
)
def test_what_cannot_be_an_item_is_refused(live: LiveModel, item: NewItem, message: str) -> None:
    version = live.current.version
    with pytest.raises(ArgumentError, match=message):
        add_items(live, [item])
    with pytest.raises(ArgumentError, match="comes twice"):
        add_items(live, [NewItem("900", {}), NewItem("900", {})])
    assert live.current.version == version


def test_a_fact_that_is_no_value_of_its_column_is_missing_and_named(live: LiveModel) -> None:
    odd: Any = [{"year": "—"}, {"year": "1999"}, {"year": 19.5}, {"year": [1]}, {"genres": 7}]
    odd += [{"title": True}, {"title": ["a", "b"]}, {"year": None}, {"year": 2**62}]
    answer = add_items(live, [NewItem(str(910 + n), facts) for n, facts in enumerate(odd)])
    frame = live.current.data.items.frame[-len(odd) :]
    assert frame["year"].to_list() == [None, 1999, None, None, None, None, None, None, 2**62]
    assert frame["genres"].to_list() == [None] * 4 + [["7"]] + [None] * 4
    assert frame["title"].to_list()[5:7] == ["True", "a|b"]
    named = [note for note in answer.notes if note.endswith("is left out")]
    values = {910: "'—'", 912: "19.5", 913: "[1]"}
    assert named == [f"year of {n}: {value} is left out" for n, value in values.items()]
    assert live.current.catalogue.cards([91])[0].year is None  # beyond any calendar


def test_what_cannot_be_saved_now_is_said(live: LiveModel, monkeypatch: Any) -> None:
    version = live.current.version
    monkeypatch.setattr(additions, "MAX_SECONDS_OF_WAITING", 0.0)
    with alone_at(live.path), pytest.raises(ArtifactError, match="another process.*try again"):
        add_items(live, [DAWN])
    with monkeypatch.context() as patched:
        full = OSError(errno.ENOSPC, "No space left on device")
        patched.setattr(Artifact, "write", lambda *_: (_ for _ in ()).throw(full))
        with pytest.raises(ArtifactError, match="No space left"):
            add_items(live, [DAWN])
    assert live.current.version == version
    arrays = live.path / "arrays.safetensors"
    arrays.unlink()
    arrays.write_bytes(b"of a newer model, just being copied")
    with pytest.raises(ArtifactError, match="one that can be loaded.*save a sound one"):
        add_items(live, [DAWN])
    assert arrays.read_bytes().startswith(b"of a newer")


def test_a_model_that_is_just_being_copied_is_not_written_over(
    live: LiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "reload", lambda: False)  # as while its parts do not fit
    assert live.is_newest
    (live.path / "map.parquet").write_bytes(b"the first file of another model")
    assert not live.is_newest
    with pytest.raises(ArtifactError, match="files of another.*try again when it is whole"):
        add_items(live, [DAWN])
    assert (live.path / "map.parquet").read_bytes().startswith(b"the first")


def test_a_model_that_could_not_be_loaded_is_taken_back(
    live: LiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("arrays that do not fit")

    with monkeypatch.context() as patched:
        patched.setattr(reload, "load", fail)
        with pytest.raises(ArtifactError, match="arrays that do not fit"):
            add_items(live, [DAWN])
    assert live.reload()
    assert len(live.current.catalogue) == 83
    assert add_items(live, [DAWN]).added == 1


def test_a_model_that_takes_no_new_items_says_so(live: LiveModel) -> None:
    Popularity().fit(live.current.ratings, progress=False).save(live.path)
    with pytest.raises(UnsupportedError, match="cannot take items that nobody has rated"):
        add_items(live, [DAWN])
