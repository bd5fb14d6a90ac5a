"""Packages of the lab that are not part of the core install."""

from importlib import import_module
from types import ModuleType

from tastemap.errors import MissingPackageError


def lab_package(name: str) -> ModuleType:
    """Import a module of the ``lab`` extra.

    Args:
        name: Dotted name, such as ``"matplotlib.figure"``.

    Raises:
        MissingPackageError: If its package is not installed.
    """
    package = name.partition(".")[0]
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != package:
            raise  # the package is installed, but a package that it needs is not
        raise MissingPackageError(
            f"package {package}",
            expected="it to be installed",
            received="no such package",
            do="install the extra \"lab\", in a clone: pip install '.[lab]'",
        ) from error
