"""The tables of `house.py`, held against the code; CONTRIBUTING prints them from there."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import house
from house import ALLOWED, BELOW, GROUND, HABITS, ROOT, SOURCE

FILES = house.files()
KERAS_FOLDER = "models/neural/"
# Names with an underscore that other libraries let one use. Name -> whose it is.
PUBLIC_ELSEWHERE = {
    "_active_spark_context": "pyspark, which has no public name for it",
    "_gateway": "pyspark, the same",
    "_jvm": "pyspark, the same",
    "_asdict": "collections.namedtuple",
    "_fields": "collections.namedtuple",
    "_make": "collections.namedtuple",
    "_replace": "collections.namedtuple",
}
# Modules that have no test file of their name. Path, or the start of one -> reason.
WITHOUT_TEST_FILE = {
    "__main__.py": "one line, run by tests/cli",
    "arrays.py": "names of types: mypy checks them",
    "serve/people/migrations/": "Alembic runs them in tests/serve/people/test_store.py",
}


def place(path: Path, node: ast.AST | None = None) -> str:
    """Where something stands: ``file``, or ``file:line``."""
    return str(path.relative_to(SOURCE)) + (f":{node.lineno}" if node else "")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def listed(failures: list[str]) -> str:
    return "\n".join(["", *failures])


def names(path: Path) -> set[str]:
    """All that a file imports, by its full name."""
    return {name for imported in house.imports_of(path) for name in imported}


# ---- imports ----


def test_imports_follow_the_table() -> None:
    wrong = []
    graph = house.import_graph()
    for path in FILES:
        module = house.name_of(path)
        layer = module.split(".")[0] or "__init__"
        assert layer in ALLOWED, f"{layer} is a new layer: add it to the table in tests/house.py"
        allowed = (layer, *GROUND.get(layer, BELOW), *ALLOWED[layer])
        wrong += [
            f"{place(path)} imports {target}: {layer} may import {', '.join(allowed)}"
            for target in sorted(name or "__init__" for name in graph[module])
            if not any(f"{target}.".startswith(f"{name}.") for name in allowed)
        ]
    assert not wrong, listed(wrong)


def test_no_modules_import_in_a_circle() -> None:
    """Imports inside functions count: one that is put off is a circle all the same."""
    circles = house.circles(house.import_graph(typing=False))
    assert not circles, listed([" <-> ".join(circle) for circle in circles])


def test_no_folders_import_in_a_circle() -> None:
    """Nor do the parts of a folder, its files and each of its subfolders as one."""
    graph = house.import_graph(typing=False)
    folders = {house.name_of(path.parent / "__init__.py") for path in FILES}
    wrong = [
        f"in {folder or 'tastemap'}: {' <-> '.join(circle)}"
        for folder in sorted(folders)
        for circle in house.circles(house.folder_graph(folder, graph))
    ]
    assert not wrong, listed(wrong)


def test_the_measures_of_a_small_tree(tmp_path: Path) -> None:
    """The files a, b, c and the folder d: a -> b -> d -> b is a circle, c is imported for types."""
    sources = {
        "__init__": '"""Empty."""',
        "a": "from tastemap import b\nfrom tastemap.d.inner import name",
        "b": "def late():\n    import tastemap.d.inner",
        "c": "",
        "d/__init__": "",
        "d/inner": "from tastemap.b import late\nif TYPE_CHECKING:\n    import tastemap.c",
        "lonely": "import numpy",
    }
    for name, text in sources.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    graph = house.import_graph(tmp_path, typing=False)
    assert graph["a"] == {"b", "d.inner"}
    assert house.circles(graph) == [["b", "d.inner"]]
    assert house.measures(tmp_path) == {
        "": house.Measures(files=4, layers=3, ties=5, circles=1),
        "d": house.Measures(files=1, layers=1, ties=0, circles=0),
    }


def test_only_the_neural_models_import_keras() -> None:
    users = [
        place(path)
        for path in FILES
        if {name.split(".")[0] for name in names(path)} & {"keras", "tensorflow", "torch"}
    ]
    assert users
    assert all(user.startswith(KERAS_FOLDER) for user in users), users


def test_only_the_spark_layer_imports_pyspark() -> None:
    users = [
        place(path)
        for path in FILES
        if {name.split(".")[0] for name in names(path)} & {"pyspark", "py4j"}
    ]
    assert users
    assert all(user.startswith("spark/") for user in users), users


def test_no_pickle_eval_or_shell() -> None:
    for path in FILES:
        nodes = [*ast.walk(tree(path))]
        called = {n.func.id for n in nodes if isinstance(n, ast.Call) and hasattr(n.func, "id")}
        assert called.isdisjoint({"eval", "exec"}), path
        assert "pickle" not in {name.split(".")[0] for name in names(path)}, path
        assert "shell=True" not in path.read_text(encoding="utf-8"), path
        assert not any(isinstance(node, ast.Assert) for node in nodes), path


def test_threads_belong_to_calls() -> None:
    """A generator that is left half-way is closed by the collector, which cannot wait for them."""
    for path in FILES:
        for function in ast.walk(tree(path)):
            if not isinstance(function, ast.FunctionDef) or function.decorator_list:
                continue
            inside = [*ast.walk(function)]
            if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in inside):
                called = {ast.unparse(node.func) for node in inside if isinstance(node, ast.Call)}
                started = [name for name in called if name.endswith(("PoolExecutor", "Thread"))]
                assert not started, f"{path}: {function.name} gives values and owns threads"


def test_import_is_light() -> None:
    """`import tastemap` and the command line's help load no heavy package."""
    code = "import sys, tastemap, tastemap.cli; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"keras", "jax", "tensorflow", "torch", "matplotlib", "plotly", "fastapi", "numba"}
    heavy |= {"pyspark", "pyarrow", "polars", "numpy", "scipy"}
    assert heavy.isdisjoint(loaded)


# ---- doors: what a folder keeps to itself ----


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def defined(module: ast.Module) -> Iterator[str]:
    """The private names that a file defines: functions, classes, attributes of self, variables."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and inner(node):
            yield node.attr


def inner(node: ast.Attribute) -> bool:
    """Whether an attribute is asked of the object itself: of self, cls or super()."""
    value = node.value
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "super"
    return isinstance(value, ast.Name) and value.id in ("self", "cls")


def test_underscores_stay_in_their_folder() -> None:
    """No ``x._name``, and no import of a ``_name``, of what another folder defines."""
    own: dict[Path, set[str]] = defaultdict(set)
    for path in FILES:
        own[path.parent] |= {name for name in defined(tree(path)) if private(name)}
    wrong = []
    for path in FILES:
        for node in ast.walk(tree(path)):
            used = []
            if isinstance(node, ast.Attribute) and not inner(node):
                used = [node.attr]
            elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("tastemap"):
                used = [*str(node.module).split("."), *(name.name for name in node.names)]
            wrong += [
                f"{place(path, node)} {name}"
                for name in used
                if private(name) and name not in own[path.parent] and name not in PUBLIC_ELSEWHERE
            ]
    assert not wrong, listed(wrong)


# ---- tests and tables ----


def test_each_module_has_its_test_file() -> None:
    wrong = []
    for path in FILES:
        relative = path.relative_to(SOURCE)
        exempt = any(str(relative).startswith(start) for start in WITHOUT_TEST_FILE)
        test = ROOT / "tests" / relative.with_name(f"test_{path.name}")
        if path.name != "__init__.py" and not exempt and not test.is_file():
            wrong.append(f"{relative} has no {test.relative_to(ROOT)}")
    assert not wrong, listed(wrong)


@pytest.mark.parametrize("start", WITHOUT_TEST_FILE)
def test_exceptions_are_needed(start: str) -> None:
    assert any(place(path).startswith(start) for path in FILES)


@pytest.mark.parametrize("habit", HABITS)
def test_each_habit_has_its_test(habit: str) -> None:
    for test in HABITS[habit]:
        file, _, function = test.partition("::")
        path = ROOT / file
        assert path.exists(), file
        assert not function or f"\ndef {function}(" in path.read_text(encoding="utf-8"), test


def test_the_drawing_shows_each_layer_above_those_it_imports() -> None:
    drawing = (ROOT / "docs" / "images" / "architecture.svg").read_text(encoding="utf-8")
    shown = re.findall(r'<text class="layer" .*y="(\d+)">(\w+)</text>', drawing)
    height = {layer: int(y) for y, layer in shown}
    assert {*height} == {layer for layer in ALLOWED if not layer.startswith("__")}
    for layer, y in height.items():
        for target in {name.split(".")[0] for name in ALLOWED[layer]} - {"__init__"}:
            assert y < height[target], f"{layer} imports {target}"
