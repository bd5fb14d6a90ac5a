"""Columns of the item table as numbers."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.models.base.categories import categories

ITEMS = {
    "item_id": [1, 2, 3, 4],
    "genres": ["Drama|Comedy", "Comedy", "", None],
    "price": [1.5, None, float("nan"), 1.5],
    "cast": [["Q", "P", "Q"], [], ["P", None], None],
    "year": [1999, 2000, None, 1987],
    "maker": [{"name": "X"}] * 4,
}


@pytest.fixture
def films() -> Ratings:
    rows = {"user_id": 1, "item_id": [1, 2, 3, 4], "rating": [1, 2, 3, 4]}
    return Ratings.from_frame(pl.DataFrame(rows), item_table=pl.DataFrame(ITEMS, strict=False))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("genres", [[0, 1], [0], [], []]),
        ("price", [[0], [], [], [0]]),
        ("cast", [[0, 1], [], [0], []]),
        ("decade", [[1], [2], [], [0]]),
    ],
)
def test_each_value_counts_once_and_nulls_do_not(
    films: Ratings, column: str, expected: list[list[int]]
) -> None:
    indptr, ids, n = categories(films, column)
    assert [sorted(part.tolist()) for part in np.split(ids, indptr[1:-1])] == expected
    assert n == 1 + max(max(part, default=0) for part in expected)


def test_items_without_a_value_may_share_one(films: Ratings) -> None:
    indptr, ids, n = categories(films, "price").with_rest()
    assert indptr.tolist() == [0, 1, 2, 3, 4]
    assert (ids.tolist(), n) == ([0, 1, 1, 0], 2)


def test_a_column_that_is_none_is_refused(films: Ratings) -> None:
    with pytest.raises(ArgumentError, match="'genre'; did you mean 'genres'"):
        categories(films, "genre")
    with pytest.raises(ArgumentError, match="expected a column of values; received maker: Struct"):
        categories(films, "maker")
