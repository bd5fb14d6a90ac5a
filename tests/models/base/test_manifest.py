"""What model.json may say; `test_artifact_damage.py` has what it may not."""

import msgspec
import pytest

from tastemap.data.scale import Scale
from tastemap.models.base.manifest import Manifest, damaged

LEAST = {
    "format": 1,
    "class": "BiasModel",
    "parameters": {},
    "arrays": {"a": {"shape": [2, 0], "dtype": "float32"}},
    "scale": {"lowest": 1, "highest": 5, "step": None},
    "seed": 0,
    "metrics": {},
}


def test_what_old_versions_did_not_write_has_a_value() -> None:
    manifest = msgspec.convert(LEAST, Manifest)
    assert manifest.scale == Scale(1, 5)
    assert (manifest.class_name, manifest.arrays["a"].shape) == ("BiasModel", (2, 0))
    assert (manifest.learnt_by, manifest.recipe, manifest.parts) == ("", None, {})
    assert manifest.stopped is None
    assert (manifest.data.name, manifest.data.notes) == ("ratings", ())


@pytest.mark.parametrize("name", LEAST)
def test_what_every_version_wrote_is_needed(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=name):
        msgspec.convert({key: value for key, value in LEAST.items() if key != name}, Manifest)


def test_an_error_is_one_line() -> None:
    error = damaged("my-model", "tables", "a\n" * 1000)
    assert len(str(error).splitlines()) == 1
    assert len(str(error)) < 500
