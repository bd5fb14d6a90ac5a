"""Tables and figures that describe ratings."""

from pathlib import Path

from matplotlib.figure import Figure

from tastemap.data.ratings import Ratings
from tastemap.jobs.describe import save_figures, statistics_tables


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


def test_figures_are_files_of_their_names(tmp_path: Path) -> None:
    save_figures({"empty": Figure(figsize=(1, 1))}, tmp_path / "figures")
    assert (tmp_path / "figures" / "empty.png").read_bytes()[:4] == b"\x89PNG"
