"""What is installed has a version and hashes, and they fit what pyproject.toml asks for."""

import re
import tomllib
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from house import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
NEEDS = PROJECT["project"]["dependencies"]
# File in requirements/ -> what it must hold.
REQUIREMENTS = {
    "user": [*NEEDS, *EXTRAS["lab"], *EXTRAS["serve"], *EXTRAS["tune"], *GROUPS["build"]],
    "developer": [*NEEDS, *chain(*EXTRAS.values()), *GROUPS["dev"], *GROUPS["build"]],
    "audit": GROUPS["audit"],
}


def pinned(name: str) -> dict[str, tuple[Version, int]]:
    """Version and number of hashes of each package in a file."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.findall(r"^([^#\s].*(?:\n {4}.*)*)", text, re.MULTILINE)
    pins = {}
    for entry in entries:
        package, version = re.match(r"([\w.-]+)==([\w.+!]+)", entry).groups()
        hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)
        pins[canonicalize_name(package)] = Version(version), len(hashes)
    return pins


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_each_package_has_a_version_that_fits_and_hashes(name: str) -> None:
    pins = pinned(name)
    assert all(n_hashes for _, n_hashes in pins.values())
    for text in REQUIREMENTS[name]:
        requirement = Requirement(text)
        package = canonicalize_name(requirement.name)
        if package != "tastemap":  # an extra that joins others
            assert package in pins, f"{text}: run make lock"
            assert requirement.specifier.contains(pins[package][0]), f"{text}: run make lock"


def test_a_user_and_a_developer_have_the_same_versions() -> None:
    developer = pinned("developer")
    assert {**developer, **pinned("user")} == developer


def test_nothing_is_installed_without_a_hash() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = re.findall(
        r"^(?!INSTALL ).*(?:pip install|\$\(INSTALL\)).*$", makefile, re.MULTILINE
    )
    assert len(installs) == 4
    for line in installs:
        assert "--require-hashes" in line or "--no-deps --no-build-isolation" in line, line
