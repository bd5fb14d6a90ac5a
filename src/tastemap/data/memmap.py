"""Prepared tables: folders of feedback whose columns are mapped into memory, not read.

    table.json                      format, name, notes, scale; no scale for interactions
    user_index.npy, item_index.npy, rating.npy or weight.npy, timestamp.npy, position.npy
                                    the columns of `Ratings` or of `Interactions`; no times or
                                    positions where some are missing
    by_user_offsets.npy, by_user_rows.npy, by_item_offsets.npy, by_item_rows.npy
                                    ``indptr`` and ``indices`` of `Groups`, by user and by item
    users.parquet, items.parquet    the ids in row order
    seen.parquet                    what was seen without a rating, if anything was

The folder is written beside its place and renamed. Writing holds one chunk of rows and the ids in
memory.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import polars as pl

from tastemap.arrays import AnyArray
from tastemap.data.chunks import CHUNK_ROWS, chunks
from tastemap.data.feedback import Groups, Source
from tastemap.data.frame_columns import order_columns
from tastemap.data.interactions import Interactions
from tastemap.data.nouns import noun_of_notes
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale, check_scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import DataError
from tastemap.support.atomic import new_folder, settle
from tastemap.support.boundary import refusing
from tastemap.support.typed_json import decode

FORMAT = 1
MANIFEST = "table.json"
_COLUMNS: dict[str, Any] = {
    "user_index": np.int32,
    "item_index": np.int32,
    "rating": np.float32,
    "weight": np.float32,
    "timestamp": np.int64,
    "position": np.int32,
}


class _Manifest(msgspec.Struct):
    """The contents of table.json."""

    format: int
    name: str
    notes: tuple[str, ...]
    scale: Scale | None
    columns: list[str]
    noun: str | None = None


# Columns of `Ratings` or `Interactions` by name, of some rows.
Chunk = Mapping[str, AnyArray]


class Metadata(NamedTuple):
    """What a table has beside its columns; interactions have no scale."""

    users: Vocabulary
    items: Vocabulary
    scale: Scale | None
    source: Source
    seen: Interactions | None = None


def is_prepared(path: Path) -> bool:
    """Whether a path is the folder of a prepared table."""
    settle(path.absolute())
    return (path / MANIFEST).is_file()


def read_prepared(folder: str | Path) -> Ratings | Interactions:
    """The ratings or interactions of a prepared table; their columns stay in its files.

    Raises:
        DataError: If a file is missing or does not fit the others.
    """
    path = Path(folder)
    settle(path.absolute())

    def refusal(reason: str) -> DataError:
        return DataError(
            f"prepared table {path}",
            expected="the files that tastemap prepare writes",
            received=reason,
            do="prepare it again",
        )

    with refusing(refusal):
        manifest = decode((path / MANIFEST).read_bytes(), _Manifest)
        if manifest.format != FORMAT:
            raise ValueError(f"format {manifest.format}")
        columns: dict[str, Any] = {
            name: _map(path, name) for name in manifest.columns if name in _COLUMNS
        }
        users, items = (
            Vocabulary(pl.read_parquet(path / f"{kind}s.parquet")[f"{kind}_id"], kind)
            for kind in ("user", "item")
        )
        columns |= {name: columns.get(name) for name in ("timestamp", "position")}
        source = _source(manifest)
        table: Ratings | Interactions
        if manifest.scale is None:
            table = Interactions(**columns, users=users, items=items, source=source)
        else:
            check_scale(manifest.scale)
            seen = _seen(path, users, items, source)
            columns |= {"scale": manifest.scale, "seen": seen}
            table = Ratings(**columns, users=users, items=items, source=source)
        _check(table)
        for name, size in (("by_user", table.n_users), ("by_item", table.n_items)):
            groups = Groups(_map(path, f"{name}_offsets"), _map(path, f"{name}_rows"))
            if not groups.fits(size, len(table)):
                raise ValueError(f"{name} that leads outside the table")
            vars(table)[name] = groups
    return table


def _seen(path: Path, users: Vocabulary, items: Vocabulary, source: Source) -> Interactions | None:
    """What was seen without a rating; None if nothing was."""
    if not (path / "seen.parquet").is_file():
        return None
    frame = pl.read_parquet(path / "seen.parquet")
    user, item = (frame[f"{kind}_index"].cast(pl.Int32).to_numpy() for kind in ("user", "item"))
    for index, n in ((user, len(users)), (item, len(items))):
        if not len(index) or not 0 <= index.min() <= index.max() < n:
            raise ValueError(f"what was seen: a row outside of {n}")
    weight = np.ones(len(frame), dtype=np.float32)
    timestamp, _ = order_columns(frame)
    return Interactions(user, item, weight, timestamp, users, items, source)


def _source(manifest: _Manifest) -> Source:
    noun = manifest.noun
    noun = noun_of_notes(manifest.notes) if noun is None else noun
    return Source(manifest.name, manifest.notes, noun=noun)


def write_prepared(
    folder: str | Path, rows: Iterable[Chunk], n: int, metadata: Metadata, names: Iterable[str]
) -> Ratings | Interactions:
    """Write a prepared table of n rows that come in chunks of the columns of these names; map it.

    Raises:
        DataError: If the folder is something else, or a pair of user and item is rated twice.
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
        columns = {name: _new(fresh, name, n) for name in names}
        start = 0
        for chunk in rows:
            end = start + len(chunk["user_index"])
            for name, column in columns.items():
                column[start:end] = chunk[name]
            start = end
        for vocabulary in (metadata.users, metadata.items):
            kind = vocabulary.kind
            _write_groups(fresh, f"by_{kind}", columns[f"{kind}_index"], len(vocabulary))
            vocabulary.ids.to_frame().write_parquet(fresh / f"{kind}s.parquet")
        if metadata.scale is not None:
            _refuse_duplicates(fresh, columns["item_index"], metadata)
        if (seen := metadata.seen) is not None:
            names = ("user_index", "item_index", "timestamp")
            parts = {name: getattr(seen, name) for name in names}
            present = {name: column for name, column in parts.items() if column is not None}
            pl.DataFrame(present).write_parquet(fresh / "seen.parquet")
        manifest = {
            "format": FORMAT,
            "name": metadata.source.name,
            "notes": list(metadata.source.notes),
            "scale": None if metadata.scale is None else asdict(metadata.scale),
            "columns": list(columns),
            "noun": metadata.source.noun,
        }
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return read_prepared(target)


def _new(folder: Path, name: str, n: int) -> AnyArray:
    """A new column in a file whose bytes are allocated on the disk."""
    path, dtype = folder / f"{name}.npy", _COLUMNS.get(name, np.int64)
    column = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(n,))
    # Without this, a full disk would end the process while it writes to mapped memory.
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return column


def _map(folder: Path, name: str) -> AnyArray:
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))


def _write_groups(folder: Path, name: str, index: AnyArray, n: int) -> None:
    """`Groups.of`, chunk by chunk: count the rows of each group, then put each row in its place."""
    counts = np.zeros(n, dtype=np.int64)
    for rows in chunks(len(index)):
        counts += np.bincount(index[rows], minlength=n)
    indptr = _new(folder, f"{name}_offsets", n + 1)
    indptr[0], indptr[1:] = 0, np.cumsum(counts)
    indices, place = _new(folder, f"{name}_rows", len(index)), np.array(indptr[:-1])
    for rows in chunks(len(index)):
        order = np.argsort(index[rows], kind="stable")
        group = index[rows][order]
        first = np.searchsorted(group, group)  # of the rows of the same group in this chunk
        indices[place[group] + np.arange(len(group)) - first] = rows.start + order
        place += np.bincount(group, minlength=n)


def _refuse_duplicates(folder: Path, item_index: AnyArray, metadata: Metadata) -> None:
    """Refuse a table that rates a pair of user and item twice, a chunk of users at a time."""
    indptr, indices = _map(folder, "by_user_offsets"), _map(folder, "by_user_rows")
    users, items, start = metadata.users, metadata.items, 0
    while start < len(users):
        end = max(int(np.searchsorted(indptr, indptr[start] + CHUNK_ROWS)) - 1, start + 1)
        end = min(end, len(users))
        user_index = np.repeat(np.arange(start, end), np.diff(indptr[start : end + 1]))
        rows = indices[int(indptr[start]) : int(indptr[end])]
        pair = np.sort(user_index * len(items) + item_index[rows])
        repeated = pair[1:][pair[1:] == pair[:-1]]
        if len(repeated):
            user, item = divmod(int(repeated[0]), len(items))
            raise DataError(
                "the table",
                expected="each pair of user and item once",
                received=f"user {users.ids[user]}, item {items.ids[item]} more than once",
                do="keep one of them, with Polars: .unique(['user', 'item'], keep='last')",
            )
        start = end


def _check(table: Ratings | Interactions) -> None:
    """Refuse columns of other lengths or types, and row numbers without a user or item."""
    for name in table.column_names():
        column = getattr(table, name)
        if column is None:
            continue
        if column.dtype != _COLUMNS[name] or column.shape != (len(table),):
            raise ValueError(f"{name} of type {column.dtype} and shape {column.shape}")
    for index, n in ((table.user_index, table.n_users), (table.item_index, table.n_items)):
        if len(index) and not 0 <= index.min() <= index.max() < n:
            raise ValueError(f"row {index.max()} of {n}")
