"""The choice of Keras' backend: the user's, otherwise JAX if it is installed."""

import os
import sys
from importlib.util import find_spec

from tastemap.errors import MissingPackageError

# In order of preference. JAX first: it trains these small models fastest on a CPU
# (benchmarks/lab_model.py has the figures).
BACKENDS = ("jax", "tensorflow", "torch")


def choose_backend() -> str:
    """Set the backend before Keras is imported, unless the user has chosen one; return its name.

    The user's choice is the variable ``KERAS_BACKEND``, or the backend of a Keras that is already
    imported. (``keras.json`` is not a choice: Keras writes it by itself.)

    Raises:
        MissingPackageError: If Keras, the chosen backend, or every backend is missing.
    """
    if find_spec("keras") is None:
        raise _missing("the package keras")
    chosen = os.environ.get("KERAS_BACKEND", "")
    if "keras" not in sys.modules and chosen in BACKENDS and find_spec(chosen) is None:
        raise _missing(f"the package {chosen}, which KERAS_BACKEND names")
    if "keras" not in sys.modules and not chosen:
        installed = [name for name in BACKENDS if find_spec(name) is not None]
        if not installed:
            raise _missing(f"one of the packages {', '.join(BACKENDS)}")
        os.environ["KERAS_BACKEND"] = installed[0]
    # TensorFlow would print notes about its optimisations on standard error at every start.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return os.environ.get("KERAS_BACKEND", "")


def _missing(what: str) -> MissingPackageError:
    return MissingPackageError(
        "neural models",
        expected=what,
        received="none installed",
        do='install the extra "lab", in a clone: pip install ".[lab]"',
    )
