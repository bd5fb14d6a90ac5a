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


def test_options_of_reading_are_not_ignored_with_the_name_of_a_data_set() -> None:
    message = run("describe", "ml-100k", "--duplicates", "mean", "--no-header", code=2)
    assert "--header, --duplicates; expected a file or folder to read" in message
