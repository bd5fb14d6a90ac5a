"""The tables of an artifact, read and checked: ratings, items, users, training curves, map.

What is checked here is what calls on a loaded model rely on without looking again, so that a
damaged table is refused when the model is loaded and not in the middle of a request.
"""

import io
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import polars as pl

from tastemap.data.feedback import Feedback, Groups, Source
from tastemap.data.interactions import Interactions
from tastemap.data.nouns import noun_of_notes
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import ArtifactError
from tastemap.models.base.arrays import Arrays
from tastemap.models.base.manifest import Manifest, Origin, damaged
from tastemap.models.base.parts import Parts, unreadable
from tastemap.support.boundary import refusing

MAPPED_RATINGS = "ratings.safetensors"
DTYPES = {
    "user_index": np.dtype(np.int32),
    "item_index": np.dtype(np.int32),
    "rating": np.dtype(np.float32),
    "weight": np.dtype(np.float32),
    "timestamp": np.dtype(np.int64),
    "position": np.dtype(np.int32),
}
#: The columns of which a table may know nothing.
OPTIONAL = ("timestamp", "position")
_PARQUET_DTYPES: dict[str, pl.DataType] = {
    "user_index": pl.Int32(),
    "item_index": pl.Int32(),
    "rating": pl.Float32(),
    "weight": pl.Float32(),
    "timestamp": pl.Int64(),
    "position": pl.Int32(),
}
GROUPS = ("by_user", "by_item")
# Old names of columns of the training curves, and their present names.
RENAMED_CURVES = {
    "loss": "train_loss",
    "val_loss": "validation_loss",
    "val_rmse": "validation_rmse",
}
# Ratings are float32, and the ends of a scale float64.
SCALE_TOLERANCE = 1e-5


def read_ratings(parts: Parts, manifest: Manifest) -> Feedback:
    """The training ratings with the tables of items and users; without a scale interactions.

    Raises:
        ArtifactError: If they cannot be read, or do not fit together.
    """
    kind = Ratings if manifest.scale else Interactions
    items, users = table(parts, "items"), table(parts, "users")
    columns = _columns(parts, kind.column_names())
    with _fitting(parts):
        _check_items(items)
        source = _source(manifest.data, _merged(parts, users, items))
        attributes: dict[str, Any] = {name: columns.get(name) for name in kind.column_names()}
        attributes |= {
            "users": Vocabulary(users["user_id"], "user", users),
            "items": Vocabulary(items["item_id"], "item", items),
            "source": source,
        }
        if manifest.scale is not None:
            attributes |= {"scale": manifest.scale, "seen": _seen(parts, attributes)}
        ratings: Feedback = kind(**attributes)
        _check_columns(ratings)
        if "by_user_rows" in columns:
            group(ratings, columns)
    return ratings


def _seen(parts: Parts, attributes: dict[str, Any]) -> Interactions | None:
    """What was seen without a rating; None if nothing was."""
    if "seen.parquet" not in parts:
        return None
    names = Interactions.column_names()
    columns = _columns_of(table(parts, "seen"), names)
    values: dict[str, Any] = {name: columns.get(name) for name in names}
    values |= {name: attributes[name] for name in ("users", "items", "source")}
    seen = Interactions(**values)
    _check_columns(seen)
    return seen


def _source(origin: Origin, merged: pl.DataFrame | None) -> Source:
    noun = noun_of_notes(origin.notes) if origin.noun is None else origin.noun
    return Source(origin.name, origin.notes, merged, noun)


def _merged(parts: Parts, users: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame | None:
    """The record of ratings that came from a store, as `Source.merged` describes it."""
    if "merged.parquet" not in parts:
        return None
    merged = table(parts, "merged")
    schema = {"store": pl.String(), "number": pl.Int64(), "kind": pl.String()}
    schema |= {"user_id": users["user_id"].dtype, "item_id": items["item_id"].dtype}
    if {**merged.schema} != schema:
        raise ValueError(f"merged.parquet with {merged.schema}")
    return merged


def read_history(parts: Parts) -> pl.DataFrame:
    """The training curves; an empty frame if there are none.

    Raises:
        ArtifactError: If they cannot be read, or are no numbers.
    """
    if "history.parquet" not in parts:
        return pl.DataFrame()
    history = table(parts, "history")
    with _fitting(parts):
        for column in history:
            if not column.dtype.is_numeric() or column.dtype.is_decimal():
                raise ValueError(f"history.parquet with {column.name} of type {column.dtype}")
    return history.rename(RENAMED_CURVES, strict=False)


def read_map(parts: Parts, items: Vocabulary) -> pl.DataFrame | None:
    """The map of the items; None if there is none.

    Raises:
        ArtifactError: If it cannot be read, or does not fit the items.
    """
    if "map.parquet" not in parts:
        return None
    item_map = table(parts, "map")
    with _fitting(parts):
        ids = item_map["item_id"]
        if ids.null_count() or not ids.is_unique().all():
            raise ValueError("map.parquet with an item twice, or without an item")
        items.index(ids)  # raises for an unknown item
        for name in {"x", "y", "preserved"} & {*item_map.columns} | {"x", "y"}:
            column = item_map[name]
            if not column.dtype.is_float():
                raise ValueError(f"map.parquet with {name} of type {column.dtype}")
            if name != "preserved" and not (column.is_finite() & column.is_not_null()).all():
                raise ValueError(f"map.parquet with {name} that is no finite number")
    return item_map


def table(parts: Parts, name: str) -> pl.DataFrame:
    """A table of an artifact.

    Raises:
        ArtifactError: If it cannot be read.
    """
    file = f"{name}.parquet"
    with refusing(lambda reason: unreadable(parts.folder, file, reason), ArtifactError):
        return pl.read_parquet(io.BytesIO(parts[file].data))


def _fitting(parts: Parts) -> AbstractContextManager[None]:
    expected = "tables that fit together"
    return refusing(lambda reason: damaged(parts.folder, expected, reason), ArtifactError)


def _columns(parts: Parts, names: tuple[str, ...]) -> Arrays:
    """The columns of these names: mapped with their groups, or read."""
    if MAPPED_RATINGS in parts and (parts.mapped or "ratings.parquet" not in parts):
        columns = parts.arrays(MAPPED_RATINGS, mapped=True)
        with _fitting(parts):
            check_mapped(columns, names)
        return columns
    frame = table(parts, "ratings")
    with _fitting(parts):
        return _columns_of(frame, names)


def _columns_of(frame: pl.DataFrame, names: tuple[str, ...]) -> Arrays:
    """The columns of these names in their dtypes."""
    if any(frame.null_count().row(0)):
        raise ValueError("ratings with values missing")
    return {
        name: _numbers(frame[name], _PARQUET_DTYPES[name]).to_numpy()
        for name in names
        if name not in OPTIONAL or name in frame.columns
    }


def _numbers(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """A column of `Ratings` in its dtype; whole numbers come from whole numbers alone."""
    whole = column.dtype.is_integer()
    if not whole and not (dtype.is_float() and column.dtype.is_float()):
        raise ValueError(f"ratings.parquet with {column.name} of type {column.dtype}")
    return column.cast(dtype)


def check_mapped(columns: Arrays, names: tuple[str, ...] = Ratings.column_names()) -> None:
    """Refuse mapped columns of other lengths or types than those of ratings, or of these names.

    Raises:
        ValueError: If a column is missing, or has a wrong length or dtype.
    """
    size = len(columns.get(names[2], ()))
    for name in names:
        dtype, column = DTYPES[name], columns.get(name)
        if column is None and name in OPTIONAL:
            continue
        if column is None or column.shape != (size,) or column.dtype != dtype:
            raise ValueError(f"no {name} of {size} {dtype}")


def group(data: Feedback, columns: Arrays) -> None:
    """Give a table the groups that its mapped columns hold, so that it is not sorted again.

    Raises:
        ValueError: If the groups do not fit the table.
        KeyError: If the groups are missing.
    """
    for name, size in zip(GROUPS, (data.n_users, data.n_items), strict=True):
        groups = Groups(columns[f"{name}_offsets"], columns[f"{name}_rows"])
        if not groups.fits(size, len(data)):
            raise ValueError(f"{name} that leads outside the table")
        vars(data)[name] = groups


def _check_columns(data: Feedback) -> None:
    """Refuse row numbers without a user or item, and ratings outside the scale."""
    if not len(data):
        raise ValueError("no rating")
    for index, size in ((data.user_index, data.n_users), (data.item_index, data.n_items)):
        if not 0 <= index.min() <= index.max() < size:
            raise ValueError(f"row {index.max()} of {size}")
    if not isinstance(data, Ratings):
        if not np.isfinite(data.values).all():
            raise ValueError("a weight that is no finite number")
        return
    lowest, highest = data.scale.lowest, data.scale.highest
    slack = SCALE_TOLERANCE * max(1.0, abs(lowest), abs(highest))
    # A NaN is neither.
    if not (data.rating.min() >= lowest - slack and data.rating.max() <= highest + slack):
        raise ValueError(f"a rating outside the scale from {lowest:g} to {highest:g}")


def _check_items(items: pl.DataFrame) -> None:
    """Refuse titles, years and genres that are nested: nothing could show them."""
    for name in ("title", "year", "genres"):
        if name not in items.columns:
            continue
        dtype = items[name].dtype
        of_text = dtype in (pl.List(pl.String), pl.List(pl.Null))
        if (dtype.is_nested() and not (name == "genres" and of_text)) or dtype == pl.Binary:
            raise ValueError(f"items.parquet with {name} of type {dtype}")
