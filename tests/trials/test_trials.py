"""Small files of the kinds that people have, and what `right.json` says each must give.

``ratings`` are the rows, ``interactions`` those of a table without ratings, ``says`` what the notes
must say among others, ``refused`` words of the one line with which a file is refused. What
``describes`` the items or users of the file ``beside`` it has ``rows``. A new kind of file is a
file in `files/`, and a line there.
"""

import json
from pathlib import Path
from typing import Any

import pytest

import tastemap as tm
from commands import ask, run
from tastemap.data.readers.feedback import read_feedback

FILES = Path(__file__).parent / "files"
RIGHT: dict[str, dict[str, Any]] = json.loads(
    (FILES.parent / "right.json").read_text(encoding="utf-8")
)
BESIDE = [name for name, right in RIGHT.items() if "beside" in right]
READ = [name for name, right in RIGHT.items() if "ratings" in right]
UNRATED = [name for name, right in RIGHT.items() if "interactions" in right]
REFUSED = [name for name, right in RIGHT.items() if "refused" in right and name not in BESIDE]


def test_each_file_has_its_line() -> None:
    assert (
        {path.name for path in FILES.iterdir()} == {*READ, *UNRATED, *REFUSED, *BESIDE} == {*RIGHT}
    )


@pytest.mark.parametrize("name", READ)
def test_a_file_is_read_as_its_owner_means_it(name: str) -> None:
    rows = [tuple(row) for row in RIGHT[name]["ratings"]]
    ratings = tm.read_ratings(FILES / name)
    assert ratings.to_frame().rows() == rows
    answer = ask("describe", FILES / name)
    (glance,) = answer["tables"][0]["rows"]
    users, items = ({row[place] for row in rows} for place in (0, 1))
    assert (glance["ratings"], glance["users"], glance["items"]) == (
        *(len(rows), len(users), len(items)),
    )
    for words in RIGHT[name].get("says", []):
        assert any(words in note for note in ratings.source.notes), ratings.source.notes
        assert any(words in note for note in answer["notes"])


@pytest.mark.parametrize("name", UNRATED)
def test_a_file_without_ratings_is_read_as_interactions(name: str) -> None:
    rows = [tuple(row) for row in RIGHT[name]["interactions"]]
    assert read_feedback(FILES / name).to_frame().drop("timestamp", strict=False).rows() == rows
    answer = ask("describe", FILES / name)
    (glance,) = answer["tables"][0]["rows"]
    users, items = ({row[place] for row in rows} for place in (0, 1))
    assert (glance["interactions"], glance["users"], glance["items"]) == (
        *(len(rows), len(users), len(items)),
    )
    assert not any("rating" in table["title"] for table in answer["tables"])
    for words in RIGHT[name]["says"]:
        assert any(words in note for note in answer["notes"]), answer["notes"]


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_in_one_line_that_says_what_to_do(name: str) -> None:
    with pytest.raises(tm.TastemapError) as refused:
        tm.read_ratings(FILES / name)
    shown = run("describe", FILES / name, code=1)
    for message in (str(refused.value), shown):
        assert name in message
        for words in RIGHT[name]["refused"]:
            assert words in message, message


@pytest.mark.parametrize("name", BESIDE)
def test_a_table_beside_the_ratings_describes_items_or_users(name: str) -> None:
    right = RIGHT[name]
    kind, ratings = right["describes"], FILES / right["beside"]
    if "refused" in right:
        shown = run("describe", ratings, f"--{kind}", FILES / name, code=1)
        assert all(words in shown for words in (name, *right["refused"])), shown
        return
    described = tm.read_ratings(ratings, **{kind: FILES / name})
    table = described.item_table if kind == "items" else described.user_table
    assert table.rows() == [tuple(row) for row in right["rows"]]
    notes = ask("describe", ratings, f"--{kind}", FILES / name)["notes"]
    for words in right["says"]:
        assert any(words in note for note in notes), notes
