"""Kinds of damage to a saved model, by name; each must be refused when the model is loaded."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from safetensors.numpy import load_file, save_file

from tastemap.models.base.parts import entry_of

Damage = Callable[[Path], None]


def vouch(path: Path) -> None:
    """Write into model.json what its files are now, so that their content is looked at itself."""
    manifest = json.loads((path / "model.json").read_text(encoding="utf-8"))
    files = [file for file in sorted(path.iterdir()) if file.name != "model.json"]
    manifest["parts"] = {file.name: msgspec.to_builtins(entry_of(file)) for file in files}
    (path / "model.json").write_text(json.dumps(manifest), encoding="utf-8")


def manifest(**changes: Any) -> Damage:
    """Other values in model.json."""

    def damage(path: Path) -> None:
        file = path / "model.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes), encoding="utf-8")

    return damage


def text(old: str, new: str) -> Damage:
    """Other text in model.json, which may then be no JSON."""

    def damage(path: Path) -> None:
        whole = (path / "model.json").read_text(encoding="utf-8")
        assert old in whole, old
        (path / "model.json").write_text(whole.replace(old, new, 1), encoding="utf-8")

    return damage


def content(name: str, change: Callable[[bytes], bytes]) -> Damage:
    """Other bytes in a file."""

    def damage(path: Path) -> None:
        (path / name).write_bytes(change((path / name).read_bytes()))

    return damage


def folder(name: str) -> Damage:
    """A folder in the place of a file."""

    def damage(path: Path) -> None:
        (path / name).unlink()
        (path / name).mkdir()

    return damage


def pipe(name: str) -> Damage:
    """A pipe in the place of a file, whose other end nobody holds."""

    def damage(path: Path) -> None:
        (path / name).unlink()
        os.mkfifo(path / name)

    return damage


def table(name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Damage:
    """Another table, which model.json vouches for."""

    def damage(path: Path) -> None:
        change(pl.read_parquet(path / name)).write_parquet(path / name)
        vouch(path)

    return damage


def array(name: str, change: Callable[[Any], Any]) -> Damage:
    """Another array, which model.json vouches for; None takes it away."""

    def damage(path: Path) -> None:
        arrays = load_file(path / "arrays.safetensors")
        changed = change(arrays.pop(name, None))
        if changed is not None:
            arrays[name] = np.ascontiguousarray(changed)
        save_file(arrays, path / "arrays.safetensors")
        said = {key: {"shape": a.shape, "dtype": str(a.dtype)} for key, a in arrays.items()}
        manifest(arrays=said)(path)
        vouch(path)

    return damage


def with_value(value: float, place: Any = 0) -> Callable[[Any], Any]:
    """One other value in an array."""

    def change(values: Any) -> Any:
        changed = values.copy()
        changed[place] = value
        return changed

    return change


def column(name: str, values: Any) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Another column: an expression, or values."""
    values = values if isinstance(values, pl.Expr) else pl.lit(values)
    return lambda frame: frame.with_columns(values.alias(name))


NESTED = pl.struct(pl.lit(1).alias("a"))
BRACKETS = "[" * 100_000 + "]" * 100_000

#: Of any model with a map and training curves.
DAMAGES: dict[str, Damage] = {
    # ---- model.json ----
    "arrays that are a list": manifest(arrays=[]),
    "an array that is a list": manifest(arrays={"user_weights": []}),
    "an array of negative length": manifest(
        arrays={"user_weights": {"shape": [-1], "dtype": "float32"}}
    ),
    "parameters that are a list": manifest(parameters=[1]),
    "a parameter of the class's that is text": manifest(parameters={"n_factors": "many"}),
    "a parameter that is negative": manifest(parameters={"n_factors": -1}),
    "a parameter that the class has not": manifest(parameters={"ratings_": 1}),
    "a class that is a list": manifest(**{"class": ["x"]}),
    "a class that is none": manifest(**{"class": "os"}),
    "a format that is text": manifest(format="1"),
    "a format that is true": manifest(format=True),
    "metrics that are a list": manifest(metrics=[1]),
    "a calibration that is a number": manifest(metrics={"calibration": 1}),
    "a calibration of unequal columns": manifest(
        metrics={"calibration": {"reliability": {"a": [1], "b": []}, "coverage": {}}}
    ),
    "a recipe that is a list": manifest(recipe=[1]),
    "a recipe without parameters": manifest(recipe={"class": "MatrixFactorization"}),
    "a recipe with parameters of no name": manifest(recipe={"class": "BiasModel", "parameters": 1}),
    "a seed that is text": manifest(seed="0"),
    "a seed that is a fraction": manifest(seed=0.5),
    "a huge seed": text('"seed": 0', f'"seed": {"9" * 30}'),
    "a number of 5000 digits": text('"seed": 0', f'"seed": {"9" * 5000}'),
    "a scale of NaN": text('"lowest": 1.0', '"lowest": NaN'),
    "a scale up to infinity": text('"highest": 5.0', '"highest": Infinity'),
    "a scale up to 1e999": text('"highest": 5.0', '"highest": 1e999'),
    "a step of 0": text('"step": 1.0', '"step": 0.0'),
    "a step of almost 0": text('"step": 1.0', '"step": 1e-300'),
    "a negative step": text('"step": 1.0', '"step": -1.0'),
    "a scale upside down": text('"lowest": 1.0', '"lowest": 9.0'),
    "a scale of other ratings": text('"highest": 5.0', '"highest": 3.0'),
    "a scale without ends": manifest(scale={}),
    "versions that are a list": manifest(versions=[1]),
    "notes that are numbers": manifest(data={"name": "ratings", "notes": [1]}),
    "a name that is a number": manifest(learnt_by=7),
    "iterations that are negative": manifest(stopped={"iterations": -1, "planned": 20}),
    "parts that are a list": manifest(parts=[1]),
    "a part of a negative length": manifest(parts={"items.parquet": {"bytes": -1, "sha256": ""}}),
    "a part whose hash is a path": manifest(
        parts={"items.parquet": {"bytes": 1, "sha256": "/etc/passwd"}}
    ),
    "100,000 brackets": text('"recipe": {', f'"more": {BRACKETS}, "recipe": {{'),
    "50 levels": manifest(more=json.loads("[" * 50 + "]" * 50)),
    "a lone surrogate": text('"seed"', '"more": "\\ud800", "seed"'),
    "a lone surrogate as a name": text('"seed"', '"\\ud800": 1, "seed"'),
    "a name twice": text('"seed"', '"seed": 0, "seed"'),
    "a list as model.json": content("model.json", lambda _: b"[]"),
    "an empty model.json": content("model.json", lambda _: b""),
    "a binary model.json": content("model.json", lambda _: bytes(range(256))),
    "half of model.json": content("model.json", lambda whole: whole[: len(whole) // 2]),
    "a folder as model.json": folder("model.json"),
    "a pipe as model.json": pipe("model.json"),
    # ---- the files ----
    "a folder as arrays": folder("arrays.safetensors"),
    "a folder as items": folder("items.parquet"),
    "no users": lambda path: (path / "users.parquet").unlink(),
    "no map, though model.json says one": lambda path: (path / "map.parquet").unlink(),
    "one byte of the arrays": content("arrays.safetensors", lambda w: w[:-1] + bytes([w[-1] ^ 1])),
    "one byte more in the items": content("items.parquet", lambda whole: whole + b"\0"),
    "half of the ratings": content("ratings.parquet", lambda whole: whole[: len(whole) // 2]),
    "empty arrays": content("arrays.safetensors", lambda _: b""),
    "a header longer than the file": content(
        "arrays.safetensors", lambda whole: b"\xff" * 8 + whole[8:]
    ),
    # ---- the arrays ----
    "weights of fewer items": array("item_weights", lambda a: a[:-1]),
    "weights of more factors": array("item_weights", lambda a: np.hstack([a, a])),
    "weights of other dimensions": array("user_weights", lambda a: a.ravel()),
    "weights of no size": array("user_weights", lambda a: a[:, :0]),
    "weights that are whole numbers": array("item_weights", lambda a: a.astype(np.int32)),
    "weights with a NaN": array("item_weights", with_value(np.nan)),
    "weights with an infinity": array("user_weights", with_value(-np.inf)),
    "a mean that is no number": array("global_mean", with_value(np.nan)),
    "no mean": array("global_mean", lambda _: None),
    "an empty mean": array("global_mean", lambda a: a[:0]),
    "a prior of another size": array("prior_mean", lambda a: a[1:]),
    "half a prior": array("prior_precision", lambda _: None),
    "an array that the class has not": array("__class__", lambda _: np.ones(3)),
    # ---- items and users ----
    "an item twice": table("items.parquet", column("item_id", 1)),
    "an item without an id": table("items.parquet", column("item_id", None)),
    "no column of ids": table("items.parquet", lambda frame: frame.drop("item_id")),
    "ids that are lists": table("users.parquet", column("user_id", [1])),
    "ids that are fractions": table("users.parquet", column("user_id", pl.col("user_id") + 0.5)),
    "fewer users than rows": table("users.parquet", lambda frame: frame[:-1]),
    "titles that are structs": table("items.parquet", column("title", NESTED)),
    "titles that are bytes": table("items.parquet", column("title", b"\xff")),
    "years that are lists": table("items.parquet", column("year", pl.concat_list("item_id"))),
    "genres that are structs": table("items.parquet", column("genres", NESTED)),
    "genres that are lists of structs": table(
        "items.parquet", column("genres", pl.concat_list(NESTED))
    ),
    "genres that are lists of numbers": table(
        "items.parquet", column("genres", pl.concat_list("item_id"))
    ),
    # ---- ratings ----
    "a rating of NaN": table("ratings.parquet", column("rating", float("nan"))),
    "a rating outside the scale": table("ratings.parquet", column("rating", 99.0)),
    "ratings that are text": table("ratings.parquet", column("rating", "5")),
    "ratings without a value": table("ratings.parquet", column("rating", None)),
    "a user below the first": table("ratings.parquet", column("user_index", -1)),
    "an item behind the last": table("ratings.parquet", column("item_index", 10**6)),
    "an item of more than 32 bits": table("ratings.parquet", column("item_index", 2**32)),
    "items that are fractions": table("ratings.parquet", column("item_index", 0.5)),
    "times that are text": table("ratings.parquet", column("timestamp", "now")),
    "no column of ratings": table("ratings.parquet", lambda frame: frame.drop("rating")),
    "no rating": table("ratings.parquet", lambda frame: frame[:0]),
    # ---- curves and map ----
    "curves that are text": table("history.parquet", column("train_rmse", "low")),
    "curves that are lists": table("history.parquet", column("more", pl.concat_list("epoch"))),
    "a map of an unknown item": table("map.parquet", column("item_id", pl.col("item_id") + 1000)),
    "a map with an item twice": table("map.parquet", column("item_id", 1)),
    "a map to infinity": table("map.parquet", column("x", float("inf"))),
    "a map without a place": table("map.parquet", column("y", None)),
    "a map with text": table("map.parquet", column("x", "left")),
    "a map without a column": table("map.parquet", lambda frame: frame.drop("y")),
    "a map with text of what is preserved": table("map.parquet", column("preserved", "much")),
}


def damaged(source: Path, target: Path, damage: Damage) -> Path:
    """A damaged copy of a saved model."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    damage(target)
    return target
