"""Small pieces with names of the field: functions, files, the base class, constants."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import house
import tastemap
from house import SOURCE
from tastemap.models.base.artifact import CLASSES, model_class
from tastemap.models.base.recommender import Recommender

FILES = house.files()
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
FUNCTIONS = [
    (path, node)
    for path, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_PUBLIC_METHODS = 20
MAX_HOOKS = 20
# Files that are one thing and longer than `MAX_FILE_LINES`. Path -> the thing.
LONG_FILES: dict[str, str] = {
    "jobs/run.py": "one run: its steps in order, each of which computes, shows and reports",
    "models/base/factors.py": "the factors, and the two ways to have them",
    "models/base/rows.py": "the hooks of a model, and the calls on rows",
    "models/base/recommender.py": "the calls on ids, and what each of them promises",
    "models/bayesian/model.py": "a model of many answers: its calls, and the fit",
    "models/bayesian/posterior.py": "the draws, and each thing that is worked out from them",
    "serve/service.py": "what the application answers: a call for each question",
    "serve/model/loaded.py": "the served model: what answers ask of it, in row numbers",
    "serve/people/profiles.py": "what is done with a person's ratings and flags, and what is read",
    "serve/schemas.py": "what the API answers: a field a line, and what it is",
    "serve/people/store.py": "what is asked of the store, each a transaction, and whether it works",
    "kernels/gibbs/fold_in.py": "one algorithm, from the likelihood of a rating to the posterior",
    "models/next_item.py": "one model: what people go on to, and taste after a pause",
}
# Public methods of a model that are no hooks, and no others have. Name -> why.
OWN_METHODS: dict[str, str] = {"ridge": "of ALS: the fit on Spark needs it, too"}
# Words that a constant neither is, begins nor ends with: they say how much, or what was done, and
# not what it is. A bound begins with MIN_ or MAX_.
FORBIDDEN_WORDS = {
    *("FEW", "MANY", "MORE", "LESS", "MUCH", "LITTLE", "ENOUGH", "EVERY", "ALL", "BOTH", "ANY"),
    *("LEAST", "MOST", "FEWEST", "LARGEST", "SMALLEST", "WIDEST", "NARROWEST", "QUICKEST"),
    *("FAR", "NEAR", "OFTEN", "LARGE", "SMALL", "LONG", "SHORT", "WIDE", "NARROW"),
    *("QUICK", "ALIKE", "OWN", "NOBODY", "WITHOUT", "WORTH", "WORST", "TOO", "OTHERS"),
    *("ASKED", "FOUND", "KNOWN", "TOLD", "DRAWN", "KEPT", "SEEN", "TAKEN", "GIVEN"),
    *("ENDED", "SAID", "REASONED", "SURPRISING", "UNUSUAL", "HOPELESS", "REHEARSED", "SAYING"),
    *("STREAMED", "MEMORISED", "REMEMBERED", "MEASURED", "ONCE", "LEFT", "IT"),
}


# Names of variables, arguments, functions and classes that say what was done, or somebody, in place
# of the thing: rows, scores, requested, user, profile, visitor.
FORBIDDEN_NAMES = {
    *("found", "asked", "told", "known", "kept", "own", "one"),
    *("person", "persons", "someone", "somebody", "whoever"),
}


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def listed(failures: list[str]) -> str:
    return "\n".join(["", *failures])


# ---- sizes ----


def test_long_files_have_a_reason() -> None:
    long = {str(p.relative_to(SOURCE)) for p in FILES if lines_of(p) > MAX_FILE_LINES}
    assert long <= {*LONG_FILES}, "say in LONG_FILES which one thing each of them is"
    assert long >= {*LONG_FILES}, "no longer long: take it out of LONG_FILES"


def test_functions_are_small() -> None:
    sizes = [
        (size(node), f"{p.relative_to(SOURCE)}:{node.lineno} {node.name}") for p, node in FUNCTIONS
    ]
    long = [f"{place}: {n} lines" for n, place in sizes if n > MAX_FUNCTION_LINES]
    assert not long, listed(long)
    assert sum(n > 20 for n, _ in sizes) <= 0.12 * len(sizes)


def size(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body, without its docstring."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = first.end_lineno - first.lineno + 1 if documented else 0
    return node.end_lineno - first.lineno + 1 - docstring


def test_the_base_class_is_small() -> None:
    """Each class that `Recommender` is made of; properties are not counted."""
    for cls in Recommender.__mro__:
        kinds = (type(size), classmethod, staticmethod)
        methods = sorted(name for name, value in vars(cls).items() if isinstance(value, kinds))
        public = [name for name in methods if not name.startswith("_")]
        hooks = [name for name in methods if name.startswith("_") and not name.startswith("__")]
        assert len(public) <= MAX_PUBLIC_METHODS, (cls, public)
        assert len(hooks) <= MAX_HOOKS, (cls, hooks)


def test_models_define_hooks_and_little_else() -> None:
    for name in CLASSES:
        if name == "FactorModel":
            continue
        path = SOURCE / Path(*CLASSES[name].split(".")[1:]).with_suffix(".py")
        (cls,) = [n for n in TREES[path].body if isinstance(n, ast.ClassDef) and n.name == name]
        public = {
            node.name
            for node in cls.body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        }
        own = public - {*dir(model_class(name).__mro__[1])} - {*OWN_METHODS}
        assert not own, (name, own)


# ---- names ----


def constants(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of each name in capitals that a module defines at its top."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in filter(None, targets):
            for name in ast.walk(target):
                if isinstance(name, ast.Name) and re.fullmatch(r"_?[A-Z][A-Z0-9_]*", name.id):
                    yield node.lineno, name.id


def test_constants_are_nouns() -> None:
    wrong = []
    for path, tree in TREES.items():
        for line, name in constants(tree):
            words = name.strip("_").split("_")
            bound = words[0] in ("MIN", "MAX", "DEFAULT") and len(words) > 1
            if not bound and {words[0], words[-1]} & FORBIDDEN_WORDS:
                wrong.append(f"{path.relative_to(SOURCE)}:{line} {name}")
    assert not wrong, listed(wrong)


def named(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of all that a module names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def test_names_say_the_thing() -> None:
    wrong = [
        f"{path.relative_to(SOURCE)}:{line} {name}"
        for path, tree in TREES.items()
        for line, name in named(tree)
        if name.strip("_").lower() in FORBIDDEN_NAMES
    ]
    assert not wrong, listed(wrong)


def test_each_module_says_what_it_is() -> None:
    """In a first line that is a sentence or a title, and that nobody has put off."""
    wrong = [
        f"{path.relative_to(SOURCE)}: {first!r}"
        for path, tree in TREES.items()
        if (first := (ast.get_docstring(tree) or "").partition("\n")[0])[-1:] not in (".", ":", "?")
        or "TODO" in first
    ]
    assert not wrong, listed(wrong)


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


def test_per_cent_is_written_one_way() -> None:
    """As "6.3 %", in Python, templates and scripts; style sheets have their own way."""
    tight = re.compile(r":\.[0-9]%}|[0-9}]%(?=[ \"',.<])(?! \()")
    places = [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.html"), *SOURCE.rglob("*.js")]
    lines = [
        f"{path.relative_to(SOURCE)}: {line.strip()}"
        for path in places
        for line in path.read_text(encoding="utf-8").splitlines()
        if tight.search(line) and "{%" not in line and "translate" not in line
    ]
    assert not lines, listed(lines)
