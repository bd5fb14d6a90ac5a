"""The exceptions: one tree, as the docstring and the page show it, and messages in one shape."""

import inspect
import re

import pytest

from tastemap import errors
from tastemap.errors import (
    ArgumentError,
    MissingPackageError,
    TastemapError,
    UnknownIdError,
    UnsupportedError,
)


def test_a_message_says_argument_expected_received_and_what_to_do() -> None:
    error = ArgumentError("k", expected="a whole number", received="'ten'", do="pass k=10")
    assert str(error) == "k; expected a whole number; received 'ten'; pass k=10."
    parts = error.what, error.expected, error.received, error.do
    assert parts == ("k", "a whole number", "'ten'", "pass k=10")


def test_parts_that_are_empty_are_left_out() -> None:
    assert str(TastemapError("path", received=0)) == "path; received 0."
    assert str(TastemapError("path")) == "path."


def test_an_unknown_id_offers_its_neighbours_and_is_shown_without_quotes() -> None:
    error = UnknownIdError("user_id", 70, nearest=[7, 71])
    assert error.nearest == (7, 71)
    assert str(error) == "user_id; expected an id from the data; received 70; nearest: 7, 71."
    assert str(UnknownIdError("item_id", "x")).endswith("the data holds no id close to it.")


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (ArgumentError, ValueError),
        (UnknownIdError, KeyError),
        (UnknownIdError, ValueError),
        (UnsupportedError, TypeError),
        (MissingPackageError, ImportError),
    ],
)
def test_an_error_is_also_the_built_in_one_that_callers_expect(
    kind: type[TastemapError], builtin: type[Exception]
) -> None:
    assert issubclass(kind, TastemapError)
    assert issubclass(kind, builtin)


def test_the_tree_of_the_docstring_is_that_of_the_classes() -> None:
    """Each line: depth by its branch, the class, the built-in base in brackets."""
    lines = [line for line in inspect.getdoc(errors).splitlines() if line.startswith("    ")]
    told = {}
    parents = [""]
    for line in lines:
        branch, name, base = re.match(r"([ │├└─]*)(\w+)(?:\s*\((\w+)\))?", line).groups()
        depth = len(branch) // 4 - 1
        told[name] = parents[depth], base
        parents = [*parents[: depth + 1], name]
    made = {}
    for name, kind in vars(errors).items():
        if inspect.isclass(kind) and issubclass(kind, TastemapError):
            bases = [cls.__name__ for cls in kind.__bases__]
            own = kind is TastemapError
            made[name] = ("", None) if own else (bases[0], bases[1] if len(bases) > 1 else None)
    assert told == made
