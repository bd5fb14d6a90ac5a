"""Arrays that stay in their file and are mapped into memory, shared by all who map them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save_file

from tastemap.data.groups import Groups
from tastemap.data.ratings import Ratings

Arrays = dict[str, npt.NDArray[Any]]

# Tables of so many ratings have a form that can be mapped beside the compact one; smaller ones are
# read in a few hundredths of a second.
LARGE = 2_000_000
# What safetensors calls the types of arrays.
_DTYPES = {"BOOL": np.dtype(bool)} | {
    f"{kind}{8 * size}": np.dtype(f"<{kind.lower()}{size}")
    for kind, sizes in (("F", (2, 4, 8)), ("I", (1, 2, 4, 8)), ("U", (1, 2, 4, 8)))
    for size in sizes
}
_COLUMNS = {
    "user_index": np.dtype(np.int32),
    "item_index": np.dtype(np.int32),
    "rating": np.dtype(np.float32),
    "timestamp": np.dtype(np.int64),
}
_GROUPS = ("by_user", "by_item")


def map_file(file: Path) -> Arrays:
    """The arrays of a safetensors file as read-only views of the file in memory.

    The format: eight bytes with the length of the header, the header in JSON, the arrays' bytes.
    """
    with safe_open(file, framework="np"):
        pass  # refuses a file whose header and bytes do not fit
    whole = np.memmap(file, dtype=np.uint8, mode="r")
    start = 8 + int(whole[:8].view("<u8")[0])
    header = json.loads(whole[8:start].tobytes())
    arrays = {}
    for name, about in header.items():
        if name != "__metadata__":
            first, end = (start + offset for offset in about["data_offsets"])
            array = np.asarray(whole[first:end]).view(_DTYPES[about["dtype"]])
            arrays[name] = array.reshape(about["shape"])
    return arrays


def write_ratings(data: Ratings, file: Path) -> None:
    """Write the columns of a table and its groups by user and by item, 36 bytes a rating."""
    columns = {name: getattr(data, name) for name in _COLUMNS}
    arrays: Arrays = {name: column for name, column in columns.items() if column is not None}
    for name in _GROUPS:
        groups = getattr(data, name)
        arrays |= {f"{name}_offsets": groups.offsets, f"{name}_rows": groups.rows}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, file)


def map_ratings(file: Path) -> Arrays:
    """What `write_ratings` wrote, as read-only views.

    Raises:
        ValueError: If a column is missing, or they are of unlike lengths or of other types.
    """
    arrays = map_file(file)
    size = len(arrays.get("rating", ()))
    for name, dtype in _COLUMNS.items():
        column = arrays.get(name)
        if column is None and name == "timestamp":
            continue
        if column is None or column.shape != (size,) or column.dtype != dtype:
            raise ValueError(f"no {name} of {size} {dtype}")
    return arrays


def group(data: Ratings, arrays: Arrays) -> None:
    """Give a table the groups that `write_ratings` wrote, instead of sorting it again.

    Raises:
        ValueError: If they are not groups of this table.
        KeyError: If there are none.
    """
    for name, size in zip(_GROUPS, (data.n_users, data.n_items), strict=True):
        groups = Groups(arrays[f"{name}_offsets"], arrays[f"{name}_rows"])
        if not groups.fits(size, len(data)):
            raise ValueError(f"{name} that leads outside the table")
        vars(data)[name] = groups
