"""The pages of a person who gives no ratings: likes are set, taken back, saved and brought."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

import polars as pl
import pytest
from clients import client_of
from small_models import save_small, small_ratings
from starlette.testclient import TestClient

from tastemap.data.ratings import Ratings


@pytest.fixture
def likes(clicks_artifact: Path, tmp_path: Path) -> Iterator[TestClient]:
    with client_of(clicks_artifact, tmp_path) as client:
        yield client


def token(client: TestClient) -> str:
    return re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)[1]


def mark(client: TestClient, item: int, **press: str) -> str:
    """What pressing a button of an item's form leads to."""
    form = {"csrf": token(client), "item": str(item)} | press
    answer = client.post(f"/items/{item}", data=form)
    assert answer.status_code == 200, answer.text
    return answer.text


def pressed(page: str) -> list[str]:
    return re.findall(r'aria-pressed="true" aria-label="([^"]+)"', page)


def test_a_heart_is_pressed_and_taken_back(likes: TestClient) -> None:
    page = mark(likes, 3, rating="1")
    assert pressed(page) == ["Like Comedy 3 (1962)"]
    assert "<b>1</b> liked" in page
    assert "You like it" in page
    page = mark(likes, 3, rating="-1")
    assert pressed(page) == ["Not interested in Comedy 3 (1962)"]
    assert "<b>0</b> liked" in page, "who is not interested does not like"
    assert not pressed(mark(likes, 3, remove="1"))
    assert "You like nothing yet" in likes.get("/you").text


def test_the_page_lists_likes_and_what_is_not_wanted(likes: TestClient) -> None:
    for item, weight in ((3, "1"), (5, "1"), (7, "-1")):
        mark(likes, item, rating=weight)
    page = likes.get("/you").text
    assert "You like 2 films, and are not interested in 1." in page
    liked, unwanted = page.split("<h2>Not interested</h2>")
    assert len(pressed(liked)) == 2
    assert len(pressed(unwanted)) == 1


def test_the_taste_card_is_a_picture_whose_text_stays_text(
    likes: TestClient, tmp_path: Path
) -> None:
    assert likes.get("/you/card.svg").status_code == 404
    assert "Your taste card" not in likes.get("/you").text
    mark(likes, 3, rating="1")
    answer = likes.get("/you/card.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["cache-control"] == "no-store"
    expat.ParserCreate().Parse(answer.text, True)
    assert 'width="1200" height="630"' in answer.text
    assert "1 like" in answer.text
    assert 'href="/you/card.svg" download="my-taste.svg"' in likes.get("/you").text
    ratings = small_ratings()
    table = ratings.item_table.with_columns(title=pl.lit("<b>&'\"</b>"))
    named = Ratings.from_frame(ratings.to_frame(), item_table=table)
    with client_of(save_small(named, tmp_path / "other" / "model"), tmp_path / "other") as client:
        mark(client, 3, rating="5")
        picture = client.get("/you/card.svg").text
    assert "<b>" not in picture
    assert "&lt;b&gt;&amp;" in picture
    expat.ParserCreate().Parse(picture, True)
