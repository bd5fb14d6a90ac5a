"""Ratings that are more than memory holds: prepared once, then mapped from their folder.

    table.json                      format, name, notes, scale
    user_index.npy, item_index.npy, rating.npy, timestamp.npy
                                    the columns of `Ratings`; no times where some are missing
    by_user_offsets.npy, by_user_rows.npy, by_item_offsets.npy, by_item_rows.npy
                                    the rows of each user and item
    users.parquet, items.parquet    the ids in row order

The folder is written beside its place and renamed. What is held in memory is one piece of the
table, and the ids.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.exceptions import PolarsError

from tastemap.data.chunks import PIECE, pieces
from tastemap.data.ratings import Groups, Ratings, Source
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import DataError
from tastemap.support.atomic import new_folder, settle

FORMAT = 1
MANIFEST = "table.json"
_COLUMNS: dict[str, Any] = {
    "user_index": np.int32,
    "item_index": np.int32,
    "rating": np.float32,
    "timestamp": np.int64,
}

Column = npt.NDArray[Any]
Piece = Mapping[str, Column]


class About(NamedTuple):
    """What a table has beside its columns; as in `Ratings`."""

    users: Vocabulary
    items: Vocabulary
    scale: Scale
    source: Source

    @classmethod
    def of(cls, ratings: Ratings) -> "About":
        """What some ratings have."""
        return cls(ratings.users, ratings.items, ratings.scale, ratings.source)


def is_prepared(path: Path) -> bool:
    """Whether a path is a folder that `prepare_ratings` wrote."""
    settle(path.absolute())
    return (path / MANIFEST).is_file()


def read_prepared(folder: str | Path) -> Ratings:
    """The ratings of a prepared folder; their columns stay in it.

    Raises:
        DataError: If a part is missing or does not fit the others.
    """
    path = Path(folder)
    settle(path.absolute())
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise ValueError(f"format {manifest['format']}")  # noqa: TRY301
        columns = {name: _mapped(path, name) for name in manifest["columns"] if name in _COLUMNS}
        users, items = (
            Vocabulary(pl.read_parquet(path / f"{kind}s.parquet")[f"{kind}_id"], kind)
            for kind in ("user", "item")
        )
        ratings = Ratings(
            user_index=columns["user_index"],
            item_index=columns["item_index"],
            rating=columns["rating"],
            timestamp=columns.get("timestamp"),
            users=users,
            items=items,
            scale=Scale(**manifest["scale"]),
            source=Source(manifest["name"], tuple(manifest["notes"])),
        )
        _check(ratings)
        for name, size in (("by_user", ratings.n_users), ("by_item", ratings.n_items)):
            groups = Groups(_mapped(path, f"{name}_offsets"), _mapped(path, f"{name}_rows"))
            if not groups.fits(size, len(ratings)):
                raise ValueError(f"{name} that leads outside the table")  # noqa: TRY301
            vars(ratings)[name] = groups
    except (OSError, ValueError, KeyError, TypeError, PolarsError) as error:
        raise DataError(
            f"prepared table {path}",
            expected="the files that tastemap prepare writes",
            received=str(error).splitlines()[0],
            do="prepare it again",
        ) from error
    return ratings


def write_table(
    folder: str | Path,
    rows: Iterable[Piece],
    n: int,
    about: About,
    *,
    timed: bool,
) -> Ratings:
    """Write a table of n rows that come in pieces, and map it.

    Raises:
        DataError: If the folder is something else, or a pair of user and item comes twice.
        OSError: If the disk is full; what was there before is intact.
    """
    target = Path(folder).absolute()
    settle(target)
    if target.exists() and not is_prepared(target) and (target.is_file() or any(target.iterdir())):
        raise DataError(
            f"folder {folder}",
            expected="a new folder or a prepared table to replace",
            received="something else that is already there",
            do="choose another path",
        )
    with new_folder(target) as fresh:
        columns = {name: _new(fresh, name, n) for name in _COLUMNS if timed or name != "timestamp"}
        start = 0
        for piece in rows:
            size = len(piece["rating"])
            for name, column in columns.items():
                column[start : start + size] = piece[name]
            start += size
        for name, index, size in (
            ("by_user", columns["user_index"], len(about.users)),
            ("by_item", columns["item_index"], len(about.items)),
        ):
            _write_groups(fresh, name, index, size)
        _refuse_doubles(fresh, columns["item_index"], about)
        for vocabulary in (about.users, about.items):
            path = fresh / f"{vocabulary.kind}s.parquet"
            vocabulary.ids.to_frame().write_parquet(path)
        scale = about.scale
        manifest = {
            "format": FORMAT,
            "name": about.source.name,
            "notes": list(about.source.notes),
            "scale": {"lowest": scale.lowest, "highest": scale.highest, "step": scale.step},
            "columns": list(columns),
        }
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return read_prepared(target)


def _new(folder: Path, name: str, n: int) -> Column:
    """A new column in a file, all of whose bytes the disk has granted."""
    path, dtype = folder / f"{name}.npy", _COLUMNS.get(name, np.int64)
    column = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(n,))
    # Else a full disk is found out while writing to memory, where no error can be told.
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return column


def _mapped(folder: Path, name: str) -> Column:
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))


def _write_groups(folder: Path, name: str, index: Column, n: int) -> None:
    """`Groups.of`, piece by piece: count, then put each row where its group has got to."""
    counts = np.zeros(n, dtype=np.int64)
    for part in pieces(len(index)):
        counts += np.bincount(index[part], minlength=n)
    offsets = _new(folder, f"{name}_offsets", n + 1)
    offsets[0], offsets[1:] = 0, np.cumsum(counts)
    rows, at = _new(folder, f"{name}_rows", len(index)), np.array(offsets[:-1])
    for part in pieces(len(index)):
        keys = index[part]
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        first = np.searchsorted(keys, keys)  # of the rows of the same group in this piece
        rows[at[keys] + np.arange(len(keys)) - first] = part.start + order
        at += np.bincount(keys, minlength=n)


def _refuse_doubles(folder: Path, item_index: Column, about: About) -> None:
    """Refuse a table that rates a pair of user and item twice: some users' rows at a time."""
    offsets, rows = _mapped(folder, "by_user_offsets"), _mapped(folder, "by_user_rows")
    users, items, start = about.users, about.items, 0
    while start < len(users):
        end = max(int(np.searchsorted(offsets, offsets[start] + PIECE)) - 1, start + 1)
        end = min(end, len(users))
        part = slice(int(offsets[start]), int(offsets[end]))
        owner = np.repeat(np.arange(start, end), np.diff(offsets[start : end + 1]))
        pair = np.sort(owner * len(items) + item_index[rows[part]])
        double = np.flatnonzero(pair[1:] == pair[:-1])
        if len(double):
            user, item = divmod(int(pair[double[0]]), len(items))
            raise DataError(
                "the table",
                expected="each pair of user and item once",
                received=f"user {users.ids[user]}, item {items.ids[item]} more than once",
                do="keep one of them, with Polars: .unique(['user', 'item'], keep='last')",
            )
        start = end


def _check(ratings: Ratings) -> None:
    """Refuse columns of unlike lengths or other types, and row numbers without a user or item."""
    for name, dtype in _COLUMNS.items():
        column = getattr(ratings, name)
        if column is not None and (column.dtype != dtype or column.shape != (len(ratings),)):
            raise ValueError(f"{name} of type {column.dtype} and shape {column.shape}")
    for index, n in ((ratings.user_index, ratings.n_users), (ratings.item_index, ratings.n_items)):
        if len(index) and not 0 <= index.min() <= index.max() < n:
            raise ValueError(f"row {index.max()} of {n}")
