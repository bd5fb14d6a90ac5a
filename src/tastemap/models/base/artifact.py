"""Save a fitted model to a directory and load it again: the artifact.

    model.json           format, class, parameters, seed, versions, fingerprint, scale, metrics
    arrays.safetensors   what the model has learnt
    items.parquet        item ids in row order, with what is known about each
    users.parquet        user ids in row order, with what is known about each
    ratings.parquet      the training ratings: what each user has seen
    ratings.safetensors  the same, grouped, in a form to be mapped, where they are millions; of a
                         table that itself is mapped, instead
    history.parquet      the training curves, where there are any
    map.parquet          the 2-D map of the items, where one has been drawn

Nothing in it is code: JSON, safetensors and Parquet. It is written beside the target and renamed
into place, so that a full disk or a kill leaves the old artifact whole.
"""

import contextlib
import json
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from tastemap.data.ratings import Groups, Ratings, Source
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import ArtifactError
from tastemap.models.base.recommender import Recommender
from tastemap.support.atomic import new_folder, settle

FORMAT = 1
MANIFEST = "model.json"
MAPPED_RATINGS = "ratings.safetensors"
# The packages whose versions a reader of an old artifact may want to know.
PACKAGES = ("tastemap", "numpy", "polars", "keras", "jax", "tensorflow", "tensorflow-cpu", "torch")


def save_model(model: Recommender, path: str | Path) -> Path:
    """Write a fitted model to the directory ``path``, replacing an artifact that is there.

    Raises:
        NotFittedError: If the model has not been fitted.
        ArtifactError: If ``path`` exists and is not an artifact; it is left alone.
        OSError: If the disk is full or not writable; the old artifact is intact.
    """
    target = refuse_occupied(path)
    model._fitted  # noqa: B018 - refuses a model that is not fitted
    with new_folder(target) as fresh:
        _write(model._as_saved(), fresh)
    return Path(path)


def refuse_occupied(path: str | Path) -> Path:
    """The absolute path of an artifact to be written, unless something else is there.

    Raises:
        ArtifactError: If ``path`` exists and is not an artifact; it is left alone.
    """
    target = Path(path).absolute()
    settle(target)
    if target.exists() and not (target / MANIFEST).is_file() and _has_content(target):
        raise ArtifactError(
            f"path {path}",
            expected="a new path or a saved model to replace",
            received="something else that is already there",
            do="choose another path",
        )
    return target


def read_manifest(path: str | Path) -> dict[str, Any]:
    """The checked contents of ``model.json``, without loading the model."""
    source = Path(path).absolute()
    try:
        manifest = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ArtifactError(
            f"path {path}",
            expected=f"a saved model, a directory with {MANIFEST}",
            received="no such file",
            do="save one with model.save(path) or tastemap fit -o path",
        ) from None
    except (ValueError, OSError) as error:
        raise _damaged(source, "a readable model.json", str(error)) from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise ArtifactError(
            f"artifact {path}",
            expected=f"format {FORMAT} or older",
            received=f"format {found}",
            do="update tastemap",
        )
    missing = {"class", "parameters", "arrays", "scale", "seed", "metrics"} - set(manifest or {})
    if found != FORMAT or missing:
        raise _damaged(source, "a complete model.json", f"without {sorted(missing) or 'a format'}")
    return dict(manifest)


def _write(model: Recommender, folder: Path) -> None:
    """Write every part, then the manifest."""
    data = model._fitted
    arrays = {name: np.ascontiguousarray(array) for name, array in model._arrays().items()}
    save_file(arrays, folder / "arrays.safetensors")
    data.items.frame.write_parquet(folder / "items.parquet")
    data.users.frame.write_parquet(folder / "users.parquet")
    columns = {"user_index": data.user_index, "item_index": data.item_index, "rating": data.rating}
    timed = {} if data.timestamp is None else {"timestamp": data.timestamp}
    if not data.is_mapped:  # it might be more than memory holds
        pl.DataFrame(columns | timed).write_parquet(folder / "ratings.parquet")
    if data.is_mapped or len(data) >= LARGE:
        write_ratings(data, folder / MAPPED_RATINGS)
    if len(model.history_):
        model.history_.write_parquet(folder / "history.parquet")
    if model.item_map_ is not None:
        model.item_map_.write_parquet(folder / "map.parquet")
    manifest = {
        "format": FORMAT,
        "class": type(model).__name__,
        "parameters": {name: getattr(model, name) for name in model.parameters},
        "learnt_by": model.learnt_by_,
        "recipe": model.recipe_,
        "seed": model.seed_,
        "versions": _versions(),
        "data": {"name": data.source.name, "notes": data.source.notes, "n_ratings": len(data)},
        "fingerprint": data.fingerprint(),
        "scale": {"lowest": data.scale.lowest, "highest": data.scale.highest}
        | {"step": data.scale.step},
        "metrics": model.metrics_,
        "arrays": {n: {"shape": a.shape, "dtype": str(a.dtype)} for n, a in arrays.items()},
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _read_ratings(source: Path, manifest: dict[str, Any], mapped: bool) -> Ratings:
    """The training ratings, with their row numbers checked against the vocabularies."""
    items, users, table = _table(source, "items"), _table(source, "users"), _columns(source, mapped)
    try:
        scale = Scale(**manifest["scale"])
        data = manifest.get("data", {})
        ratings = Ratings(
            user_index=table["user_index"],
            item_index=table["item_index"],
            rating=table["rating"],
            timestamp=table.get("timestamp"),
            users=Vocabulary(users["user_id"], "user", users),
            items=Vocabulary(items["item_id"], "item", items),
            scale=scale,
            source=Source(data.get("name", "ratings"), tuple(data.get("notes", ()))),
        )
        for index, size in (
            (ratings.user_index, ratings.n_users),
            (ratings.item_index, ratings.n_items),
        ):
            if len(index) and not 0 <= index.min() <= index.max() < size:
                raise ValueError(f"row {index.max()} of {size}")  # noqa: TRY301
        if "by_user_rows" in table:
            group(ratings, table)
    except (KeyError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise _damaged(source, "tables that fit together", repr(error)) from error
    return ratings


def _columns(source: Path, mapped: bool) -> dict[str, npt.NDArray[Any]]:
    """The columns of the ratings, by name: mapped with their groups, or read."""
    file = source / MAPPED_RATINGS
    if file.is_file() and (mapped or not (source / "ratings.parquet").is_file()):
        return _from_file(file, map_ratings)
    return {column.name: column.to_numpy() for column in _table(source, "ratings")}


def _read_arrays(
    source: Path, manifest: dict[str, Any], mapped: bool
) -> dict[str, npt.NDArray[Any]]:
    """The arrays, each with the shape and dtype that the manifest says."""
    arrays = _from_file(source / "arrays.safetensors", map_file if mapped else load_file)
    said = {name: (tuple(a["shape"]), a["dtype"]) for name, a in manifest["arrays"].items()}
    found = {name: (array.shape, str(array.dtype)) for name, array in arrays.items()}
    if said != found:
        raise _damaged(source, f"arrays {said}, as model.json says", found)
    return arrays


def _from_file(
    file: Path, read: Callable[[Path], dict[str, npt.NDArray[Any]]]
) -> dict[str, npt.NDArray[Any]]:
    try:
        return read(file)
    except (OSError, ValueError, SafetensorError) as error:
        raise _damaged(file.parent, f"a readable {file.name}", str(error)) from error


def _table(source: Path, name: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(source / f"{name}.parquet")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _damaged(source, f"a readable {name}.parquet", error) from error


def _optional(path: Path, default: Any) -> Any:
    return _table(path.parent, path.stem) if path.is_file() else default


def _damaged(source: Path, expected: str, received: object) -> ArtifactError:
    return ArtifactError(
        f"artifact {source}",
        expected=expected,
        received=received,
        do="the artifact is damaged: fit and save the model again",
    )


def _has_content(path: Path) -> bool:
    return not path.is_dir() or any(path.iterdir())


def _versions() -> dict[str, str]:
    """Versions of the packages that are installed, without importing them."""
    versions = {}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions


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
        arrays |= {f"{name}_offsets": groups.indptr, f"{name}_rows": groups.indices}
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
