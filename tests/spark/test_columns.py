"""Rows in standard types: what is no row of a table is named, or left out and counted."""

from pathlib import Path
from typing import Any

import pytest

from tastemap.errors import DataError
from tastemap.spark.read import read_table

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]


def test_a_bad_row_is_named_or_skipped_and_counted(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("userId,movieId,rating\n1,10,4\n2,10,good\n3,,5\n1,20,nan\n2,20,3\n")
    with pytest.raises(DataError, match=r"ratings\.csv; expected a user.*3 rows without, e\.g\."):
        read_table(spark, str(path), {})
    read = read_table(spark, str(path), {"on_bad_row": "skip"})
    assert read.notes[-1].startswith("3 rows without")
    assert sorted(tuple(row) for row in read.frame.collect()) == [(1, 10, 4.0), (2, 20, 3.0)]
    with pytest.raises(DataError, match="no such file"):
        read_table(spark, str(tmp_path / "none.csv"), {})


def test_bad_rows_say_nothing_of_the_good_ones(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    lines = ("userId,movieId,rating,timestamp", "1,10,4,5", "x,10,good,", "2,20,3,7")
    path.write_text("\n".join(lines))
    read = read_table(spark, str(path), {"on_bad_row": "skip"})
    assert dict(read.frame.dtypes)["user_id"] == "bigint"
    rows = read.frame.select("user_id", "timestamp").collect()
    assert sorted(tuple(row) for row in rows) == [(1, 5), (2, 7)]


def test_a_bad_row_of_interactions_is_one_without_a_weight(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "plays.csv"
    path.write_text("user,item,plays\nann,1,often\nann,2,4\nbo,1,3\n")
    with pytest.raises(DataError, match=r"number as weight in each.*1 rows.*'often'"):
        read_table(spark, str(path), {"weight": "plays"})
