"""``Artifact``: a fitted model as a value, and the folder in which it is saved.

    model.json           format, class, parameters, seed, versions, fingerprint, scale, metrics
    arrays.safetensors   the learnt arrays
    items.parquet        the item table, with the ids in row order
    users.parquet        the user table, with the ids in row order
    ratings.parquet      the training ratings
    ratings.safetensors  the same, grouped by user and by item, to be mapped into memory: beside
                         ratings.parquet if there are millions, instead of it for a mapped table
    seen.parquet         what was seen without a rating, if anything was
    history.parquet      the training curves, if there are any
    map.parquet          the 2-D map of the items, if one has been drawn
    merged.parquet       which ratings came from which store, once it was updated from one

It holds no code: only JSON, safetensors and Parquet. It is written to a folder beside the target
and then renamed, so that a full disk or a kill leaves the old artifact intact.
"""

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from safetensors.numpy import save_file

from tastemap.data.feedback import Feedback
from tastemap.data.ratings import Ratings
from tastemap.errors import ArtifactError
from tastemap.models.base.arrays import Arrays
from tastemap.models.base.manifest import FORMAT, Manifest, Recipe, Stop, damaged
from tastemap.models.base.parts import Copies, Parts, entry_of, open_file
from tastemap.models.base.tables import (
    GROUPS,
    MAPPED_RATINGS,
    read_history,
    read_map,
    read_ratings,
)
from tastemap.support.addresses import address_in
from tastemap.support.atomic import new_folder, settle
from tastemap.support.boundary import disk_errors, refusing
from tastemap.support.typed_json import decode

MANIFEST = "model.json"
#: The module of each class that an artifact may name.
CLASSES = {
    "ALS": "tastemap.models.als",
    "BayesianFactorization": "tastemap.models.bayesian.model",
    "BiasModel": "tastemap.models.bias",
    "Blend": "tastemap.models.blend",
    "EASE": "tastemap.models.ease",
    "FactorModel": "tastemap.models.base.factors",
    "ImplicitKNN": "tastemap.models.implicit_knn",
    "ItemKNN": "tastemap.models.knn",
    "MatrixFactorization": "tastemap.models.matrix_factorization",
    "NeuralRecommender": "tastemap.models.neural.recommender",
    "NextItem": "tastemap.models.next_item",
    "Popularity": "tastemap.models.popularity",
    "SASRec": "tastemap.models.sasrec",
    "TwoTower": "tastemap.models.two_tower",
}
# Packages whose versions the manifest records.
PACKAGES = ("tastemap", "numpy", "polars", "keras", "jax", "tensorflow", "tensorflow-cpu", "torch")
# From this number of ratings on, an artifact also holds them in the form that can be mapped.
# Smaller tables are read in a few hundredths of a second.
MIN_MAPPED_RATINGS = 2_000_000
# Old names of parameters, and their present names.
RENAMED_PARAMETERS = {"ItemKNN": {"k": "n_neighbours"}}


@dataclass(frozen=True)
class Artifact:
    """A fitted model as a value, from `Recommender.to_artifact` and for `from_artifact`.

    Attributes:
        class_name: The class of the model.
        parameters: Its constructor's arguments, by name.
        arrays: The learnt arrays, by name.
        ratings: The training ratings or interactions.
        seed: The seed of the fit.
        learnt_by: Name of the model that was fitted; ``class_name`` may be another.
        recipe: Class and parameters to fit it again; None if JSON cannot hold them.
        metrics: Test errors, by name.
        history: Frame of the training curves; empty if there are none.
        item_map: Frame ``item_id, x, y``, or None.
        stopped: Iterations done and planned of a fit that its time ended; None for a whole fit.
    """

    class_name: str
    parameters: dict[str, Any]
    arrays: Arrays
    ratings: Feedback
    seed: int
    learnt_by: str
    recipe: dict[str, Any] | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    history: pl.DataFrame = field(default_factory=pl.DataFrame)
    item_map: pl.DataFrame | None = None
    stopped: tuple[int, int] | None = None

    def write(self, path: str | Path) -> None:
        """Write the folder ``path``, replacing an artifact that is there.

        Raises:
            ArtifactError: If ``path`` exists and is not an artifact; it is left alone.
            OSError: If the disk is full or not writable; the old artifact is intact.
        """
        with new_folder(refuse_occupied(path)) as folder, disk_errors():
            self._write_parts(folder)
            parts = {file.name: entry_of(file) for file in sorted(folder.iterdir())}
            manifest = self._manifest() | {"parts": msgspec.to_builtins(parts)}
            text = json.dumps(manifest, indent=2, ensure_ascii=False)
            (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(
        cls, path: str | Path, *, mapped: bool = False, copies: Copies | None = None
    ) -> "Artifact":
        """The artifact in a folder; ``mapped`` as in `tastemap.load_model`.

        Args:
            path: The folder.
            mapped: Map large files of arrays into memory.
            copies: Where private copies of mapped files lie; None maps the files themselves.

        Raises:
            ArtifactError: If there is no artifact, it is of a newer format, or its parts do not
                fit together.
        """
        source = Path(path).absolute()
        settle(source)
        _, manifest = _checked(source, manifest_text(path))
        stop = manifest.stopped
        parts = Parts(source, manifest.parts, mapped=mapped, copies=copies)
        with refusing(lambda reason: damaged(source, "parts that fit", reason), ArtifactError):
            ratings = read_ratings(parts, manifest)
            return cls(
                class_name=manifest.class_name,
                parameters=renamed(manifest.class_name, manifest.parameters),
                ratings=ratings,
                arrays=_read_arrays(parts, manifest),
                seed=manifest.seed,
                learnt_by=manifest.learnt_by or manifest.class_name,
                recipe=_renamed_recipe(manifest.recipe),
                metrics=manifest.metrics,
                history=read_history(parts),
                item_map=read_map(parts, ratings.items),
                stopped=None if stop is None else (stop.iterations, stop.planned),
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
            pl.DataFrame(_columns(data)).write_parquet(folder / "ratings.parquet")
        if isinstance(data, Ratings) and data.seen is not None:
            pl.DataFrame(_columns(data.seen)).write_parquet(folder / "seen.parquet")
        if data.is_mapped or len(data) >= MIN_MAPPED_RATINGS:
            write_ratings(data, folder / MAPPED_RATINGS)
        if len(self.history):
            self.history.write_parquet(folder / "history.parquet")
        if self.item_map is not None:
            self.item_map.write_parquet(folder / "map.parquet")
        if data.source.merged is not None:
            data.source.merged.write_parquet(folder / "merged.parquet")

    def _manifest(self) -> dict[str, Any]:
        data, stopped = self.ratings, None
        if self.stopped is not None:
            stopped = dict(zip(Stop.__struct_fields__, self.stopped, strict=True))
        return {
            "format": FORMAT,
            "class": self.class_name,
            "parameters": self.parameters,
            "learnt_by": self.learnt_by,
            "recipe": self.recipe,
            "seed": self.seed,
            "stopped": stopped,
            "versions": _versions(),
            "data": {
                "name": data.source.name,
                "notes": data.source.notes,
                "noun": data.source.noun,
                "n_ratings": len(data),
            },
            "fingerprint": data.fingerprint(),
            "scale": asdict(data.scale) if isinstance(data, Ratings) else None,
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
            name: renamed("ItemKNN", options)
            if name == "knn" and isinstance(options, dict)
            else options
            for name, options in parameters["models"].items()
        }
        return parameters | {"models": members}
    names = RENAMED_PARAMETERS.get(class_name, {})
    return {names.get(name, name): value for name, value in parameters.items()}


def _renamed_recipe(recipe: Recipe | None) -> dict[str, Any] | None:
    if recipe is None:
        return None
    return {
        "class": recipe.class_name,
        "parameters": renamed(recipe.class_name, recipe.parameters),
    }


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
    document, _ = _checked(Path(path).absolute(), manifest_text(path))
    return document


def manifest_text(path: str | Path) -> bytes:
    """The contents of ``model.json`` as they are; they tell one artifact from another.

    Raises:
        ArtifactError: If there is none, or it cannot be read.
    """
    try:
        with open_file(Path(path) / MANIFEST) as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        address = address_in(path)
        raise ArtifactError(
            f"path {address or path}",
            expected=f"a saved model, a directory with {MANIFEST}",
            received="an address, which is not read" if address else "no such file",
            do="save one with model.save(path) or tastemap fit -o path",
        ) from None
    except OSError as error:
        raise damaged(path, "a readable model.json", error) from error


def _checked(source: Path, text: bytes) -> tuple[dict[str, Any], Manifest]:
    """The manifest as JSON and as a value: this version reads its format, and its types are right.

    Metrics may be NaN: there are lists without a hit, and errors of no rating.
    """
    with refusing(lambda reason: damaged(source, "a complete model.json", reason)):
        document = decode(text, dict[str, Any], may_be_nan=frozenset({"metrics"}))
        number = msgspec.convert(document, _Format).format
    if number > FORMAT:
        raise ArtifactError(
            f"artifact {source}",
            expected=f"format {FORMAT} or older",
            received=f"format {number}",
            do="update tastemap",
        )
    with refusing(lambda reason: damaged(source, "a complete model.json", reason)):
        return document, msgspec.convert(document, Manifest)


class _Format(msgspec.Struct):
    """The part of model.json that every format has."""

    format: int


def _read_arrays(parts: Parts, manifest: Manifest) -> Arrays:
    """The arrays, with shapes and dtypes checked against the manifest."""
    arrays = parts.arrays("arrays.safetensors")
    declared = {name: (entry.shape, entry.dtype) for name, entry in manifest.arrays.items()}
    read = {name: (array.shape, str(array.dtype)) for name, array in arrays.items()}
    if declared != read:
        raise damaged(parts.folder, f"arrays {declared}, as model.json says", read)
    return arrays


def _has_content(path: Path) -> bool:
    return not path.is_dir() or any(path.iterdir())


def _versions() -> dict[str, str]:
    """Versions of the packages that are installed, without importing them."""
    versions = {}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions


def write_ratings(data: Feedback, file: Path) -> None:
    """Write the columns of a table and its groups by user and by item, 36 bytes a rating."""
    arrays = _columns(data)
    for name in GROUPS:
        groups = getattr(data, name)
        arrays |= {f"{name}_offsets": groups.indptr, f"{name}_rows": groups.indices}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, file)


def _columns(data: Feedback) -> Arrays:
    """The columns of a table by name, without those of which it knows nothing."""
    columns = {name: getattr(data, name) for name in data.column_names()}
    return {name: column for name, column in columns.items() if column is not None}
