"""Small pieces: sizes of files, functions and constructors, held against the code."""

import ast
import inspect
from pathlib import Path

import pytest

import tastemap
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.rows import RowModel
from tastemap.models.registry import CLASSES, model_class

SOURCE = Path(tastemap.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
FUNCTIONS = [
    (path, node)
    for path in FILES
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef)
]
# Exceptions, each with its reason.
LONG_FILES: dict[str, str] = {
    "models/base/factors.py": "the factors, and the two ways to have them",
    "models/blend.py": "the blend and its members",
    "serve/schemas.py": "every answer",
}
LONG_FUNCTIONS: dict[str, str] = {}


def code_lines(node: ast.AST, text: str) -> int:
    """Lines with code on them: no blank lines, comments or docstrings."""
    lines = {n.lineno for n in ast.walk(node) if hasattr(n, "lineno")}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant):
            lines -= set(range(inner.lineno, inner.end_lineno + 1))
    return len(lines)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_files_are_small(path: Path) -> None:
    name = str(path.relative_to(SOURCE))
    assert name in LONG_FILES or len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_functions_are_small() -> None:
    sizes = {
        f"{path.relative_to(SOURCE)}:{node.name}": node.end_lineno
        - node.body[0].lineno
        + 1
        - docstring_lines(node)
        for path, node in FUNCTIONS
    }
    long = {name: n for name, n in sizes.items() if n > 50 and name not in LONG_FUNCTIONS}
    assert not long
    assert sum(n > 20 for n in sizes.values()) <= 0.12 * len(sizes)


def docstring_lines(node: ast.FunctionDef) -> int:
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first.end_lineno - first.lineno + 1
    return 0


def test_the_base_class_is_small() -> None:
    for cls in (RowModel, Recommender):
        methods = [name for name, value in vars(cls).items() if inspect.isroutine(value)]
        assert sum(not name.startswith("_") for name in methods) <= 20, cls
        assert sum(name.startswith("_") and not name.startswith("__") for name in methods) <= 20


def test_models_define_hooks_and_little_else() -> None:
    for name in CLASSES:
        if name == "FactorModel":
            continue
        path = SOURCE / Path(*CLASSES[name].split(".")[1:]).with_suffix(".py")
        (cls,) = [
            node
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.ClassDef) and node.name == name
        ]
        public = [
            node.name
            for node in cls.body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        ]
        assert set(public) <= set(dir(model_class(name).__mro__[1])) | {
            "ridge",  # of ALS, for the fit on Spark
        }


def test_no_raw_ids_in_kernels() -> None:
    for path in (SOURCE / "kernels").rglob("*.py"):
        assert "_id" not in path.read_text(encoding="utf-8"), path


def test_public_names_are_a_sorted_list_that_loads() -> None:
    assert tastemap.__all__ == sorted(set(tastemap.__all__))
    for name in tastemap.__all__:
        value = getattr(tastemap, name)
        assert value.__doc__, name
    with pytest.raises(AttributeError):
        tastemap.no_such_name  # noqa: B018
