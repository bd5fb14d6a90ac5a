"""The tables of a store, and what stands in them.

Migrations make the tables; `Store` reads and writes them.
"""

from typing import Any, NamedTuple

import sqlalchemy as sa

from tastemap.serve.people.database import VERSIONS
from tastemap.serve.settings import MIN_WEIGHT

#: What people say of an item without a rating: that they have seen it, that they want to see it
#: later, that they want to hear of nothing like it, and that they have not seen it.
FLAGS = ("seen", "later", "unwanted", "unseen")

METADATA = sa.MetaData()
PROFILES = sa.Table(
    "persons",
    METADATA,
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("forgotten", sa.Boolean, nullable=False),
    sa.Column("moment", sa.BigInteger, nullable=False),
)
RATINGS = sa.Table(
    "ratings",
    METADATA,
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("rating", sa.Double),
    sa.Column("moment", sa.BigInteger, nullable=False),
    sa.Column("written", sa.BigInteger, nullable=False),
    sa.Column("flag", sa.Text),
)
IDENTITIES = sa.Table(
    "store",
    METADATA,
    sa.Column("identity", sa.Text, primary_key=True),
    sa.Column("checked", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
)
ROOMS = sa.Table(
    "rooms",
    METADATA,
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("moment", sa.BigInteger, nullable=False),
)
MEMBERS = sa.Table(
    "room_members",
    METADATA,
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("written", sa.BigInteger, nullable=False),
)


class StoredRating(NamedTuple):
    """One rating of a profile.

    Attributes:
        item: Id of the item as text.
        rating: The rating, or the weight of the interactions, or None where one of the training
            data was taken back.
        moment: When it was given, in seconds since 1970.
    """

    item: str
    rating: float | None
    moment: int


class StoredFlag(NamedTuple):
    """What a person says of an item without a rating.

    Attributes:
        item: Id of the item as text.
        flag: One of `FLAGS`.
        moment: When it was said, in seconds since 1970.
    """

    item: str
    flag: str
    moment: int


class StoredProfile(NamedTuple):
    """All that is kept of a person.

    Attributes:
        ratings: The ratings, the oldest first.
        forgotten: Whether the training ratings of the person are not to be used either.
        flags: What is said of items without a rating, the oldest first.
    """

    ratings: list[StoredRating]
    forgotten: bool = False
    flags: tuple[StoredFlag, ...] = ()

    def flagged(self, *flags: str) -> list[StoredFlag]:
        """What bears one of some flags, the oldest first."""
        return [entry for entry in self.flags if entry.flag in flags]


EMPTY_PROFILE = StoredProfile([])


class StoredEvent(NamedTuple):
    """Something that a person did with an item.

    Attributes:
        item: Id of the item as text.
        weight: What it adds to the weight of their interactions.
        moment: When it was, in seconds since 1970.
        event: Its id; an event without one is another each time.
    """

    item: str
    weight: float
    moment: int
    event: str | None


class Row(NamedTuple):
    """A row of ``ratings``, without the number of the profile."""

    item: str
    rating: float | None
    moment: int
    written: int

    def after(self, event: StoredEvent, written: int, largest: float) -> "Row":
        """The row once an event is added; an older event does not change its place."""
        total = min(max((self.rating or 0.0) + event.weight, -largest), largest)
        weight = total if abs(total) >= MIN_WEIGHT else None  # as much for as against
        if event.moment < self.moment:
            return self._replace(rating=weight)
        return Row(self.item, weight, event.moment, written)


def columns_of(version: str) -> list[sa.ColumnElement[Any]]:
    """The columns of a `StoredRating`, and its flag, in a schema of a version."""
    flag: sa.ColumnElement[Any] = RATINGS.c.flag
    if version < VERSIONS[3]:
        flag = sa.null().label("flag")
    elif version < VERSIONS[4]:  # then a column said whether it was seen, and there was no other
        flag = sa.case((sa.literal_column("ratings.seen"), "seen")).label("flag")
    return [*RATINGS.c["item", "rating", "moment"], flag]


def in_order(version: str) -> list[sa.ColumnElement[Any]]:
    """The columns that put ratings in order, the oldest first, in a schema of a version."""
    names = ["moment", "written", "item"] if version >= VERSIONS[2] else ["moment", "item"]
    return [RATINGS.c[name] for name in names]
