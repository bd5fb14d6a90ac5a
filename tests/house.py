"""The rules of the house as tables, and its imports as a graph.

The tests hold the tables against the code, `docs/generate.py` prints them in CONTRIBUTING, and
`docs/measure.py` prints the measures. What is here needs nothing but Python.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "tastemap"

# Layer -> what it may import, beside itself and `BELOW`: layers, or single packages and modules.
BELOW = ("errors", "arrays", "support")
ALLOWED: dict[str, tuple[str, ...]] = {
    "errors": (),
    "arrays": (),
    "support": (),
    "kernels": (),
    "data": (),
    "metrics": (),
    "models": ("data", "metrics", "kernels"),
    "evaluation": ("data", "metrics", "models.base", "models.batch", "models.registry"),
    "explore": ("data", "metrics", "models.base", "kernels"),
    "serve": ("data", "metrics", "models.base", "models.registry", "explore"),
    # Code that executors run asks kernels, models and metrics; only the work behind the commands
    # asks Spark.
    "spark": ("data", "models", "evaluation", "metrics", "kernels"),
    # The outermost layers: public names, what a terminal shows, the work behind the commands, the
    # command line.
    "__init__": ("data", "metrics", "models", "evaluation"),
    "terminal": (),
    "jobs": ("data", "metrics", "models", "evaluation", "explore", "spark", "terminal"),
    "cli": ("__init__", "data", "models", "evaluation", "explore", "jobs", "serve", "terminal"),
    "__main__": ("cli",),
}
# What lies below the table of each of these; the rest may import all of `BELOW`.
GROUND = {"errors": (), "arrays": (), "support": ("errors", "arrays"), "kernels": ("arrays",)}

# Habit, and the tests that keep it: a file, or a test in it.
HABITS: dict[str, tuple[str, ...]] = {
    "Imports follow the table above.": (
        "tests/test_architecture.py::test_imports_follow_the_table",
    ),
    "No modules import each other in a circle, and no folders do.": (
        "tests/test_architecture.py::test_no_modules_import_in_a_circle",
        "tests/test_architecture.py::test_no_folders_import_in_a_circle",
    ),
    "Only `models/neural/` imports Keras, and only `spark/` PySpark.": (
        "tests/test_architecture.py::test_only_the_neural_models_import_keras",
        "tests/test_architecture.py::test_only_the_spark_layer_imports_pyspark",
    ),
    "No pickle, `eval`, shell or `assert` in `src/`.": (
        "tests/test_architecture.py::test_no_pickle_eval_or_shell",
    ),
    "`import tastemap` loads no heavy package.": (
        "tests/test_architecture.py::test_import_is_light",
    ),
    "A name with an underscore stays in its folder: no `x._name` on what another folder defines.": (
        "tests/test_architecture.py::test_underscores_stay_in_their_folder",
    ),
    "A module has a test file of its name, in the mirrored place.": (
        "tests/test_architecture.py::test_each_module_has_its_test_file",
    ),
    "A call, a `PUT` and a save pass the functions that [the page of walks](docs/architecture.md)"
    " names, and no other module.": ("tests/test_walks.py",),
    "A file is one thing with a name of the field; over 400 lines it stands in a list with its"
    " reason. A function has at most 50 lines, and few have over 20.": (
        "tests/test_style.py::test_long_files_have_a_reason",
        "tests/test_style.py::test_functions_are_small",
    ),
    "`Recommender` has at most 20 public methods and 20 hooks; a model defines hooks and little"
    " else.": (
        "tests/test_style.py::test_the_base_class_is_small",
        "tests/test_style.py::test_models_define_hooks_and_little_else",
    ),
    "A constant begins with `MIN_`, `MAX_` or `DEFAULT_`, or is a noun; a variable says the thing,"
    " not that it was found, asked or kept.": (
        "tests/test_style.py::test_constants_are_nouns",
        "tests/test_style.py::test_names_say_the_thing",
    ),
    "Each module says what it is.": ("tests/test_style.py::test_each_module_says_what_it_is",),
    "Public names are a sorted list.": (
        "tests/test_style.py::test_public_names_are_a_sorted_list_that_loads",
    ),
    "Every model keeps the contract: same seed same result, refit forgets, unknown ids, one"
    " rating, predictions inside the scale, seen items left out, save and load give the same.": (
        "tests/models/test_contract.py",
    ),
    "Raw ids outside, row numbers inside.": ("tests/test_style.py::test_no_raw_ids_in_kernels",),
    "A metric's test is a claim worked out by hand.": ("tests/metrics",),
    "A message says argument, expected, received, what to do; in the shell an error is one line.": (
        "tests/test_errors.py",
    ),
    "Each command, option, model, metric, error and public name stands in the documentation; each"
    " example runs; links lead somewhere.": ("tests/test_docs.py",),
    "Warnings are errors, types are strict, each ignored rule of Ruff has its reason.": (
        "pyproject.toml",
    ),
}


class Measures(NamedTuple):
    """How much there is to find one's way through in a folder."""

    files: int
    layers: int
    ties: int
    circles: int


Graph = dict[str, set[str]]


def files(source: Path = SOURCE) -> list[Path]:
    """Every Python file of the package."""
    return sorted(source.rglob("*.py"))


def name_of(path: Path, source: Path = SOURCE) -> str:
    """A module's name below ``tastemap``; a package has that of its folder, the root is ''."""
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, *, typing: bool = True) -> Iterator[tuple[str, str]]:
    """Every import of a file, anywhere in it: the module, and ``module.name`` of what comes of it.

    An import inside a function counts as one at the top does: it only runs later.

    Args:
        path: The file.
        typing: Give also what stands under ``if TYPE_CHECKING``, which never runs.
    """
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from ((name.name, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}:{node.lineno} has a relative import")
            yield from ((str(node.module), f"{node.module}.{name.name}") for name in node.names)
        elif isinstance(node, ast.If) and not typing and "TYPE_CHECKING" in ast.unparse(node.test):
            nodes += node.orelse
        else:
            nodes += ast.iter_child_nodes(node)


def import_graph(source: Path = SOURCE, *, typing: bool = True) -> Graph:
    """Module -> the modules of tastemap that it imports, by their names below ``tastemap``."""
    modules = {name_of(path, source): path for path in files(source)}
    graph: Graph = {}
    for module, path in modules.items():
        targets = set()
        for names in imports_of(path, typing=typing):
            if names[0].split(".")[0] == "tastemap":
                package, name = (n.removeprefix("tastemap").removeprefix(".") for n in names)
                # What a package gives may be a module of its own.
                targets.add(name if name in modules else package)
        graph[module] = targets - {module}
    return graph


def folder_graph(folder: str, graph: Graph) -> Graph:
    """The imports inside a folder: its own files, and each of its subfolders as one node."""

    def node(module: str) -> str | None:
        if module == folder:
            return f"{folder}.__init__".removeprefix(".")
        if folder and not module.startswith(f"{folder}."):
            return None
        return module.removeprefix(folder).removeprefix(".").split(".")[0]

    inside: Graph = {}
    for module, targets in graph.items():
        here = node(module)
        if here:
            inside.setdefault(here, set()).update({node(target) for target in targets} - {None})
    return {name: targets - {name} for name, targets in inside.items()}


def circles(graph: Graph) -> list[list[str]]:
    """The groups of modules that reach each other by imports: what Tarjan's algorithm gives."""
    return [group for group in components(graph) if len(group) > 1]


def components(graph: Graph) -> list[list[str]]:
    """The strongly connected components, each after those that it imports."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    result: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for target in sorted(graph[module]):
            if target not in number:
                visit(target)
            if target in stack:
                lowest[module] = min(lowest[module], lowest[target])
        if lowest[module] == number[module]:
            start = stack.index(module)
            result.append(sorted(stack[start:]))
            del stack[start:]

    for module in sorted(graph):
        if module not in number:
            visit(module)
    return result


def measures(source: Path = SOURCE) -> dict[str, Measures]:
    """Files, layers, ties and circles of each folder, each of its subfolders counted as one file.

    A layer is a step of the longest chain of imports, which passes no file twice.
    A tie is a pair of which one imports the other, if only for its types; those for types alone
    make no layer and no circle. What nothing imports and what imports nothing (a package's empty
    ``__init__``, the migrations) is left out.
    """
    graph, runs = import_graph(source), import_graph(source, typing=False)
    tied = {module for module, targets in graph.items() if targets}.union(*graph.values())
    result = {}
    for folder in sorted({name_of(path.parent / "__init__.py", source) for path in files(source)}):
        ties, chains = (
            folder_graph(folder, {module: imports[module] for module in tied})
            for imports in (graph, runs)
        )
        result[folder] = Measures(
            files=len(ties),
            layers=longest_chain(chains),
            ties=sum(map(len, ties.values())),
            circles=len(circles(chains)),
        )
    return result


def longest_chain(graph: Graph) -> int:
    """The number of modules in the longest chain of imports that passes none of them twice."""
    lengths: dict[str, int] = {}

    def length(module: str, passed: frozenset[str]) -> int:
        if module in lengths:
            return lengths[module]
        targets = graph[module] - passed
        return 1 + max((length(t, passed | {module}) for t in targets), default=0)

    for group in components(graph):
        lengths |= {module: length(module, frozenset()) for module in group}
    return max(lengths.values(), default=0)
