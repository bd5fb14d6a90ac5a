from pathlib import Path

import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, ArtifactError
from tastemap.models.base.artifact import CLASSES
from tastemap.models.bias import BiasModel
from tastemap.models.registry import MODELS, load_model, make_model


def test_each_name_makes_a_model_of_its_class_with_its_options() -> None:
    assert type(make_model("ials")).__name__ == "ALS"
    assert make_model("ials").feedback == "implicit"
    assert make_model("bias", item_damping=3).item_damping == 3
    assert {class_name for class_name, _ in MODELS.values()} <= set(CLASSES)


def test_a_name_or_an_option_that_there_is_not_is_named() -> None:
    with pytest.raises(ArgumentError, match="model; expected one of bias, mf.*'svd'"):
        make_model("svd")
    with pytest.raises(ArgumentError, match="options of model bias; received.*reg"):
        make_model("bias", reg=1)


def test_a_saved_model_comes_back_as_its_class(ratings: Ratings, tmp_path: Path) -> None:
    loaded = load_model(BiasModel(7).fit(ratings).save(tmp_path / "model"))
    assert type(loaded) is BiasModel
    assert loaded.get_params() == {"item_damping": 7, "user_damping": 5.0}


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ('"item_damping"', '"no_such_option"'),
        ('"item_damping": 5.0', '"item_damping": -1'),
        ('"class": "BiasModel"', '"class": "NoSuchModel"'),
        ('"class": "BiasModel"', '"class": "ItemKNN"'),
    ],
)
def test_a_manifest_that_names_another_model_is_refused(
    ratings: Ratings, tmp_path: Path, part: str, other: str
) -> None:
    manifest = BiasModel().fit(ratings).save(tmp_path / "model") / "model.json"
    manifest.write_text(manifest.read_text().replace(part, other))
    with pytest.raises(ArtifactError):
        load_model(tmp_path / "model")
