"""Items that an entry of a person's file may be."""

import polars as pl

from tastemap.data.vocabulary import Vocabulary
from tastemap.explore.exports import Entry
from tastemap.explore.matching import items_alike, matching_rows, rows_of_ids, title_index

FILMS = pl.DataFrame(
    {
        "item_id": [7, 8, 9],
        "title": ["Hamlet", "Hamlet", "Seven (Se7en)"],
        "year": [1990, 1996, 1995],
    }
)


def test_the_year_tells_items_of_one_title_apart_and_an_id_tells_more() -> None:
    items = Vocabulary(FILMS["item_id"], "item", FILMS)
    index = title_index(items)
    assert matching_rows(index, Entry("Hamlet", 1996, 4.0), -1) == ([1], True)
    assert matching_rows(index, Entry("The Hamlet", 1991, 4.0), -1) == ([0], True)
    assert matching_rows(index, Entry("Hamlet", None, 4.0), -1) == ([0, 1], False)
    assert matching_rows(index, Entry("Hamlet", None, 4.0), 1) == ([1], True)
    assert matching_rows(index, Entry("Seven", 1995, 4.0), -1) == ([2], True)
    assert matching_rows(index, Entry("", None, 4.0, "9"), 2) == ([2], True)
    assert title_index(items) is index, "it is made once"


def test_ids_are_compared_as_they_are_written() -> None:
    items = Vocabulary(FILMS["item_id"], "item", FILMS)
    entries = [Entry("", None, 1.0, item_id) for item_id in ("9", "09", "", "10")]
    assert rows_of_ids(items, entries) == [2, -1, -1, -1]
    assert items_alike(items, "Hamlett") == [0, 1]
    assert items_alike(items, "!!") == []
