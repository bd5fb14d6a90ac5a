"""The import table, held against the code; CONTRIBUTING prints it from here."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tastemap

SOURCE = Path(tastemap.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))

# Layer -> what it may import, beside itself and `BELOW`: layers, or single packages and modules.
BELOW = ("errors", "arrays", "support")
ALLOWED: dict[str, tuple[str, ...]] = {
    "errors": (),
    "arrays": (),
    "support": (),
    "kernels": (),
    "data": (),
    "metrics": ("data.scale",),
    "models": ("data", "metrics", "kernels"),
    "evaluation": ("data", "metrics", "models.base", "models.batch", "models.registry"),
    "explore": ("data", "metrics", "models.base", "kernels"),
    "serve": ("data", "models.base", "models.registry", "explore"),
    # Code that executors run asks kernels, models and metrics; only the work behind the commands
    # asks Spark.
    "spark": ("data", "models", "evaluation", "metrics", "kernels"),
    # The outermost layers: public names, what a terminal shows, the work behind the commands, the
    # command line.
    "__init__": ("data", "metrics", "models", "evaluation"),
    "terminal": (),
    "jobs": ("data", "metrics", "models", "evaluation", "explore", "spark", "terminal"),
    "cli": ("data", "models", "evaluation", "explore", "jobs", "serve", "terminal"),
    "__main__": ("cli",),
}
# What lies below the table of each of these; the rest of them may import all of `BELOW`.
GROUND = {"errors": (), "arrays": (), "support": ("errors", "arrays"), "kernels": ("arrays",)}
KERAS_FOLDER = "models/neural/"


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it; `from x import y` also gives x.y."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield str(node.module)
            yield from (f"{node.module}.{name.name}" for name in node.names)


def modules() -> set[str]:
    """Every module, by its name below ``tastemap``; packages by that of their folder."""
    names = {".".join(p.relative_to(SOURCE).with_suffix("").parts) for p in FILES}
    return {name.removesuffix(".__init__") for name in names}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_follow_the_table(path: Path) -> None:
    layer = path.relative_to(SOURCE).with_suffix("").parts[0]
    assert layer in ALLOWED, f"{layer} is a new layer: add it to the table"
    allowed = (layer, *GROUND.get(layer, BELOW), *ALLOWED[layer])
    known = modules()
    for name in imports_of(path):
        target = name.removeprefix("tastemap.")
        if not name.startswith("tastemap.") or target not in known:
            continue
        # A package that is imported for one of its modules is that module's import.
        deeper = any(one.startswith(f"{target}.") for one in allowed)
        fits = any(target == one or target.startswith(f"{one}.") for one in allowed)
        assert fits or deeper, f"{layer} imports {name}"


def test_only_the_neural_models_import_keras() -> None:
    users = {
        str(path.relative_to(SOURCE))
        for path in FILES
        if any(name.split(".")[0] in {"keras", "tensorflow", "torch"} for name in imports_of(path))
    }
    assert users
    assert all(user.startswith(KERAS_FOLDER) for user in users)


def test_only_the_spark_layer_imports_pyspark() -> None:
    users = {
        str(path.relative_to(SOURCE))
        for path in FILES
        if {"pyspark", "py4j"} & {name.split(".")[0] for name in imports_of(path)}
    }
    assert users
    assert all(user.startswith("spark/") for user in users)


def test_no_pickle_eval_or_shell() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        names = {
            node.func.id
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert names.isdisjoint({"eval", "exec"}), path
        assert "pickle" not in {name.split(".")[0] for name in imports_of(path)}, path
        assert "shell=True" not in text, path
        assert not any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(text))), path


def test_import_is_light() -> None:
    """`import tastemap` and the command line's help load no heavy package."""
    code = "import sys, tastemap, tastemap.cli; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"keras", "jax", "tensorflow", "torch", "matplotlib", "plotly", "fastapi", "numba"}
    heavy |= {"pyspark", "pyarrow"}
    assert heavy.isdisjoint(loaded)
    assert {"polars", "numpy"}.isdisjoint(loaded)
