"""The import of what a person brings: what the page shows of it, and what is kept."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import client_of
from starlette.testclient import TestClient

from tastemap.serve.web.imports import MAX_MATCHES_SHOWN


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


def mark(client: TestClient, item: int, **press: str) -> None:
    """Press a button of an item's form."""
    form = {"csrf": token(client), "item": str(item)} | press
    assert client.post(f"/items/{item}", data=form).status_code == 200


def review(client: TestClient, content: str, name: str = "mine.txt") -> tuple[str, list[str]]:
    """The page of an import, and what it would keep."""
    files = {"file": (name, content.encode(), "text/plain")}
    page = client.post("/you/import", files=files, data={"csrf": token(client)}).text
    return page, re.findall(r'name="pick" value="([^"]+)" checked', page)


def test_what_is_saved_can_be_brought_back_in_its_order(likes: TestClient) -> None:
    for item, weight in ((5, "1"), (3, "1"), (7, "-1")):
        mark(likes, item, rating=weight)
    saved = likes.get("/you/likes.csv")
    assert 'filename="my-likes.csv"' in saved.headers["content-disposition"]
    rows = saved.text.splitlines()
    assert rows[0] == "item_id,title,year,liked,timestamp,name"
    assert [row.split(",")[3] for row in rows[1:]] == ["-1", "1", "1"], "the latest first"
    likes.post("/you/forget", data={"csrf": token(likes), "sure": "1"})
    assert "<b>0</b> liked" in likes.get("/").text
    page, picks = review(likes, saved.text, "likes.csv")
    assert [re.sub("@[0-9]+", "", pick) for pick in picks] == ["1 5", "1 3", "-1 7"], "oldest first"
    answer = likes.post("/you/import/keep", data={"csrf": token(likes), "pick": picks})
    assert "3 likes are kept." in answer.text
    again = likes.get("/you/likes.csv").text.splitlines()
    assert [row.split(",")[0] for row in again] == ["item_id", "7", "3", "5"]
    assert "Keep these likes" in page


def test_lists_and_ratings_are_brought_as_likes(likes: TestClient) -> None:
    page, picks = review(likes, "Comedy 3 (1962)\n5\nnothing of the kind\n")
    assert picks == ["1 3", "1 5"]
    assert "1 title is not known: nothing of the kind" in page
    content = "title,movieId,rating\nComedy 3 (1962),9,5\n,5,4.5\nDrama 2,2,2\n"
    page, picks = review(likes, content, "ratings.csv")
    assert picks == ["1 3"], "a number of MovieLens is no id of these items"
    assert "Ratings from 3.875 on are read as likes." in page
    assert "1 rating is too low for a like: Drama 2 = 2" in page


def test_a_file_that_names_nothing_is_refused_on_a_page(likes: TestClient) -> None:
    files = {"file": ("cat.png", b"\x89PNG\0\0", "image/png")}
    answer = likes.post("/you/import", files=files, data={"csrf": token(likes)})
    assert answer.status_code == 422
    assert "a file of no such kind" in answer.text


def test_what_was_watched_is_kept_beside_ratings_and_saved(stars: TestClient) -> None:
    export = (
        "Name,Year,Letterboxd URI,Rating\nComedy 3,1962,u,4.5\nDrama 2,1961,u,\nComedy 5,1964,u,\n"
    )
    page, picks = review(stars, export, "watched.csv")
    assert "Letterboxd: 1 item found" in page
    assert "2 seen without a rating" in page
    assert sorted(re.split("[@ ]", pick)[0] for pick in picks) == ["5", "seen", "seen"]
    answer = stars.post("/you/import/keep", data={"csrf": token(stars), "pick": picks})
    assert "1 rating is kept." in answer.text
    assert "2 items are kept as seen." in answer.text
    assert answer.text.count(">Not seen<") == 2
    assert "Drama 2" not in stars.get("/").text.split("<h2")[1], "nothing seen is picked"
    saved = stars.get("/you/ratings.csv").text
    assert saved.count("\n") == 4
    _, picks = review(stars, saved, "mine.csv")
    assert sorted(re.split("[@ ]", pick)[0] for pick in picks) == ["5", "seen", "seen"]
    form = {"csrf": token(stars), "item": picks[-1].split()[1], "remove": "1"}
    assert stars.post("/you", data=form).text.count(">Not seen<") == 1
    stars.post("/you/forget", data={"csrf": token(stars), "sure": "1"})
    assert ">Not seen<" not in stars.get("/you").text


LETTERBOXD = "Date,Name,Year,Letterboxd URI,Rating"


def test_the_page_shows_what_the_file_says_beside_what_is_kept(stars: TestClient) -> None:
    rows = "2024-01-02,comedy three,1962,u,4.5\n2024-01-03,Drmaa 2,1961,u,2\n"
    page, picks = review(stars, f"{LETTERBOXD}\n{rows}2024-01-03,<b>&amp;</b>,1999,u,1\n")
    assert "in your file: comedy three (1962)" in page
    assert '<span class="quiet">4.5 →</span> <span class="own">5</span>' in page
    assert "Ratings are brought from 0.5–5 to 1–5." in page
    assert picks == ["5@1704153600 3"]
    (proposed,) = re.findall(r'<option value="([^"]+)" selected>([^<]+)', page)
    assert proposed == ("2@1704240000 2", "Drama 2 (1961)")
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt; (1999)" in page, "text stays text"


def test_ratings_keep_the_time_at_which_they_were_given(stars: TestClient) -> None:
    form = {
        "csrf": token(stars),
        "pick": ["5@1704153600 3", "4@99999999999 5", "2@x 7", "seen@9 2"],
    }
    assert "3 ratings are kept." in stars.post("/you/import/keep", data=form).text
    rows = stars.get("/you/ratings.csv").text.splitlines()[1:]
    times = {row.split(",")[0]: int(row.split(",")[4]) for row in rows}
    assert (times["3"], times["2"]) == (1704153600, 9)
    assert 1704153600 < times["5"] < 99999999999, "no rating is of tomorrow"
    assert times["7"] > 1704153600


def test_of_many_matches_the_first_have_a_tick_each_and_the_rest_one(
    stars: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemap.serve.web.imports.MAX_MATCHES_SHOWN", 2)
    content = "item_id,rating\n" + "".join(f"{n},4\n" for n in range(1, 8))
    page, picks = review(stars, content)
    assert picks == ["4 1", "4 2"]
    assert "5 more found" in page
    (rest,) = re.findall(r'name="rest" value="([^"]+)" checked', page)
    form = {"csrf": token(stars), "pick": picks[:1], "rest": rest.replace("\n", "\r\n")}
    assert "6 ratings are kept." in stars.post("/you/import/keep", data=form).text
    assert MAX_MATCHES_SHOWN < 1_000


def test_an_export_of_many_rows_is_answered_in_a_page(stars: TestClient) -> None:
    rows = "".join(f"2024-01-02,Film {n},{1950 + n % 70},u,4\n" for n in range(5_000))
    page, _ = review(stars, f"{LETTERBOXD}\n{rows}2024-01-02,Drama 2,1961,u,4\n")
    assert "1 item found" in page
    assert "5,000 titles are not known: " in page
    assert " more</p>" in page
    assert len(page) < 100_000


def test_numbers_of_another_catalogue_are_not_taken_for_ids(stars: TestClient) -> None:
    page, picks = review(stars, "userId,movieId,rating,timestamp\n1,3,4.5,17\n1,5,2,18\n")
    assert not picks
    assert "2 lines have numbers of MovieLens and no titles" in page
    assert "Bring another file" in page
