"""Damaged models: each ends in an `ArtifactError` of one line when it is loaded, or answers."""

import contextlib
import shutil
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import damage
from damage import DAMAGES, Damage, array, damaged, manifest, with_value
from tastemap.errors import ArtifactError, TastemapError
from tastemap.models.base.artifact import read_manifest
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import load_model, make_model

OLD = Path(__file__).parent / "artifacts"
# Of single models, by the folder of the saved model.
OF_MODELS: dict[str, tuple[str, Damage]] = {
    "a popularity of fewer items": ("popularity", array("share", lambda a: a[:-1])),
    "a popularity that is no number": ("popularity", array("share", with_value(np.nan))),
    "similarities of fewer items": ("knn", array("item_similarity", lambda a: a[:-1])),
    "a baseline without a mean": ("knn", array("global_mean", lambda _: None)),
    "weights of items that are no square": ("ease", array("item_weights", lambda a: a[:, 1:])),
    "a shrinkage of 0": ("ease", array("shrinkage", with_value(0))),
    "a threshold that is text": ("ease", manifest(parameters={"threshold": "4"})),
    "a blend of unknown models": ("blend", manifest(parameters={"models": {"what": {}}})),
    "a blend with options that are text": ("blend", manifest(parameters={"models": {"ease": "x"}})),
    "a blend with a negative weight": ("blend", array("member_weights", with_value(-1))),
    "a blend with a spread of 0": ("blend", array("spreads", with_value(0))),
    "a blend without a member's array": ("blend", array("ease.item_weights", lambda _: None)),
    "a blend with more of a member": ("blend", array("ease.more", lambda _: np.ones(2))),
    "draws of fewer items": ("bayes", array("draws_items", lambda a: a[:, 1:])),
    "draws of fewer users": ("bayes", array("draws_user_means", lambda a: a[:, 1:])),
    "draws of no factors": ("bayes", array("draws_items", lambda a: a[:, :, :1])),
    "draws of other levels": ("bayes", array("draws_n_levels", with_value(7))),
    "draws with levels that are floats": ("bayes", array("draws_n_levels", lambda a: a * 1.0)),
    "draws with a scale of 0": ("bayes", array("draws_item_scales", with_value(0))),
    "draws with a NaN": ("bayes", array("draws_user_link", with_value(np.nan))),
    "draws whose spread is no covariance": ("bayes", array("draws_spread", lambda a: -a)),
    "no draws": ("bayes", array("draws_items", lambda a: a[:0])),
    "a trace that is no table": ("bayes", array("trace_loss", lambda a: a.ravel())),
    "a negative seed of draws": ("bayes", manifest(seed=-1)),
    "effects of other times": ("bayes-session", array("draws_moods", lambda a: a[:, :, 1:])),
    "temporal effects that are missing": (
        "bayes-session",
        array("draws_moods", lambda a: a[:, :0, :0]),
    ),
    "a history of fewer items": ("two-tower", array("history_embedding", lambda a: a[1:])),
    "network weights of another shape": ("deep", array("network_002", lambda a: a[1:])),
    "a network without weights": ("deep", array("network_005", lambda _: None)),
    "a network with more weights": ("deep", array("network_006", lambda _: np.ones(1))),
    "a network that is none": ("deep", manifest(parameters={"network": {"a": 1}})),
    "a network of odd options": (
        "deep",
        manifest(parameters={"network": "deep", "network_options": {"hidden": "wide"}}),
    ),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model with training curves and a map."""
    from tastemap.data.datasets.synthetic import synthetic_ratings

    ratings = synthetic_ratings()
    model = make_model("mf", n_factors=2, n_epochs=2).fit(ratings, progress=False)
    places = {"x": np.arange(ratings.n_items) / 7, "y": np.zeros(ratings.n_items)}
    model.item_map_ = pl.DataFrame({"item_id": ratings.items.ids} | places | {"preserved": 0.5})
    model.metrics_ = {"rmse": 0.9, "auc": float("nan")}
    return model.save(tmp_path_factory.mktemp("sound") / "model")


def refused(path: Path, *, mapped: bool) -> str:
    with pytest.raises(ArtifactError) as error:
        load_model(path, mapped=mapped)
    return str(error.value)


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_refused_in_one_line(
    sound: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemap.models.base.parts.MIN_MAPPED_BYTES", 1)
    path = damaged(sound, tmp_path / "model", DAMAGES[kind])
    for mapped in (False, True):
        message = refused(path, mapped=mapped)
        assert "\n" not in message
        assert len(message) < 2000


@pytest.mark.parametrize(
    "kind",
    [
        # Keras takes seconds to load.
        pytest.param(kind, marks=pytest.mark.slow if name == "deep" else ())
        for kind, (name, _) in OF_MODELS.items()
    ],
)
def test_damage_to_what_one_model_has_is_refused(tmp_path: Path, kind: str) -> None:
    name, how = OF_MODELS[kind]
    path = damaged(OLD / name, tmp_path / "model", damage.vouch)
    load_model(path)
    assert "damaged" in refused(damaged(OLD / name, path, how), mapped=False)


def test_files_of_another_model_are_refused(sound: Path, tmp_path: Path) -> None:
    """As while one model is copied over another, whose arrays have the same shapes."""
    model = load_model(sound)
    other = model.fit(model.ratings_, seed=9, progress=False).save(tmp_path / "other")
    for name in ("arrays.safetensors", "history.parquet"):
        path = damaged(sound, tmp_path / "model", lambda _: None)
        shutil.copy(other / name, path / name)
        assert "that model.json" in refused(path, mapped=False)
    path = damaged(sound, tmp_path / "model", lambda _: None)
    shutil.copy(other / "model.json", path / "model.json")
    assert "that model.json" in refused(path, mapped=False)


def test_a_file_that_the_newer_model_has_not_is_not_read(sound: Path, tmp_path: Path) -> None:
    path = damaged(sound, tmp_path / "model", lambda _: None)
    model = load_model(sound)
    model.item_map_ = None
    shutil.copytree(model.save(tmp_path / "other"), path, dirs_exist_ok=True)
    assert (path / "map.parquet").is_file()
    assert load_model(path).item_map_ is None


def test_what_a_newer_version_says_is_passed_over(sound: Path, tmp_path: Path) -> None:
    more = manifest(more={"a": [1, 2, {"b": None}]})
    path = damaged(sound, tmp_path / "model", more)
    assert load_model(path).recommend(1, k=3).height == 3


def test_errors_that_are_no_numbers_are_read(sound: Path) -> None:
    assert np.isnan(load_model(sound).metrics_["auc"])
    assert np.isnan(read_manifest(sound)["metrics"]["auc"])


def answers(model: Recommender) -> None:
    """Recommendations and predictions, for known users and for a stranger."""
    data = model.ratings_
    user, items = data.users.ids[0], data.items.ids.to_list()
    model.recommend(user, k=2, exclude_seen=False)
    for question in (
        lambda: model.predict(user, items),
        lambda: model.recommend(ratings={items[0]: data.scale.highest}, k=2),
        lambda: model.similar_items(items[0], 2),
        lambda: model.interested_users(items[0], 2),
    ):
        with contextlib.suppress(TastemapError):  # what a model cannot answer
            question()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bayes", "blend", "ease", "knn", "mf-with-map", "two-tower"])
def test_a_byte_that_changed_is_refused_or_harmless(name: str, tmp_path: Path) -> None:
    """Old models, without hashes of their files: all that protects them is what they hold."""
    rng = np.random.default_rng(0)
    path, n_refused = tmp_path / "model", 0
    files = sorted(file.name for file in (OLD / name).iterdir())
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for _ in range(60):
            file = files[rng.integers(len(files))]
            damaged(OLD / name, path, lambda _: None)
            whole = bytearray((path / file).read_bytes())
            whole[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
            (path / file).write_bytes(whole)
            try:
                model = load_model(path)
            except ArtifactError:
                n_refused += 1
            else:
                answers(model)
    assert 10 < n_refused < 60
