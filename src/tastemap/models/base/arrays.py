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
# The bits of the exponent in half precision; where all are set, the value is infinite or a NaN.
EXPONENT_OF_HALF = np.uint16(0x7C00)


def take(arrays: Arrays, name: str, *shape: int | None, widened: bool = True) -> npt.NDArray[Any]:
    """Take an array of floats out of those of an artifact; half precision is widened to float32.

    Args:
        arrays: The arrays that no model has taken yet.
        name: Name of the array.
        shape: Its shape; None stands for any length.
        widened: False leaves half precision as it is, and in its file if that is mapped.

    Raises:
        KeyError: If there is none of this name.
        ValueError: If it has another shape, or holds something else than floats of at most 1e15.

    Example:
        >>> take({"share": np.ones(3)}, "share", 2)
        Traceback (most recent call last):
        ValueError: share of type float64 and shape (3,), not (2,)
    """
    array = arrays.pop(name)
    if array.dtype == np.float16 and widened:
        array = array.astype(np.float32)
    sizes = zip(array.shape, shape, strict=False)
    fits = array.ndim == len(shape) and all(size in (None, n) for n, size in sizes)
    if array.dtype.kind != "f" or not fits:
        wanted = str(tuple("any" if size is None else size for size in shape))
        raise ValueError(f"{name} of type {array.dtype} and shape {array.shape}, not {wanted}")
    if not _is_of_numbers(array):
        raise ValueError(f"{name} with values that are no numbers of at most {MAX_MAGNITUDE:g}")
    return array


def _is_of_numbers(array: npt.NDArray[Any]) -> bool:
    """Whether all values are numbers of at most `MAX_MAGNITUDE`."""
    if array.dtype == np.float16:  # in which no number is large: the bits say what is none
        bits = array.view(np.uint16)
        return bool(((bits & EXPONENT_OF_HALF) != EXPONENT_OF_HALF).all())
    # A NaN is neither.
    return not array.size or bool(array.min() >= -MAX_MAGNITUDE and array.max() <= MAX_MAGNITUDE)


def refuse_rest(arrays: Arrays) -> None:
    """Refuse arrays that no model has taken: nothing that is learnt has their names.

    Raises:
        ValueError: If there is one.
    """
    if arrays:
        raise ValueError(f"arrays that its class does not have: {', '.join(sorted(arrays))}")
