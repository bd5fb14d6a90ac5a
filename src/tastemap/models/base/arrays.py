"""Learnt arrays, taken out of an artifact: each is checked before a model answers from it.

Compiled routines read where the shapes tell them to, without looking; so an array of another shape,
of another kind or with values that are no numbers is refused when a model is loaded.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]

# Nothing that is learnt is larger; products of two such numbers are still numbers in float32.
MAX_MAGNITUDE = 1e15


def take(arrays: Arrays, name: str, *shape: int | None) -> npt.NDArray[Any]:
    """Take an array of floats out of those of an artifact; half precision is widened to float32.

    Args:
        arrays: The arrays that no model has taken yet.
        name: Name of the array.
        shape: Its shape; None stands for any length.

    Raises:
        KeyError: If there is none of this name.
        ValueError: If it has another shape, or holds something else than floats of at most 1e15.

    Example:
        >>> take({"share": np.ones(3)}, "share", 2)
        Traceback (most recent call last):
        ValueError: share of type float64 and shape (3,), not (2,)
    """
    array = arrays.pop(name)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    sizes = zip(array.shape, shape, strict=False)
    fits = array.ndim == len(shape) and all(size in (None, n) for n, size in sizes)
    if array.dtype.kind != "f" or not fits:
        wanted = str(tuple("any" if size is None else size for size in shape))
        raise ValueError(f"{name} of type {array.dtype} and shape {array.shape}, not {wanted}")
    # A NaN is neither.
    if array.size and not (array.min() >= -MAX_MAGNITUDE and array.max() <= MAX_MAGNITUDE):
        raise ValueError(f"{name} with values that are no numbers of at most {MAX_MAGNITUDE:g}")
    return array


def refuse_rest(arrays: Arrays) -> None:
    """Refuse arrays that no model has taken: nothing that is learnt has their names.

    Raises:
        ValueError: If there is one.
    """
    if arrays:
        raise ValueError(f"arrays that its class does not have: {', '.join(sorted(arrays))}")
