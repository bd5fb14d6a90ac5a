"""``Artifact``: a fitted model as a value, and the folder in which it is saved.

    model.json           format, class, parameters, seed, versions, fingerprint, scale, metrics
    arrays.safetensors   the learnt arrays
    items.parquet        the item table, with the ids in row order
    users.parquet        the user table, with the ids in row order
    ratings.parquet      the training ratings
    ratings.safetensors  the same, grouped by user and by item, to be mapped into memory: beside
                         ratings.parquet if there are millions, instead of it for a mapped table
    history.parquet      the training curves, if there are any
    map.parquet          the 2-D map of the items, if one has been drawn
    merged.parquet       which ratings came from which store, once it was updated from one

It holds no code: only JSON, safetensors and Parquet. It is written to a folder beside the target
and then renamed, so that a full disk or a kill leaves the old artifact intact.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
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
from tastemap.support.atomic import new_folder, settle

FORMAT = 1
MANIFEST = "model.json"
MAPPED_RATINGS = "ratings.safetensors"
#: The module of each class that an artifact may name.
CLASSES = {
    "ALS": "tastemap.models.als",
    "BayesianFactorization": "tastemap.models.bayesian.model",
    "BiasModel": "tastemap.models.bias",
    "Blend": "tastemap.models.blend",
    "EASE": "tastemap.models.ease",
    "FactorModel": "tastemap.models.base.factors",
    "ItemKNN": "tastemap.models.knn",
    "MatrixFactorization": "tastemap.models.matrix_factorization",
    "NeuralRecommender": "tastemap.models.neural.recommender",
    "Popularity": "tastemap.models.popularity",
    "TwoTower": "tastemap.models.two_tower",
}
# Packages whose versions the manifest records.
PACKAGES = ("tastemap", "numpy", "polars", "keras", "jax", "tensorflow", "tensorflow-cpu", "torch")
# From this number of ratings on, an artifact also holds them in the form that can be mapped.
# Smaller tables are read in a few hundredths of a second.
MIN_MAPPED_RATINGS = 2_000_000
# Old names of parameters and of columns of the training curves, and their present names.
RENAMED_PARAMETERS = {"ItemKNN": {"k": "n_neighbours"}}
RENAMED_CURVES = {
    "loss": "train_loss",
    "val_loss": "validation_loss",
    "val_rmse": "validation_rmse",
}
# The dtypes by their names in safetensors.
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

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Artifact:
    """A fitted model as a value, from `Recommender.to_artifact` and for `from_artifact`.

    Attributes:
        class_name: The class of the model.
        parameters: Its constructor's arguments, by name.
        arrays: The learnt arrays, by name.
        ratings: The training ratings.
        seed: The seed of the fit.
        learnt_by: Name of the model that was fitted; ``class_name`` may be another.
        recipe: Class and parameters to fit it again; None if JSON cannot hold them.
        metrics: Test errors, by name.
        history: Frame of the training curves; empty if there are none.
        item_map: Frame ``item_id, x, y``, or None.
    """

    class_name: str
    parameters: dict[str, Any]
    arrays: Arrays
    ratings: Ratings
    seed: int
    learnt_by: str
    recipe: dict[str, Any] | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    history: pl.DataFrame = field(default_factory=pl.DataFrame)
    item_map: pl.DataFrame | None = None

    def write(self, path: str | Path) -> None:
        """Write the folder ``path``, replacing an artifact that is there.

        Raises:
            ArtifactError: If ``path`` exists and is not an artifact; it is left alone.
            OSError: If the disk is full or not writable; the old artifact is intact.
        """
        with new_folder(refuse_occupied(path)) as folder:
            self._write_parts(folder)
            text = json.dumps(self._manifest(), indent=2, ensure_ascii=False)
            (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path, *, mapped: bool = False) -> "Artifact":
        """The artifact in a folder; ``mapped`` as in `tastemap.load_model`.

        Raises:
            ArtifactError: If there is no artifact, it is of a newer format, or its parts do not
                fit together.
        """
        source = Path(path).absolute()
        settle(source)
        manifest = read_manifest(source)
        history = _optional(source / "history.parquet", pl.DataFrame())
        return cls(
            class_name=manifest["class"],
            parameters=renamed(manifest["class"], manifest["parameters"]),
            ratings=_read_ratings(source, manifest, mapped),
            arrays=_read_arrays(source, manifest, mapped),
            seed=manifest["seed"],
            learnt_by=manifest.get("learnt_by", manifest["class"]),
            recipe=_renamed_recipe(manifest.get("recipe")),
            metrics=manifest["metrics"],
            history=history.rename(RENAMED_CURVES, strict=False),
            item_map=_optional(source / "map.parquet", None),
        )

    def digest(self, *more: Any) -> str:
        """A hash of the model and of ``more``, as hexadecimal text."""
        digest = hashlib.blake2b(digest_size=16)
        titles = self.ratings.items.titles.to_list()
        parts = [*more, self.ratings.fingerprint(), titles, self.learnt_by, self.recipe]
        digest.update(json.dumps(parts, default=str).encode())
        for name, array in sorted(self.arrays.items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def _write_parts(self, folder: Path) -> None:
        data = self.ratings
        arrays = {name: np.ascontiguousarray(array) for name, array in self.arrays.items()}
        save_file(arrays, folder / "arrays.safetensors")
        data.items.frame.write_parquet(folder / "items.parquet")
        data.users.frame.write_parquet(folder / "users.parquet")
        if not data.is_mapped:  # a mapped table may be larger than memory
            columns = {name: getattr(data, name) for name in _COLUMNS}
            present = {name: column for name, column in columns.items() if column is not None}
            pl.DataFrame(present).write_parquet(folder / "ratings.parquet")
        if data.is_mapped or len(data) >= MIN_MAPPED_RATINGS:
            write_ratings(data, folder / MAPPED_RATINGS)
        if len(self.history):
            self.history.write_parquet(folder / "history.parquet")
        if self.item_map is not None:
            self.item_map.write_parquet(folder / "map.parquet")
        if data.source.merged is not None:
            data.source.merged.write_parquet(folder / "merged.parquet")

    def _manifest(self) -> dict[str, Any]:
        data, scale = self.ratings, self.ratings.scale
        return {
            "format": FORMAT,
            "class": self.class_name,
            "parameters": self.parameters,
            "learnt_by": self.learnt_by,
            "recipe": self.recipe,
            "seed": self.seed,
            "versions": _versions(),
            "data": {"name": data.source.name, "notes": data.source.notes, "n_ratings": len(data)},
            "fingerprint": data.fingerprint(),
            "scale": {"lowest": scale.lowest, "highest": scale.highest, "step": scale.step},
            "metrics": self.metrics,
            "arrays": {
                name: {"shape": array.shape, "dtype": str(array.dtype)}
                for name, array in self.arrays.items()
            },
        }


def model_class(name: str) -> Any:
    """The class that an artifact names, imported now."""
    if name not in CLASSES:
        raise ArtifactError(
            "class of the artifact", expected=f"one of {', '.join(CLASSES)}", received=repr(name)
        )
    return getattr(import_module(CLASSES[name]), name)


def renamed(class_name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters of a class under their present names.

    Example:
        >>> renamed("ItemKNN", {"k": 30, "damping": 0.2})
        {'n_neighbours': 30, 'damping': 0.2}
    """
    if class_name == "Blend" and isinstance(parameters.get("models"), dict):
        members = {
            name: renamed("ItemKNN", options) if name == "knn" else options
            for name, options in parameters["models"].items()
        }
        return parameters | {"models": members}
    names = RENAMED_PARAMETERS.get(class_name, {})
    return {names.get(name, name): value for name, value in parameters.items()}


def _renamed_recipe(recipe: dict[str, Any] | None) -> dict[str, Any] | None:
    return recipe and recipe | {"parameters": renamed(recipe["class"], recipe["parameters"])}


def refuse_occupied(path: str | Path) -> Path:
    """The absolute path for a new artifact; a path with other content is refused.

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
        raise damaged(source, "a readable model.json", str(error)) from error
    number = manifest.get("format") if isinstance(manifest, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise ArtifactError(
            f"artifact {path}",
            expected=f"format {FORMAT} or older",
            received=f"format {number}",
            do="update tastemap",
        )
    missing = {"class", "parameters", "arrays", "scale", "seed", "metrics"} - set(manifest or {})
    if number != FORMAT or missing:
        raise damaged(source, "a complete model.json", f"without {sorted(missing) or 'a format'}")
    return dict(manifest)


def _read_ratings(source: Path, manifest: dict[str, Any], mapped: bool) -> Ratings:
    """The training ratings, with their row numbers checked against the vocabularies."""
    items, users, table = _table(source, "items"), _table(source, "users"), _columns(source, mapped)
    try:
        scale = Scale(**manifest["scale"])
        data = manifest.get("data", {})
        merged = _merged(source, users["user_id"].dtype, items["item_id"].dtype)
        ratings = Ratings(
            user_index=table["user_index"],
            item_index=table["item_index"],
            rating=table["rating"],
            timestamp=table.get("timestamp"),
            users=Vocabulary(users["user_id"], "user", users),
            items=Vocabulary(items["item_id"], "item", items),
            scale=scale,
            source=Source(data.get("name", "ratings"), tuple(data.get("notes", ())), merged),
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
        raise damaged(source, "tables that fit together", repr(error)) from error
    return ratings


def _merged(source: Path, user_id: pl.DataType, item_id: pl.DataType) -> pl.DataFrame | None:
    """The record of ratings that came from a store, as `Source.merged` describes it."""
    merged: pl.DataFrame | None = _optional(source / "merged.parquet", None)
    schema = {"store": pl.String(), "number": pl.Int64(), "user_id": user_id, "item_id": item_id}
    if merged is not None and merged.schema != schema | {"kind": pl.String()}:
        raise ValueError(f"merged.parquet with {merged.schema}")
    return merged


def _columns(source: Path, mapped: bool) -> Arrays:
    """The columns of the ratings, by name: mapped with their groups, or read."""
    file = source / MAPPED_RATINGS
    if file.is_file() and (mapped or not (source / "ratings.parquet").is_file()):
        return _from_file(file, map_ratings)
    return {column.name: column.to_numpy() for column in _table(source, "ratings")}


def _read_arrays(source: Path, manifest: dict[str, Any], mapped: bool) -> Arrays:
    """The arrays, with shapes and dtypes checked against the manifest."""
    arrays = _from_file(source / "arrays.safetensors", map_file if mapped else load_file)
    declared = {name: (tuple(a["shape"]), a["dtype"]) for name, a in manifest["arrays"].items()}
    read = {name: (array.shape, str(array.dtype)) for name, array in arrays.items()}
    if declared != read:
        raise damaged(source, f"arrays {declared}, as model.json says", read)
    return arrays


def _from_file(file: Path, read: Callable[[Path], Arrays]) -> Arrays:
    try:
        return read(file)
    except (OSError, ValueError, SafetensorError) as error:
        raise damaged(file.parent, f"a readable {file.name}", str(error)) from error


def _table(source: Path, name: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(source / f"{name}.parquet")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise damaged(source, f"a readable {name}.parquet", error) from error


def _optional(path: Path, default: Any) -> Any:
    return _table(path.parent, path.stem) if path.is_file() else default


def damaged(source: str | Path, expected: str, received: object) -> ArtifactError:
    """The error for a part of an artifact that cannot be used."""
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


def map_file(file: Path) -> Arrays:
    """The arrays of a safetensors file as read-only views of the file in memory.

    The format: eight bytes with the length of the header, the header in JSON, the arrays' bytes.
    """
    with safe_open(file, framework="np"):
        pass  # raises if the header does not fit the file
    whole = np.memmap(file, dtype=np.uint8, mode="r")
    start = 8 + int(whole[:8].view("<u8")[0])
    header = json.loads(whole[8:start].tobytes())
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, end = (start + offset for offset in entry["data_offsets"])
            array = np.asarray(whole[first:end]).view(_DTYPES[entry["dtype"]])
            arrays[name] = array.reshape(entry["shape"])
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
    """The arrays that `write_ratings` wrote, as read-only views.

    Raises:
        ValueError: If a column is missing, or has a wrong length or dtype.
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
    """Give a table the groups that `write_ratings` wrote, so that it is not sorted again.

    Raises:
        ValueError: If the groups do not fit the table.
        KeyError: If the groups are missing.
    """
    for name, size in zip(_GROUPS, (data.n_users, data.n_items), strict=True):
        groups = Groups(arrays[f"{name}_offsets"], arrays[f"{name}_rows"])
        if not groups.fits(size, len(data)):
            raise ValueError(f"{name} that leads outside the table")
        vars(data)[name] = groups
