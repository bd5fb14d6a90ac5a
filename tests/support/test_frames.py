"""Which columns a person sees, and how many decimals."""

import polars as pl

from tastemap.support.frames import digits_of, without_repetition


def test_titles_go_where_all_of_them_are_ids_and_stay_where_one_says_more() -> None:
    ids = pl.DataFrame({"rank": [1, 2], "item_id": [7, 8], "title": ["7", "8"]})
    assert without_repetition(ids).columns == ["rank", "item_id"]
    named = ids.with_columns(title=pl.Series(["7", "Alien"]))
    assert without_repetition(named).columns == named.columns
    assert without_repetition(ids.drop("item_id")).columns == ["rank", "title"]
    assert without_repetition(ids.head(0)).columns == ids.columns


def test_decimals_follow_the_largest_number_of_a_column() -> None:
    columns = ([0.5, 0.25], [145.5, 0.01], [2113.4], [-128_974.0, 0.5], [float("nan")], [None])
    digits = [digits_of(pl.Series(column, dtype=pl.Float64), 4) for column in columns]
    assert digits == [4, 4, 2, 0, 4, 4]
    assert digits_of(pl.Series(["text"]), 4) == 4
