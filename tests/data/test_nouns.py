"""What is rated, in a word."""

import polars as pl
import pytest

from tastemap.data.feedback import Source
from tastemap.data.nouns import item_noun
from tastemap.data.ratings import Ratings


def ratings(*notes: str) -> Ratings:
    table = pl.DataFrame({"user_id": [1], "item_id": [7], "rating": [5]})
    return Ratings.from_frame(table, source=Source("some", notes))


@pytest.mark.parametrize(
    ("column", "plural"),
    [
        *(("movieId", "films"), ("ISBN", "books"), ("track_id", "songs"), ("JOKES", "jokes")),
        *(("Anime_ID", "anime"), ("asin", "products"), ("item", "items"), ("booking", "items")),
    ],
)
def test_the_column_says_what_is_rated(column: str, plural: str) -> None:
    data = ratings("delimiter inferred: comma", f"column {column} read as item")
    assert item_noun(data).plural == plural


def test_movielens_has_films_and_other_columns_say_nothing() -> None:
    assert item_noun(ratings("read as MovieLens 100K (u.data)")).singular == "film"
    assert item_noun(ratings("column book read as user")).singular == "item"
    assert item_noun(ratings()).indefinite == "an item"
