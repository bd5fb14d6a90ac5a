"""The pages of a person who gives no ratings: likes are set, taken back, saved and brought."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import client_of
from starlette.testclient import TestClient


@pytest.fixture
def likes(clicks_artifact: Path, tmp_path: Path) -> Iterator[TestClient]:
    with client_of(clicks_artifact, tmp_path) as client:
        yield client


@pytest.fixture
def stars(artifact: Path, tmp_path: Path) -> Iterator[TestClient]:
    with client_of(artifact, tmp_path) as client:
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
