"""The types of arrays that the whole library speaks of, in one list."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

#: Ratings, scores, weights: float32 or float64.
FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
#: Row numbers of users or items; -1 stands for an unknown one.
IndexArray: TypeAlias = npt.NDArray[np.int32]
#: True for the rows that are meant.
Mask: TypeAlias = npt.NDArray[np.bool_]
#: Of any type.
AnyArray: TypeAlias = npt.NDArray[Any]

# By type of number.
F32: TypeAlias = npt.NDArray[np.float32]
F64: TypeAlias = npt.NDArray[np.float64]
I32: TypeAlias = npt.NDArray[np.int32]
I64: TypeAlias = npt.NDArray[np.int64]
U64: TypeAlias = npt.NDArray[np.uint64]
