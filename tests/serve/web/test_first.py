"""The first minute by forms: nine to rate, how far one is, then the picks."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import client_of
from small_models import save_small, small_ratings
from starlette.testclient import TestClient

from tastemap.serve.web.first import SKIP_COOKIE


@pytest.fixture
def stranger(artifact: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A client of somebody new."""
    with client_of(artifact, tmp_path) as client:
        client.cookies.clear()
        yield client


def token(client: TestClient) -> str:
    return re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)[1]


def asked(page: str) -> list[str]:
    return (
        re.findall(r'class="card" data-item="(\d+)"', page.split("data-first")[1])
        if "data-first" in page
        else []
    )


def test_five_answers_lead_to_the_picks(stranger: TestClient) -> None:
    page = stranger.get("/").text
    films = asked(page)
    assert len(films) == 9
    assert "<b>0 of 5</b>" in page
    assert "row-top-picks" not in page
    assert 'class="you"' not in page
    for n, film in enumerate(films[:5], start=1):
        assert asked(page) == films, "what is rated keeps its place"
        form = {"csrf": token(stranger), "item": film, "rating": "5"}
        page = stranger.post("/", data=form).text
        assert (f"<b>{n} of 5</b>" in page) == (n < 5)
        assert ('class="you"' in page) == (n < 5)
    assert not asked(page)
    assert "Top picks for you" in page


def test_what_is_not_seen_makes_room_for_another(stranger: TestClient) -> None:
    films = asked(stranger.get("/").text)
    form = {"csrf": token(stranger), "about": films[4], "flag": "unseen"}
    page = stranger.post("/", data=form).text
    assert [n for n, film in enumerate(asked(page)) if film != films[n]] == [4]
    assert "0 of 5" in page


def test_it_is_skipped_once_and_for_all(stranger: TestClient) -> None:
    assert stranger.post("/first-visit/skip", data={"csrf": "made up"}).status_code == 403
    page = stranger.post("/first-visit/skip", data={"csrf": token(stranger)}).text
    assert "row-top-picks" in page
    assert not asked(stranger.get("/").text)
    assert stranger.cookies[SKIP_COOKIE] == "skipped"


def test_a_search_or_a_filter_is_answered_at_once(stranger: TestClient) -> None:
    assert "found for" in stranger.get("/?q=drama").text
    assert "row-top-picks" in stranger.get("/?genre=Drama").text


def test_filters_stand_behind_a_button_that_counts_them(client: TestClient) -> None:
    page = client.get("/").text
    assert '<details class="fold">' in page
    assert "Clear filters" not in page
    page = client.get("/?genre=Drama&novelty=0.5&q=").text
    assert '<details class="fold" open>' in page
    assert '(2)<span class="hidden"> set</span>' in page
    assert "Clear filters" in page
    assert 'aria-valuetext="more surprising"' in page


def test_who_says_the_same_to_everybody_asks_nobody(tmp_path: Path) -> None:
    path = save_small(small_ratings(), tmp_path / "model", "popularity")
    with client_of(path, tmp_path) as client:
        client.cookies.clear()
        assert not asked(client.get("/").text)
