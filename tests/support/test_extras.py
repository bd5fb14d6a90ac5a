"""Packages that are imported when they are needed."""

import math
from pathlib import Path

import pytest

from tastemap.errors import MissingPackageError
from tastemap.support.extras import lab_package


def test_a_module_is_imported_or_its_package_named() -> None:
    assert lab_package("math") is math
    with pytest.raises(MissingPackageError, match=r"package no_such; .* pip install '\.\[lab\]'"):
        lab_package("no_such.module")


def test_a_package_that_lacks_what_it_needs_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_installed.py").write_text("import no_such_dependency")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        lab_package("half_installed")
