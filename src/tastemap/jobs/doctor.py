"""Check which packages are installed, whether they run, and where data is stored."""

import importlib.util
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import polars as pl

from tastemap.data.datasets.fetch import cache_folder
from tastemap.errors import MissingPackageError
from tastemap.spark.session import check_java

# Package, its purpose, and the extra that brings it (empty for the core).
PACKAGES = (
    ("numpy", "arrays", ""),
    ("polars", "tables", ""),
    ("numba", "compiled routines", ""),
    ("safetensors", "saved models", ""),
    ("keras", "neural models", "lab"),
    ("jax", "neural models, default backend", "lab"),
    ("tensorflow", "neural models, another backend", ""),
    ("tensorflow-cpu", "the same, for processors alone", ""),
    ("torch", "neural models, another backend", ""),
    ("openTSNE", "the map", "lab"),
    ("matplotlib", "figures", "lab"),
    ("plotly", "the interactive map", "lab"),
    ("optuna", "tuning", "tune"),
    ("pyspark", "ratings on a cluster", "spark"),
)
CORE = {"numpy", "polars", "numba", "safetensors"}


def diagnosis() -> pl.DataFrame:
    """A row for each check: ``check, found, state`` (ok, absent or wrong) and ``do``."""
    rows = [_python(), *map(_package, *zip(*PACKAGES, strict=True)), _cache(), _backend()]
    rows += [_java()] if importlib.util.find_spec("pyspark") else []
    rows.append(("processors", str(os.cpu_count()), "ok", ""))
    return pl.DataFrame(rows, schema=["check", "found", "state", "do"], orient="row")


def _python() -> tuple[str, str, str, str]:
    version = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return "Python", version, "ok", ""


def _package(name: str, purpose: str, extra: str) -> tuple[str, str, str, str]:
    check = f"{name} ({purpose})"
    try:
        return check, version(name), "ok", ""
    except PackageNotFoundError:
        pass
    if name in CORE:
        return check, "", "wrong", f"pip install {name}"
    return check, "", "absent", f'the extra "{extra}"' if extra else ""


def _java() -> tuple[str, str, str, str]:
    """The check of Java, which Spark needs and pip does not install."""
    try:
        return "Java (Spark)", str(check_java()), "ok", ""
    except MissingPackageError as error:
        return "Java (Spark)", str(error.received), "absent", error.do


def _cache() -> tuple[str, str, str, str]:
    folder = cache_folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    sets = sorted(entry.name for entry in _entries(folder))
    contents = f"{folder}: {', '.join(sets) or 'empty'}"
    if os.access(existing, os.W_OK):
        return "data cache", contents, "ok", ""
    return "data cache", contents, "wrong", "set TASTEMAP_DATA to a folder you can write to"


def _entries(folder: Path) -> list[Path]:
    visible = folder.iterdir() if folder.is_dir() else ()
    return [entry for entry in visible if entry.is_dir() and not entry.name.startswith(".")]


def _backend() -> tuple[str, str, str, str]:
    chosen = os.environ.get("KERAS_BACKEND")
    if not chosen:
        return "Keras backend", "jax unless KERAS_BACKEND says otherwise", "ok", ""
    if importlib.util.find_spec(chosen) is None:
        return "Keras backend", chosen, "wrong", f"install {chosen}, or unset KERAS_BACKEND"
    return "Keras backend", chosen, "ok", ""
