"""The types of arrays that the whole library speaks of, in one list."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

#: Ratings, scores, weights: float32 or float64.
FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
#: Row numbers of users or items; -1 stands for an unknown one.
IndexArray: TypeAlias = npt.NDArray[np.int32]
#: One yes or no for each row.
Mask: TypeAlias = npt.NDArray[np.bool_]
F32: TypeAlias = npt.NDArray[np.float32]
F64: TypeAlias = npt.NDArray[np.float64]
I64: TypeAlias = npt.NDArray[np.int64]
