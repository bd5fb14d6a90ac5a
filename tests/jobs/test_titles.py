"""Items by their ids, their titles, and words of these."""

import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, UnknownIdError
from tastemap.jobs.titles import item_ids, rated_items

TITLES = {
    7: "Scream (1996)",
    8: "Scream 2 (1997)",
    9: "Shawshank Redemption, The (1994)",
    10: "Sabrina (1954)",
    11: "Sabrina (1995)",
    12: "Seven (Se7en) (1995)",
    13: "Seven Years in Tibet (1997)",
    14: "Postino, Il (1994)",
}


@pytest.fixture(scope="module")
def films() -> Ratings:
    rows = [(1, item, 4.0) for item in TITLES] + [(2, 11, 2.0)]
    frame = pl.DataFrame(rows, ["user_id", "item_id", "rating"], orient="row")
    table = pl.DataFrame({"item_id": [*TITLES], "title": [*TITLES.values()]})
    return Ratings.from_frame(frame, item_table=table)


@pytest.mark.parametrize(
    ("word", "item"),
    [
        *(("Scream", 7), ("scream 2", 8), ("The Shawshank Redemption (1994)", 9)),
        *(("sabrina 1954", 10), ("Seven", 12), ("se7en", 12), ("tibet", 13), ("il postino", 14)),
        *(("Shawshenk Redemtion", 9), ("redemp", 9)),
    ],
)
def test_the_title_that_fits_best_is_taken_and_said(films: Ratings, word: str, item: int) -> None:
    said: list[str] = []
    assert item_ids(films, [word], "--rate", said.append) == [item]
    assert said == [f"“{word}” taken as “{TITLES[item]}”"]


def test_ids_and_whole_titles_need_no_word(films: Ratings) -> None:
    said: list[str] = []
    words = ["7", 8, "postino, il (1994)"]
    assert item_ids(films, words, "ITEM", said.append) == [7, 8, 14]
    assert said == []


def test_of_equally_good_titles_the_best_known_is_offered_first(films: Ratings) -> None:
    offer = r"'Sabrina', which fits several; .*: Sabrina \(1995\) \(id 11\), Sabrina \(1954\)"
    with pytest.raises(ArgumentError, match=offer):
        item_ids(films, ["Sabrina"], "--rate")
    with pytest.raises(UnknownIdError, match="nearest: 'Scream"):
        item_ids(films, ["Screem Tree"], "ITEM")
    for word in ("Casablanca", "!!!", "", "99"):
        with pytest.raises(UnknownIdError, match="ITEM; expected an id"):
            item_ids(films, [word], "ITEM")


def test_an_item_is_rated_once(films: Ratings) -> None:
    assert rated_items(films, {"Scream": 5.0, "8": 1.0}) == {7: 5.0, 8: 1.0}
    with pytest.raises(ArgumentError, match="each item once; received '7' again"):
        rated_items(films, {"Scream": 5.0, "7": 1.0})
