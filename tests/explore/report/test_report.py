import re
from html.parser import HTMLParser

import polars as pl
import pytest
from matplotlib.figure import Figure

from tastemap.errors import ArgumentError
from tastemap.explore.report.blocks import Code, Facts, Picture, Questions, Table
from tastemap.explore.report.page import Fragment
from tastemap.explore.report.report import Report

EVIL = "</title></script><script>alert('x')</script> & \"quoted\""
VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Elements in order; every element that opens must close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.seen if name == tag]


def figure(points: int = 3) -> Figure:
    drawn = Figure(figsize=(6.8, 4.1))
    drawn.subplots().scatter(range(points), range(points))
    return drawn


@pytest.fixture
def report() -> Report:
    frame = pl.DataFrame({"item_id": [12345], "title": [EVIL], "mae": [0.71249], "n": [12345]})
    return (
        Report(EVIL, EVIL)
        .section(EVIL, EVIL, frame, Table(frame, caption=EVIL))
        .section("Same", Facts([(EVIL, 1234)]), Questions([(EVIL, EVIL)]), Code(EVIL))
        .section("Same", Picture(figure(), alt=EVIL, caption=EVIL), Fragment("<b>x</b>", ("1;",)))
    )


def test_the_page_is_well_formed_and_every_text_is_text(report):
    parsed = Page(report.html())
    assert [attributes for attributes in parsed.all("script") if attributes] == []
    assert len(parsed.all("script")) == 1  # the fragment's own
    assert parsed.all("img")[0]["alt"] == EVIL
    assert len(parsed.all("h1")) == 1


def test_contents_link_to_the_sections(report):
    parsed = Page(report.html())
    links = [a["href"] for a in parsed.all("a")]
    assert links == [f"#{h2['id']}" for h2 in parsed.all("h2")]
    assert len(set(links)) == 3


def test_nothing_is_fetched_from_anywhere(report):
    html = report.html()
    for _, attributes in Page(html).seen:
        for name in ("src", "href", "action", "data", "srcset"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    assert not re.search(r"url\(|@import", html)


def test_a_bare_figure_is_refused_with_what_to_do():
    with pytest.raises(ArgumentError, match=r"received Figure; wrap a figure in Picture"):
        Report("x").section("y", figure())


def test_a_report_that_cannot_be_rendered_keeps_the_old_file(tmp_path):
    path = tmp_path / "report.html"
    Report("first").write(path)
    broken = Report("second").section("x", Picture(None, "no figure"))
    with pytest.raises(AttributeError):
        broken.write(path)
    assert "first" in path.read_text(encoding="utf-8")
