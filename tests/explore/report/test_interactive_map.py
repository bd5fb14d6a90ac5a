import json
import re

import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.explore.report import interactive_map as interactive
from tastemap.explore.report.interactive_map import interactive_map, map_fragment

EVIL = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"


@pytest.fixture
def places(ratings) -> pl.DataFrame:
    n = ratings.n_items
    return pl.DataFrame({"item_id": ratings.items.ids, "x": range(n), "y": range(n)}).cast(
        {"x": pl.Float64, "y": pl.Float64}
    )


def embedded(html: str) -> dict:
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    return json.loads(text)


def test_the_page_holds_every_item_with_what_is_known(places, ratings):
    data = embedded(interactive_map(places, ratings))
    assert sorted(map(int, data["id"])) == list(range(1, 91))
    first = data["id"].index("1")
    assert (data["title"][first], data["year"][first]) == ("Film 1", 1950)
    assert data["popularity"][first] == 1
    assert data["genres"][first] == ["Drama", "Romance"]
    assert data["popularity"] == sorted(data["popularity"], reverse=True)


def test_titles_are_text(places, ratings):
    table = ratings.item_table.with_columns(title=pl.lit(EVIL), genres=pl.lit([EVIL]))
    html = interactive_map(
        places, Ratings.from_frame(ratings.to_frame(), item_table=table), title=EVIL
    )
    assert EVIL not in html
    assert "<img" not in html.split("<script", 1)[0]
    assert embedded(html)["title"][0] == EVIL


def test_the_menu_offers_what_is_known_and_starts_with_the_colour(places, ratings):
    html = map_fragment(places, ratings, "year").html
    assert re.findall(r'<option value="(\w+)"', html) == ["popularity", "average", "year", "genre"]
    assert re.findall(r'value="(\w+)" selected', html) == ["year"]
    bare = map_fragment(places, Ratings.from_frame(ratings.to_frame())).html
    assert re.findall(r'<option value="(\w+)"', bare) == ["popularity", "average"]


def test_interactions_are_counted_by_their_name_and_have_no_average(places, ratings):
    html = interactive_map(places, ratings.likes(1.0))
    assert embedded(html)["noun"] == "interactions"
    assert re.findall(r'<option value="(\w+)"', html) == ["popularity", "year", "genre"]
    body = html.split("<script", 1)[0].split("<body>", 1)[1]
    assert "rating" not in body
    assert embedded(interactive_map(places, ratings))["noun"] == "ratings"


def test_plotly_is_put_in_once_and_may_run(places, ratings):
    html = interactive_map(places, ratings)
    assert html.count("plotly.js v") == 1
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy


def test_a_page_holds_no_more_items_than_a_browser_bears(places, ratings, monkeypatch):
    monkeypatch.setattr(interactive, "MAX_ITEMS", 10)
    html = interactive_map(places, ratings)
    assert set(embedded(html)["id"]) == {str(item) for item in range(81, 91)}
    assert "The 10 items with most ratings of 90 items" in html


def test_an_unknown_colour_is_refused(places, ratings):
    with pytest.raises(ArgumentError, match="colour; expected one of"):
        interactive_map(places, ratings, "taste")
