"""Rooms: who is in them, what changes them, and that they end."""

import time

import pytest

from tastemap.errors import ArgumentError, UnknownIdError
from tastemap.serve.people.rooms import SECONDS_OF_ROOM, Member, Rooms
from tastemap.serve.people.store import Store
from tastemap.serve.settings import Limits


@pytest.fixture
def rooms() -> Rooms:
    return Rooms(Store("sqlite://"))


def test_people_come_and_go(rooms: Rooms) -> None:
    address = rooms.open("page:ann", "Ann")
    assert len(address) >= 22, "128 bits that nobody guesses"
    assert rooms.open("page:ann", "Ann") != address
    rooms.join(address, "page:b\0b", "<b>")
    rooms.join(address, "page:ann", "Anne")
    assert rooms.room(address).members == (Member("page:ann", "Anne"), Member("page:b\0b", "<b>"))
    assert rooms.room(address).name_of("page:b\0b") == "<b>"
    assert rooms.room(address).name_of("page:cid") is None
    rooms.leave(address, "page:ann")
    rooms.leave(address, "page:ann")
    assert [member.name for member in rooms.room(address).members] == ["<b>"]


def test_the_state_changes_with_members_names_and_ratings_alone(rooms: Rooms) -> None:
    address = rooms.open("page:ann", "Ann")
    states = [rooms.state(address)]
    for change in (
        lambda: rooms.join(address, "page:bob", "Bob"),
        lambda: rooms.join(address, "page:bob", "Bobby"),
        lambda: rooms.store.rate("page:bob", {"1": 4.0, "2": 3.0}),
        lambda: rooms.store.rate("page:bob", {"1": 4.5}),
        lambda: rooms.store.unrate("page:bob", "1"),
        lambda: rooms.leave(address, "page:ann"),
    ):
        change()
        states.append(rooms.state(address))
    assert len(set(states)) == len(states)
    rooms.store.rate("page:cid", {"1": 1.0})
    rooms.open("page:bob", "Bob")
    assert rooms.state(address) == states[-1], "what others do is nothing to it"


def test_a_room_is_gone_after_a_day(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    address, now = rooms.open("page:ann", "Ann"), time.time()
    assert 0 <= rooms.room(address).until - SECONDS_OF_ROOM - now + 1 <= 2
    monkeypatch.setattr("time.time", lambda: now + SECONDS_OF_ROOM + 1)
    assert rooms.state(address) is None
    for ask in (rooms.room, lambda gone: rooms.join(gone, "page:bob", "Bob")):
        with pytest.raises(UnknownIdError, match="room"):
            ask(address)
    rooms.open("page:bob", "Bob")
    monkeypatch.setattr("time.time", lambda: now)
    with pytest.raises(UnknownIdError):
        rooms.room(address)  # the next that was opened took it from the disk


def test_who_is_forgotten_is_in_no_room(rooms: Rooms) -> None:
    address = rooms.open("page:ann", "Ann")
    rooms.join(address, "page:bob", "Bob")
    rooms.store.rate("page:ann", {"1": 5.0})
    rooms.store.forget("page:ann")
    assert rooms.room(address).members == (Member("page:bob", "Bob"),)


def test_rooms_and_their_members_are_bounded(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    address = rooms.open("page:0", "0")
    for number in range(1, Limits.room_members):
        rooms.join(address, f"page:{number}", "x")
    with pytest.raises(ArgumentError, match="at most 30"):
        rooms.join(address, "page:more", "x")
    rooms.join(address, "page:7", "a new name")
    monkeypatch.setattr(Limits, "rooms", 1)
    with pytest.raises(ArgumentError, match="at most 1 at a time"):
        rooms.open("page:0", "0")
