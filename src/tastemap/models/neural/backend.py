"""Which of Keras' backends runs: the user's choice, else JAX."""

import os
import sys
from importlib.util import find_spec

from tastemap.errors import MissingPackageError

# In order of preference. JAX first: it trains these small models fastest on a CPU
# (benchmarks/lab_model.py has the figures).
BACKENDS = ("jax", "tensorflow", "torch")


def choose_backend() -> str:
    """Name the backend to Keras before it is imported; does nothing once the user has chosen.

    The user's choice is the variable ``KERAS_BACKEND``, or whatever Keras runs on if it has been
    imported already. (``keras.json`` is no choice: Keras writes it by itself.)

    Raises:
        MissingPackageError: If Keras, the backend that was chosen, or every backend is missing.
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
    # TensorFlow tells of its optimisations on standard error at every start.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return os.environ.get("KERAS_BACKEND", "")


def _missing(what: str) -> MissingPackageError:
    return MissingPackageError(
        "neural models",
        expected=what,
        received="none installed",
        do='install the extra "lab", in a clone: pip install ".[lab]"',
    )
