"""Packages of the extras, which are not part of the core install."""

from importlib import import_module
from types import ModuleType

from tastemap.errors import MissingPackageError


def lab_package(name: str, extra: str = "lab") -> ModuleType:
    """Import a module of an extra when it is needed.

    Args:
        name: Dotted name, such as ``"matplotlib.figure"``.
        extra: The extra that brings it.

    Raises:
        MissingPackageError: If its package is not installed.
    """
    package = name.partition(".")[0]
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != package:
            raise  # the package is there, but something that it needs is not
        raise MissingPackageError(
            f"package {package}",
            expected="it to be installed",
            received="no such package",
            do=f"install the extra \"{extra}\", in a clone: pip install '.[{extra}]'",
        ) from error
