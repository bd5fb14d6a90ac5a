"""Tables and figures that describe ratings."""

from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from tastemap.data.ratings import Ratings
from tastemap.jobs.describe import counts_table, genres_table, save_figures, statistics_tables


def test_tables_hold_what_was_counted_by_hand(tiny: Ratings) -> None:
    glance, counts, popular, liked = statistics_tables(tiny).values()
    row = glance.row(0, named=True)
    assert (row["ratings"], row["users"], row["items"]) == (6, 3, 3)
    assert dict(counts["rating", "count"].iter_rows()) == {1: 1, 2: 1, 3: 2, 4: 1, 5: 1}
    assert len(popular) == 3
    # 25 ratings at the mean of 3 beside 5 + 4, 3 + 1 and 2 + 3.
    expected = [(25 * 3 + total) / 27 for total in (9, 5, 4)]
    assert [round(value, 4) for value in liked["damped_average"]] == [
        round(value, 4) for value in expected
    ]


def test_many_values_are_counted_in_parts_of_the_scale() -> None:
    rating = np.concatenate([np.linspace(-10, 10, 101), [-10, 9.99, 10]])
    frame = {"user_id": np.arange(104), "item_id": np.zeros(104), "rating": rating}
    table = counts_table(Ratings.from_frame(pl.DataFrame(frame)))
    assert table["from"].to_list() == list(range(-10, 10, 2))
    assert table["to"][-1] == 10
    assert table["count"].to_list() == [11, *[10] * 8, 13]
    plays = frame | {"rating": 10.0 ** np.linspace(0, 5, 104)}
    table = counts_table(Ratings.from_frame(pl.DataFrame(plays)))
    assert table["to"].round(1).to_list()[:2] == [3.2, 10.0]
    assert table["count"].sum() == 104
    assert min(table["count"]) >= 10


def test_figures_are_files_of_their_names(tmp_path: Path) -> None:
    save_figures({"empty": Figure(figsize=(1, 1))}, tmp_path / "figures")
    assert (tmp_path / "figures" / "empty.png").read_bytes()[:4] == b"\x89PNG"


def test_genres_are_counted_where_they_are_known() -> None:
    frame = pl.DataFrame({"user_id": [1, 2, 3], "item_id": [7, 7, 8], "rating": [1, 2, 3]})
    books = pl.DataFrame({"item_id": [7, 8, 9], "genres": [["Drama", "War"], ["War"], None]})
    assert genres_table(Ratings.from_frame(frame)) is None
    described = Ratings.from_frame(frame, item_table=books)
    tables = statistics_tables(described)
    assert tables["The genres of the items"].rows() == [("War", 2, 3), ("Drama", 1, 2)]
