"""From the words of a call to arguments of the library."""

import json
from pathlib import Path

import pytest

from commands import run
from tastemap.cli.arguments import parse_bytes, parse_new_user, parse_options, parse_unrated
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


def test_ratings_that_say_not_rated(tmp_path: Path) -> None:
    assert parse_unrated(["0", "-1"]) == (0.0, -1.0)
    assert parse_unrated(["none"]) == ()
    assert parse_unrated([]) is None
    for words in (["none", "0"], ["1_0"], ["zero"]):
        with pytest.raises(ArgumentError, match="--unrated; expected a number, or none alone"):
            parse_unrated(words)
    path = tmp_path / "ratings.csv"
    path.write_text(
        "user,item,rating,date\n1,1,5,03/04/2024\n1,2,-1,01/02/2024\n2,1,3,05/06/2024\n"
    )

    def notes(*words: str) -> str:
        return "; ".join(json.loads(run("describe", str(path), "--json", *words))["notes"])

    assert "1 ratings of -1 are taken as not rated" in notes()
    assert "1 ratings of 3 are kept as seen" in notes("--unrated", "3")
    assert "1 ratings of 3 are left out" in notes("--unrated", "3", "--seen", "none")
    (tmp_path / "watched.csv").write_text("user,item\n2,3\n1,3\n")
    shown = run("describe", str(path), "--json", "--seen", str(tmp_path / "watched.csv"))
    glance, *_, best = json.loads(shown)["tables"]
    assert glance["rows"][0]["seen"] == 3
    assert [row["item_id"] for row in best["rows"]] == [1]  # not what was only seen
    untouched = notes("--unrated", "none", "--timestamp", "none")
    assert "not rated" not in untouched
    assert "times are left out" not in untouched
    path.write_text("who,what,this,that\n1,5,2,3\n2,4,2,1\n")
    message = run("describe", str(path), code=1)
    assert "name them: --user NAME --item NAME --rating NAME" in message
