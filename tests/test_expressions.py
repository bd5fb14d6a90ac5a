"""Regular expressions that meet a stranger's text: each takes time in proportion to its length."""

import ast
import re
import time
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

import house

LENGTH = 50_000
# What runs are made of, alone and between two others.
UNITS = (*" a1(['\"`,.=\n", "a ", "1.", "''", "()", "\n ", "a=", "a'", "::")
ENDS = (("", ""), ("a", "b"), ("1", "x"))
FLAGS = ("IGNORECASE", "VERBOSE", "MULTILINE")
METHODS = ("match", "fullmatch", "search", "sub", "findall", "finditer", "split")
# Seconds of processor time: a linear expression takes a millisecond, one that takes the square of
# the length four seconds and more.
MAX_SECONDS = 2.0


class Expression(NamedTuple):
    """An expression in the source, and how it is used."""

    place: str
    pattern: re.Pattern[str] | re.Pattern[bytes]
    method: str


@cache
def expressions() -> list[Expression]:
    return [*all_expressions()]


def all_expressions() -> Iterator[Expression]:
    texts = {path: path.read_text(encoding="utf-8") for path in house.files()}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    calls = [(path, name, node) for path, tree in trees.items() for name, node in named_calls(tree)]
    constants = {name: node.value for _, name, node in calls if isinstance(node, ast.Constant)}
    source = "\n".join(texts.values())
    for path, name, call in calls:
        if isinstance(call, ast.Constant):
            continue
        place, method, first = f"{path.name}:{call.lineno}", call.func.attr, call.args[0]
        value = getattr(first, "value", None) or constants.get(ast.unparse(first))
        if ast.unparse(first) == "python":
            continue  # the names of options, in messages of ours
        assert isinstance(value, str | bytes), f"{place}: an expression that is not a constant"
        flags = [getattr(re, flag) for flag in FLAGS if flag in ast.unparse(call)]
        methods = [method]
        if method == "compile":
            methods = [m for m in METHODS if f"{name}.{m}(" in source]
        assert methods, f"{place}: {name} is compiled and not used"
        pattern = re.compile(value, sum(flags))
        yield from (Expression(place, pattern, method) for method in methods)


def named_calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call | ast.Constant]]:
    """Each call of `re`, with the name that its result is given; and each text with a name."""
    nodes = [*ast.walk(tree)]
    named = {
        id(node.value): node.targets[0].id
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in nodes:
        name = named.get(id(node), "")
        if isinstance(node, ast.Constant) and name:
            yield name, node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of, method = getattr(node.func.value, "id", ""), node.func.attr
            if of == "re" and method in ("compile", *METHODS):
                yield name, node


def inputs() -> list[str]:
    runs = [unit * (LENGTH // len(unit)) for unit in UNITS]
    return [f"{start}{run}{end}" for run, (start, end) in product(runs, ENDS)]


def apply(expression: Expression, text: str) -> None:
    pattern, method = expression.pattern, expression.method
    subject = text.encode() if isinstance(pattern.pattern, bytes) else text
    if method == "sub":
        pattern.sub(subject[:0], subject)
    elif method == "finditer":
        list(pattern.finditer(subject))
    else:
        getattr(pattern, method)(subject)


def test_every_expression_takes_linear_time() -> None:
    for expression, text in product(expressions(), inputs()):
        start = time.process_time()
        apply(expression, text)
        shown = f"{expression.place}, {expression.method} of {text[:4]!r}...{text[-4:]!r}"
        assert time.process_time() - start < MAX_SECONDS, shown


def test_a_quadratic_expression_is_noticed() -> None:
    """The test would fail with what it looks for: shown on a fifth of the length."""
    slow = Expression("here", re.compile(r"\s*\(\d{4}\)\s*$"), "search")
    quick = Expression("here", re.compile(r"\(\d{4}\)$"), "search")
    seconds = []
    for expression in (slow, quick):
        start = time.perf_counter()
        apply(expression, "a" + " " * 10_000 + "b")
        seconds.append(time.perf_counter() - start)
    assert seconds[0] > 10 * seconds[1]


def test_the_expressions_of_the_source_are_among_them() -> None:
    places = {expression.place.split(":")[0] for expression in expressions()}
    assert {"conditions.py", "text.py", "title_search.py", "arguments.py"} <= places
    assert len(expressions()) > 20
