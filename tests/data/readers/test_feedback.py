"""The reader of tables that have ratings or have none."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.readers.feedback import read_feedback
from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError, DataError, NoRatingsError

CLICKS = "session_id,item_id,timestamp\ns1,7,1700000000\ns1,8,1700000020\ns2,7,1700000040\n"
PLAYS = "user,artist,weight\n" + "".join(f"{n % 4},{n},{3 * n * n + 1}\n" for n in range(30))


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("user_id,item_id\n1,7\n1,8\n2,7\n", [1, 1, 1]),
        (CLICKS, [1, 1, 1]),
        ("1,7,1700000000\n1,8,1700000001\n2,7,1700000002\n", [1, 1, 1]),
        (PLAYS, [3 * n * n + 1 for n in range(30)]),
        # Small counts look like ratings; the name of their column says what they are.
        ("user,artist,plays\n1,7,1\n1,8,5\n2,7,2\n2,8,1\n1,9,2\n3,7,5\n", [1, 5, 2, 1, 2, 5]),
        ("user,item,liked\n1,7,1\n1,8,0\n2,7,1\n2,8,1\n3,7,0\n3,8,1\n", [1, -1, 1, 1, -1, 1]),
        ("user,item,liked\n1,7,True\n1,8,False\n2,7,True\n", [1, -1, 1]),
        # Codes of events, and numbers beside events, are no ratings.
        ("user,item,behavior_type\n1,7,1\n1,8,4\n2,7,1\n2,8,1\n3,7,2\n", [1] * 5),
        ("user,item,event,transaction\n1,7,view,\n1,8,buy,900\n2,7,view,\n", [1, 1, 1]),
    ],
)
def test_a_table_without_ratings_is_read_as_interactions(
    text: str, weights: list[float], write: Callable[..., Path]
) -> None:
    path = write(text)
    with pytest.raises(NoRatingsError, match=r"tm\.read_interactions"):
        read_ratings(path)
    table = read_feedback(path)
    assert isinstance(table, Interactions)
    assert table.weight.tolist() == weights
    assert "no ratings: lists, no stars" in table.source.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "user,item,rating\n1,7,4\n1,8,2\n2,7,5\n",
        "user,item,joke_score,type\n1,7,4,a\n1,8,2,b\n2,7,5,a\n",
        "1,7,4\n1,8,2\n2,7,5\n",
    ],
)
def test_a_table_with_ratings_is_read_as_ratings(text: str, write: Callable[..., Path]) -> None:
    table = read_feedback(write(text))
    assert isinstance(table, Ratings)
    assert table.rating.tolist() == [4, 2, 5]


def test_what_is_not_clear_is_asked_for(write: Callable[..., Path]) -> None:
    counts = "".join(f"{n % 4},{n},{3 * n * n + 1}\n" for n in range(30))
    with pytest.raises(DataError, match=r"rating='score'; if as counts: weight='score'") as error:
        read_feedback(write("user,item,score\n" + counts))
    assert not isinstance(error.value, NoRatingsError)
    with pytest.raises(DataError, match=r"as likes and dislikes: weight='verified'") as error:
        read_feedback(write("user,item,verified\n1,7,True\n1,8,False\n2,7,True\n"))
    assert not isinstance(error.value, NoRatingsError)


def test_an_argument_says_what_the_table_holds(write: Callable[..., Path]) -> None:
    path = write(PLAYS)
    assert isinstance(read_feedback(path, rating="weight"), Ratings)
    stars = write("user,item,rating\n1,7,4\n1,8,2\n2,7,5\n")
    assert isinstance(read_feedback(stars, weight="rating"), Interactions)
    assert read_feedback(stars, repeats="count").weight.tolist() == [1, 1, 1]
    with pytest.raises(ArgumentError, match="rating, weight; expected one of the two"):
        read_feedback(path, rating="weight", weight="weight")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"unrated": (0.0,)}, "unrated; expected a table of ratings; .*leave it out"),
        ({"duplicates": "mean"}, "duplicates; .*use repeats"),
    ],
)
def test_what_is_said_of_ratings_is_refused_where_there_are_none(
    option: dict[str, object], message: str, write: Callable[..., Path]
) -> None:
    with pytest.raises(ArgumentError, match=message):
        read_feedback(write(CLICKS), **option)


def test_tables_beside_interactions_describe_them(write: Callable[..., Path]) -> None:
    titles = pl.DataFrame({"id": [7, 8], "title": ["Heat", "Alien"]})
    table = read_feedback(write(CLICKS), items=titles, noun="tale")
    assert table.items.titles.to_list() == ["Heat", "Alien"]
    assert table.source.noun == "tale"
