"""A report in a browser: nothing is cut, on a wide screen and on a phone."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tastemap.explore.report.blocks import Facts, Table
from tastemap.explore.report.report import Report

FACTS = Facts(
    [
        *(("ratings", 25_000_095), ("users", 1_234_567), ("items", 1_062_009)),
        *(("mean rating", "3.53"), ("of all pairs rated", "0.00022 %"), ("items rated once", 12)),
        ("baseline_test_calibration_error", 0.01),
    ]
)
TABLE = Table(
    pl.DataFrame({name: [1234.5] for name in ("average", "damped_average", "popularity")}),
    "The best-liked items, by an average damped with 25 ratings at the overall mean: the plain"
    " average beside it favours items with few ratings",
)


@pytest.mark.parametrize("width", [1280, 380, 320])
def test_no_number_and_no_caption_is_cut(browser: Any, tmp_path: Path, width: int) -> None:
    path = Report("Films").section("The ratings", FACTS, TABLE).write(tmp_path / "report.html")
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(path.as_uri())
    ends = page.evaluate(
        """() => [...document.querySelectorAll(".facts dd, .facts div, caption")].map((e) =>
            [e.textContent, e.scrollWidth - e.clientWidth, e.getBoundingClientRect().right])"""
    )
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()
    assert len(ends) == 15
    for text, hidden, right in ends:
        assert hidden <= 0, text
        assert right <= width, text
