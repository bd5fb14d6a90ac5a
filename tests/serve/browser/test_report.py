"""Reports in a browser: nothing is cut, on a wide screen and on a phone, in light and dark."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tastemap.explore.report.blocks import Facts, Summary, Table
from tastemap.explore.report.report import Report
from tastemap.jobs.report import write_report
from tastemap.models.base.recommender import Recommender

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
# More columns and longer words than a phone is wide.
WIDE = Table(
    pl.DataFrame({"model": ["NeuralRecommender(network='biased-dot')"]}).with_columns(
        **{f"validation_{n}": pl.lit(12345.678) for n in range(6)}
    ),
    "Errors",
)
SUMMARY = Summary(
    [("test RMSE of a model with a long name", 0.8912)],
    [("command", "`tastemap run /a/path/that/is/longer/than/a/phone/is/wide/ratings.csv`")],
)


@pytest.fixture(scope="module")
def report(film_model: Recommender, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a model, with its figures and its map."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(film_model, path)
    return path


@pytest.mark.parametrize("width", [1280, 380, 320])
def test_no_number_and_no_caption_is_cut(browser: Any, tmp_path: Path, width: int) -> None:
    report = Report("Films", summary=SUMMARY).section("The ratings", FACTS, TABLE, WIDE)
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(report.write(tmp_path / "report.html").as_uri())
    ends = page.evaluate(
        """() => [...document.querySelectorAll(".facts dd, .facts div, caption, .made dd, "
            + (innerWidth > 640 ? "pre" : ".table"))].map((e) =>
            [e.textContent, e.scrollWidth - e.clientWidth, e.getBoundingClientRect().right])"""
    )
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()
    assert len(ends) > 15
    for text, hidden, right in ends:
        assert hidden <= 0, text
        assert right <= width, text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_passes_axe_and_fits_a_phone(
    open_page: Callable[..., Any], report: Path, scheme: str
) -> None:
    watched = open_page(
        "file:", color_scheme=scheme, bypass_csp=True, viewport={"width": 360, "height": 800}
    )
    page = watched.page
    page.goto(report.as_uri(), timeout=60_000)
    page.locator(".map .main-svg").first.wait_for(timeout=60_000)
    assert watched.axe() == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    scrolling = page.evaluate(
        """() => [...document.querySelectorAll(".table, pre")]
            .filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)"""
    )
    assert scrolling == []
    assert page.locator(".map").count() == 1, "one map"
    corner = page.evaluate(
        """async () => {
            const image = document.querySelector(".card img");
            await image.decode();
            const pen = document.createElement("canvas").getContext("2d");
            pen.drawImage(image, 0, 0);
            return [...pen.getImageData(2, 2, 1, 1).data.slice(0, 3)];
        }"""
    )
    assert (sum(corner) < 150) == (scheme == "dark"), "figures are of the colours of the page"
