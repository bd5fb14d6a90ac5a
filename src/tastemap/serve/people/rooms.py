"""Rooms: people who look for something together, each on their own device, for a day.

``rooms`` has the address of each and when it was opened; ``room_members`` who is in it, by the key
of their profile, and the name that they gave. The address is random, of 128 bits: who knows it may
come in. A room holds no ratings; what its members rate stays theirs.
"""

import hashlib
import secrets
import time
from typing import NamedTuple

import sqlalchemy as sa

from tastemap.errors import ArgumentError, UnknownIdError
from tastemap.serve.people.store import Store, original_id, stored_id
from tastemap.serve.people.tables import MEMBERS, PROFILES, RATINGS, ROOMS
from tastemap.serve.settings import Limits

SECONDS_OF_ROOM = 24 * 3600


class Member(NamedTuple):
    """Somebody in a room: the key of their profile, and their name there."""

    key: str
    name: str


class Room(NamedTuple):
    """A room.

    Attributes:
        address: What its address ends in.
        until: When it is gone, in seconds since 1970.
        members: Who is in it, in the order in which they came.
    """

    address: str
    until: int
    members: tuple[Member, ...]

    def name_of(self, key: str) -> str | None:
        """The name of a member, or None for who is not in it."""
        return next((member.name for member in self.members if member.key == key), None)


class Rooms:
    """The rooms of a store.

    Example:
        >>> rooms = Rooms(Store("sqlite://"))
        >>> address = rooms.open("page:ann", "Ann")
        >>> rooms.join(address, "page:bob", "Bob")
        >>> [member.name for member in rooms.room(address).members]
        ['Ann', 'Bob']
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def open(self, key: str, name: str) -> str:
        """Open a room with one member; its address.

        Raises:
            ArgumentError: If there are too many rooms.
        """
        address, now = secrets.token_urlsafe(16), int(time.time())

        def work(connection: sa.Connection) -> int:
            old = sa.select(ROOMS.c.address).where(ROOMS.c.moment <= now - SECONDS_OF_ROOM)
            connection.execute(sa.delete(MEMBERS).where(MEMBERS.c.address.in_(old)))
            connection.execute(sa.delete(ROOMS).where(ROOMS.c.moment <= now - SECONDS_OF_ROOM))
            n_rooms = connection.scalar(sa.select(sa.func.count()).select_from(ROOMS)) or 0
            if n_rooms < Limits.rooms:
                connection.execute(sa.insert(ROOMS).values(address=address, moment=now))
            return int(n_rooms)

        if self.store.write(work) >= Limits.rooms:
            most = f"at most {Limits.rooms:,} at a time"
            raise ArgumentError("rooms", expected=most, received="more", do="try again tomorrow")
        self.join(address, key, name)
        return address

    def room(self, address: str) -> Room:
        """A room by its address.

        Raises:
            UnknownIdError: If there is none, or its day is over.
        """

        def work(connection: sa.Connection) -> tuple[int | None, list[Member]]:
            opened = connection.scalar(_opened(address))
            query = sa.select(MEMBERS.c.person, MEMBERS.c.name).where(_in_room(address))
            rows = connection.execute(query.order_by(MEMBERS.c.written, MEMBERS.c.person))
            return opened, [Member(original_id(key), name) for key, name in rows]

        opened, members = self.store.read(work)
        if opened is None or opened + SECONDS_OF_ROOM <= time.time():
            raise UnknownIdError("room", address)
        return Room(address, opened + SECONDS_OF_ROOM, tuple(members))

    def join(self, address: str, key: str, name: str) -> None:
        """Come into a room, or take another name there.

        Raises:
            UnknownIdError: If there is no such room.
            ArgumentError: If it is full.
        """
        room = self.room(address)
        if room.name_of(key) is None and len(room.members) >= Limits.room_members:
            most = f"at most {Limits.room_members}"
            raise ArgumentError(
                "members of a room", expected=most, received="one more", do="open another room"
            )
        row = {"address": address, "person": stored_id(key), "name": name}

        def work(connection: sa.Connection) -> None:
            mine = _in_room(address) & (MEMBERS.c.person == stored_id(key))
            if not connection.execute(sa.update(MEMBERS).where(mine).values(name=name)).rowcount:
                connection.execute(sa.insert(MEMBERS).values(written=time.time_ns(), **row))

        self.store.write(work)

    def leave(self, address: str, key: str) -> None:
        """Leave a room."""
        mine = _in_room(address) & (MEMBERS.c.person == stored_id(key))
        self.store.write(lambda connection: connection.execute(sa.delete(MEMBERS).where(mine)))

    def state(self, address: str) -> str | None:
        """A text that changes with the members and their ratings; None once the room is gone."""
        rated = MEMBERS.outerjoin(PROFILES, PROFILES.c.person == MEMBERS.c.person).outerjoin(
            RATINGS, RATINGS.c.number == PROFILES.c.number
        )
        count, last = sa.func.count(RATINGS.c.item), sa.func.max(RATINGS.c.written)
        query = (
            sa.select(MEMBERS.c.name, count, last)
            .select_from(rated)
            .where(_in_room(address))
            .group_by(MEMBERS.c.name, MEMBERS.c.written, MEMBERS.c.person)
            .order_by(MEMBERS.c.written)
        )

        def work(connection: sa.Connection) -> str | None:
            opened = connection.scalar(_opened(address))
            if opened is None or opened + SECONDS_OF_ROOM <= time.time():
                return None
            rows = repr([tuple(row) for row in connection.execute(query)])
            return hashlib.blake2b(rows.encode(), digest_size=8).hexdigest()

        return self.store.read(work)


def _opened(address: str) -> sa.Select[int]:
    return sa.select(ROOMS.c.moment).where(ROOMS.c.address == stored_id(address))


def _in_room(address: str) -> sa.ColumnElement[bool]:
    return MEMBERS.c.address == stored_id(address)
