"""The blocks of a report: tables, text, figures as HTML."""

import base64
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import polars as pl
from matplotlib.figure import Figure

from tastemap.explore.report import blocks
from tastemap.explore.report.blocks import Picture, Table
from tastemap.explore.report.report import Report


def figure(points: int = 3) -> Figure:
    drawn = Figure(figsize=(6.8, 4.1))
    drawn.subplots().scatter(range(points), range(points))
    return drawn


def test_tables_write_numbers_for_readers():
    frame = pl.DataFrame(
        {
            "item_id": [1682],
            "release_year": [1977],
            "n_ratings": [100000],
            "mae": [0.71249],
            "genres": [["A", "<B>"]],
            "seen": [True],
            "first": [datetime(1997, 9, 20, 3, 5, tzinfo=UTC)],
            "none": [None],
        }
    )
    cells = re.findall(r"<td[^>]*>(.*?)</td>", Table(frame).html())
    assert cells == [
        "1682",
        "1977",
        "100,000",
        "0.712",
        "A, &lt;B&gt;",
        "yes",
        "1997-09-20 03:05",
        "–",
    ]
    assert "… and 7 more rows" in Table(pl.concat([frame] * 9), rows=2).html()


def test_titles_are_said_as_people_say_them():
    html = Table(pl.DataFrame({"item_id": [1], "title": ["Postino, Il (1994)"]})).html()
    assert "Il Postino (1994)" in html


def test_titles_that_repeat_ids_and_decimals_that_say_nothing_are_left_out():
    frame = pl.DataFrame({"item_id": ["x"], "title": ["x"], "predicted_rating": [128_974.5]})
    assert re.findall(r"<td[^>]*>(.*?)</td>", Table(frame).html()) == ["x", "128,974"]
    assert "… and 1 more row." in Table(pl.concat([frame] * 2), rows=1).html()


def test_text_is_split_into_paragraphs_and_marks_code():
    html = Report("x").section("y", "One `a < b`.\n\nTwo.").html()
    assert "<p>One <code>a &lt; b</code>.</p>\n<p>Two.</p>" in html


def test_figures_are_svg_and_the_same_each_time():
    first, second = (Picture(figure(), "dots").html() for _ in range(2))
    assert first == second
    (svg,) = re.findall(r"data:image/svg\+xml;base64,([^\"]*)", first)
    assert ET.fromstring(base64.b64decode(svg)).tag.endswith("svg")  # noqa: S314 - our own
    assert 'width="680" height="410"' in first


def test_large_figures_become_pictures_of_dots(monkeypatch):
    monkeypatch.setattr(blocks, "MAX_SVG_BYTES", 1000)
    assert "data:image/png;base64," in Picture(figure(), "dots").html()
