"""From the words of a call to arguments of the library."""

import pytest

from commands import run
from tastemap.cli.arguments import parse_bytes, parse_new_user, parse_options
from tastemap.errors import ArgumentError


def test_words_become_options_sizes_and_ratings() -> None:
    assert parse_options(["n_epochs=20", "feedback=implicit", "hidden=[64, 32]"]) == {
        "n_epochs": 20,
        "feedback": "implicit",
        "hidden": [64, 32],
    }
    assert parse_bytes("2GB") == 2_000_000_000
    assert parse_bytes("512MiB") == 512 * 2**20
    assert parse_new_user(["Star Wars (1977)=5", "a=b=2.5"], None) == {
        "Star Wars (1977)": 5.0,
        "a=b": 2.5,
    }
    with pytest.raises(ArgumentError, match="--set; expected name=value"):
        parse_options(["speed"])


@pytest.mark.parametrize(
    "size", ["", "x", "1e3", "9" * 100_000, "9" * 400 + "GB", "1.5.2MiB", "-1"]
)
def test_what_is_no_size_is_refused(size: str) -> None:
    with pytest.raises(ArgumentError, match="--memory; expected a size such as 512MiB or 2GB"):
        parse_bytes(size)


def test_options_that_are_no_json_are_text() -> None:
    brackets, digits = "[" * 100_000, "9" * 10_000
    assert parse_options([f"a={brackets}", f"b={digits}"]) == {"a": brackets, "b": digits}


def test_options_of_reading_are_not_ignored_with_the_name_of_a_data_set() -> None:
    message = run("describe", "ml-100k", "--duplicates", "mean", "--no-header", code=2)
    assert "--header, --duplicates; expected a file or folder to read" in message
