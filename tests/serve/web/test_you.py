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


def review(client: TestClient, content: str, name: str = "mine.txt") -> tuple[str, list[str]]:
    """The page of an import, and what it would keep."""
    files = {"file": (name, content.encode(), "text/plain")}
    page = client.post("/you/import", files=files, data={"csrf": token(client)}).text
    return page, re.findall(r'name="pick" value="([^"]+)" checked', page)


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


def test_what_is_saved_can_be_brought_back_in_its_order(likes: TestClient) -> None:
    for item, weight in ((5, "1"), (3, "1"), (7, "-1")):
        mark(likes, item, rating=weight)
    saved = likes.get("/you/likes.csv")
    assert 'filename="my-likes.csv"' in saved.headers["content-disposition"]
    rows = saved.text.splitlines()
    assert rows[0] == "item_id,title,year,liked,timestamp"
    assert [row.split(",")[3] for row in rows[1:]] == ["-1", "1", "1"], "the latest first"
    likes.post("/you/forget", data={"csrf": token(likes), "sure": "1"})
    assert "<b>0</b> liked" in likes.get("/").text
    page, picks = review(likes, saved.text, "likes.csv")
    assert picks == ["1 5", "1 3", "-1 7"], "the oldest first"
    answer = likes.post("/you/import/keep", data={"csrf": token(likes), "pick": picks})
    assert "3 likes are kept." in answer.text
    again = likes.get("/you/likes.csv").text.splitlines()
    assert [row.split(",")[0] for row in again] == ["item_id", "7", "3", "5"]
    assert "Keep these likes" in page


def test_lists_and_ratings_are_brought_as_likes(likes: TestClient) -> None:
    page, picks = review(likes, "Comedy 3 (1962)\n5\nnothing of the kind\n")
    assert picks == ["1 3", "1 5"]
    assert "1 title is not known: nothing of the kind" in page
    page, picks = review(likes, "movieId,rating\n3,5\n5,4.5\n7,2\n", "ratings.csv")
    assert picks == ["1 3", "1 5"]
    assert "Ratings from 3.875 on are read as likes." in page
    assert "1 rating is too low for a like: 7 = 2" in page


def test_a_file_that_names_nothing_is_refused_on_a_page(likes: TestClient) -> None:
    files = {"file": ("cat.png", b"\x89PNG\0\0", "image/png")}
    answer = likes.post("/you/import", files=files, data={"csrf": token(likes)})
    assert answer.status_code == 422
    assert "no list of titles or ids" in answer.text


def test_what_was_watched_is_kept_beside_ratings_and_saved(stars: TestClient) -> None:
    export = (
        "Name,Year,Letterboxd URI,Rating\nComedy 3,1962,u,4.5\nDrama 2,1961,u,\nComedy 5,1964,u,\n"
    )
    page, picks = review(stars, export, "watched.csv")
    assert "Letterboxd: 1 items found" in page
    assert "2 seen without a rating" in page
    assert sorted(pick.split()[0] for pick in picks) == ["5", "seen", "seen"]
    answer = stars.post("/you/import/keep", data={"csrf": token(stars), "pick": picks})
    assert "1 rating is kept." in answer.text
    assert "2 items are kept as seen." in answer.text
    assert answer.text.count(">Not seen<") == 2
    assert "Drama 2" not in stars.get("/").text.split("<h2")[1], "nothing seen is picked"
    saved = stars.get("/you/ratings.csv").text
    assert saved.count("\n") == 4
    _, picks = review(stars, saved, "mine.csv")
    assert sorted(pick.split()[0] for pick in picks) == ["5", "seen", "seen"]
    form = {"csrf": token(stars), "item": picks[-1].split()[1], "remove": "1"}
    assert stars.post("/you", data=form).text.count(">Not seen<") == 1
    stars.post("/you/forget", data={"csrf": token(stars), "sure": "1"})
    assert ">Not seen<" not in stars.get("/you").text
