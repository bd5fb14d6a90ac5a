"""The targets of the fuzzers by their names, which are those of their folders in `corpus/`."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from artifacts import artifacts
from exchanges import exchanges
from fuzzing import Target
from imports import imports
from readers import readers

TARGETS: dict[str, Callable[[], AbstractContextManager[Target]]] = {
    "artifacts": artifacts,
    "exchanges": exchanges,
    "imports": imports,
    "readers": readers,
}
