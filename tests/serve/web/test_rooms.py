"""Rooms as pages: what each sees, and that changes are told."""

import re
from pathlib import Path

import pytest
from clients import client_of
from loops import in_loop
from starlette.testclient import TestClient

from tastemap.serve.people.rooms import Rooms
from tastemap.serve.people.store import Store
from tastemap.serve.web import rooms as pages


def token(client: TestClient) -> str:
    return re.search(r'name="csrf" value="([^"]+)"', client.get("/together").text)[1]


def opened(client: TestClient, name: str = "Ann") -> str:
    """The path of a new room."""
    form = {"csrf": token(client), "name": name}
    answer = client.post("/together/rooms", data=form, follow_redirects=False)
    assert answer.status_code == 303
    return answer.headers["location"]


@pytest.fixture
def two(artifact: Path, tmp_path: Path) -> tuple[TestClient, TestClient]:
    """Two people at one server."""
    with client_of(artifact, tmp_path) as ann:
        yield ann, TestClient(ann.app, base_url="http://127.0.0.1")


def test_two_people_find_something_together(two: tuple[TestClient, TestClient]) -> None:
    ann, bob = two
    room = opened(ann, " <i>Ann</i> ")
    page = bob.get(room).text
    assert "Ann" not in page, "who is outside sees nobody"
    assert f"http://127.0.0.1{room}" in page
    bob.post(room, data={"csrf": token(bob), "do": "join", "name": "Bob"})
    page = bob.get(room).text
    assert "&lt;i&gt;Ann&lt;/i&gt;" in page
    assert "Rate some first" in page
    assert "picks stand here" in page
    for person, high, low in ((ann, "2 4 6", "1 3 5"), (bob, "1 3 5", "2 4 6")):
        for items, rating in ((high, "5"), (low, "1")):
            for item in items.split():
                form = {"csrf": token(person), "item": item, "rating": rating}
                assert person.post(room, data=form).status_code == 200
    page = bob.get(room).text
    assert "For &lt;i&gt;Ann&lt;/i&gt;, Bob" in page
    share, low, high = map(
        int, re.search(r"(\d+) % alike, between (\d+) % and (\d+) %", page).groups()
    )
    assert low <= share <= high
    assert "you differ most on" in page
    assert len(re.findall('<li class="card"><svg class="cover"', page)) == 12
    bob.post(room, data={"csrf": token(bob), "do": "leave"})
    assert "Bob" not in ann.get(room).text
    assert "Bob" not in bob.get(room).text


def test_nobody_is_brought_into_a_room_from_elsewhere(two: tuple[TestClient, TestClient]) -> None:
    ann, bob = two
    room = opened(ann)
    bob.get("/")
    assert bob.post(room, data={"do": "join", "name": "Bob"}).status_code == 403
    assert bob.post("/together/rooms", data={"name": "Bob"}).status_code == 403
    assert bob.get(f"{room}/events").status_code == 403
    answer = bob.get("/together/no-such-room", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "gone" in answer.text
    assert bob.get("/together/no-such-room/events").status_code == 404


@in_loop
async def test_a_stream_tells_of_each_change_and_of_the_end() -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        rooms = Rooms(Store("sqlite://"))
        address = rooms.open("page:ann", "Ann")
        monkeypatch.setattr(pages, "SECONDS_BETWEEN_LOOKS", 0.001)
        monkeypatch.setattr(pages, "SECONDS_BETWEEN_SIGNS", 0.005)
        stream = pages._changes(rooms, address, rooms.state(address))
        assert (await anext(stream)).startswith(b":"), "a sign of life while nothing changes"
        rooms.join(address, "page:bob", "Bob")
        event = b""
        while b"changed" not in event:
            event = await anext(stream)
        assert f"id: {rooms.state(address)}".encode() in event
        monkeypatch.setattr(rooms, "state", lambda _: None)
        while b"over" not in event:
            event = await anext(stream)
        assert [rest async for rest in stream] == []
        assert not pages._streams


@in_loop
async def test_a_stream_ends_by_itself_for_another_to_begin() -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        rooms = Rooms(Store("sqlite://"))
        monkeypatch.setattr(pages, "SECONDS_OF_STREAM", 0.02)
        monkeypatch.setattr(pages, "SECONDS_BETWEEN_LOOKS", 0.001)
        address = rooms.open("page:ann", "Ann")
        events = [event async for event in pages._changes(rooms, address, "another")]
        assert [b"changed" in event for event in events] == [True]


def test_there_are_so_many_streams_and_no_more(
    two: tuple[TestClient, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, _ = two
    room = opened(ann)
    monkeypatch.setattr(pages, "_streams", set(range(200)))
    answer = ann.get(f"{room}/events")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
