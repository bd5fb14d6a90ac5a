"""Errors in the words of the shell."""

from pathlib import Path

import pytest

from commands import run
from tastemap.cli.messages import in_shell
from tastemap.errors import ArgumentError, DataError


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (("split", "CLICKS", "-o", "x", "--test-size", 2), "--test-size; expected a share"),
        (("split", "CLICKS", "-o", "x", "--by", "magic"), "--by; expected one of hash"),
        (("fit", "CLICKS", "-o", "x", "--repeats", "two"), "--repeats; expected one of sum"),
        (("fit", "CLICKS", "-o", "x", "--event-weights", "view=1"), "--event-weights; expected a"),
        (("fit", "CLICKS", "-o", "x", "-m", "ease", "--set", "reg=-1"), "--set reg; expected a"),
        (("fit", "CLICKS", "-o", "x", "-m", "magic"), "--model; expected one of"),
        (("describe", "CLICKS", "--weight", "clicks", "--rating", "clicks"), "--rating, --weight;"),
        (("compare", "CLICKS", "--layout", "tall"), "--layout; expected 'long'"),
        (("run", "CLICKS", "-o", "x", "--goal", "ratings"), "--goal; expected lists"),
        (("evaluate", "CLICKS", "--split", "magic"), "--split; expected one of random"),
        (("tune", "ease", "CLICKS", "--trials", 0), "--seconds, --trials; expected more than 0"),
        (("recommend", "MODEL", "u2", "--by", "name"), "--by; expected one of expected"),
        (("recommend", "MODEL", "u2", "--novelty", 4), "--novelty; expected a number"),
        (("recommend", "MODEL", "u2", "-k", 1000), "-k; expected a whole number"),
        (("recommend", "MODEL", "u2", "--after", "a0"), "USER, --after; expected one of the two"),
        (("recommend", "MODEL", "nobody"), "USER; expected an id from the data"),
    ],
    ids=lambda value: " ".join(map(str, value[2:])) if isinstance(value, tuple) else None,
)
def test_arguments_are_named_as_they_are_typed(
    clicks: Path, tmp_path: Path, words: tuple[object, ...], begins: str
) -> None:
    places = {"MODEL": clicks / "model", "CLICKS": clicks / "clicks.csv", "x": tmp_path / "x"}
    line = run(*(places.get(word, word) for word in words), code=2)
    assert line.startswith(f"tastemap: {begins}")


def test_advice_names_options(clicks: Path) -> None:
    line = run("split", clicks / "clicks.csv", "-o", "x", "--test-size", 1e-9, code=2)
    assert line.startswith("tastemap: --test-size; expected at least one interaction in each part")
    error = DataError("r.csv", received="a bad row", do="on_bad_row='skip' leaves it out")
    assert in_shell(error) == "r.csv; received a bad row; --on-bad-row skip leaves it out."
    error = ArgumentError("source", expected="columns", received="two\nlines")
    assert in_shell(error) == "source; expected columns; received two lines."
