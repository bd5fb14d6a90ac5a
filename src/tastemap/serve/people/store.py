"""Where people's ratings are kept: SQLite in WAL mode by default, PostgreSQL by URL.

``persons`` gives the key of each profile a number; ``ratings`` has a row for each profile and item.
A rating of null says that the person took back one that the training data holds. ``forgotten`` says
the same of all training ratings of a profile. For a model of interactions the same rows hold their
weights, and ``events`` the ids of events that have been counted, so that none counts twice.
``store`` has one row: the identity of the store, and whether it is for ratings or interactions.

Ids are text, written as `stored_id` writes them. Every write may be repeated without harm, and has
reached the disk when the call returns.
"""

import contextlib
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tastemap.errors import StoreError
from tastemap.serve.people.availability import Outage
from tastemap.serve.people.database import VERSIONS, Answer, Database, Work

log = logging.getLogger("tastemap.serve")
# Seconds between two looks at the store, and between two counts of all that it holds.
SECONDS_BETWEEN_LOOKS, SECONDS_BETWEEN_COUNTS = 1.0, 60.0
# So many ids of events are remembered of one person.
MAX_EVENTS = 10_000
# A sum of weights nearer to 0 says nothing.
MIN_WEIGHT = 1e-6
# With less on its disk, an SQLite store counts as full.
MIN_FREE_BYTES = 1_000_000

_metadata = sa.MetaData()
_profiles = sa.Table(
    "persons",
    _metadata,
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("forgotten", sa.Boolean, nullable=False),
    sa.Column("moment", sa.BigInteger, nullable=False),
)
_ratings = sa.Table(
    "ratings",
    _metadata,
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("rating", sa.Double),
    sa.Column("moment", sa.BigInteger, nullable=False),
    sa.Column("written", sa.BigInteger, nullable=False),
)
_events = sa.Table(
    "events",
    _metadata,
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("event", sa.Text, primary_key=True),
    sa.Column("written", sa.BigInteger, nullable=False),
)
_identities = sa.Table(
    "store",
    _metadata,
    sa.Column("identity", sa.Text, primary_key=True),
    sa.Column("checked", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
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


class StoredProfile(NamedTuple):
    """All that is kept of a person.

    Attributes:
        ratings: The ratings, the oldest first.
        forgotten: Whether the training ratings of the person are not to be used either.
    """

    ratings: list[StoredRating]
    forgotten: bool = False


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


class Counts(NamedTuple):
    """How many profiles and ratings there were at a moment, in seconds since 1970."""

    profiles: int
    ratings: int
    moment: float


class Store:
    """People's ratings in a database; safe to use from many threads and processes.

    Every call raises `StoreError` where the database cannot be had.

    Attributes:
        database: Where they are kept.
        counts: How many there were when they were last counted; None until then.

    Example:
        >>> store = Store("sqlite://")
        >>> store.rate("api:ann", {"7": 4.0})
        >>> store.profile("api:ann").ratings[0].rating
        4.0
        >>> store.forget("api:ann")
        1
        >>> store.close()
    """

    def __init__(self, url: str, *, readonly: bool = False) -> None:
        """Open a database; the arguments and errors are those of `Database`."""
        self.database = Database(url, readonly=readonly)
        self.counts: Counts | None = None
        self._count_due = 0.0
        self._prober: threading.Thread | None = None
        self._stopped = threading.Event()

    def close(self) -> None:
        """End the watching, and let all connections go."""
        self._stopped.set()
        if self._prober is not None:
            self._prober.join(timeout=10)
        self.database.close()

    @property
    def folder(self) -> Path | None:
        """The folder of an SQLite file; None for a database elsewhere or in memory."""
        return None if self.database.path is None else self.database.path.parent

    @property
    def outage(self) -> Outage | None:
        """What keeps the store from being used now; None where nothing does."""
        return self.database.availability.outage

    @property
    def identity(self) -> str:
        """What tells this store from all others; "" for one that an older version made."""
        if self.database.version == VERSIONS[0]:
            return ""
        identity = sa.select(_identities.c.identity)
        return str(self._read(lambda connection: connection.scalar(identity)))

    @property
    def kind(self) -> str:
        """What is kept here: ``"ratings"`` or ``"interactions"``; "" if that is still open."""
        if self.database.version < VERSIONS[2]:
            return "ratings"
        kind = sa.select(_identities.c.kind)
        return str(self._read(lambda connection: connection.scalar(kind)))

    def require(self, kind: str) -> None:
        """Keep ratings, or interactions, and nothing else from now on.

        Raises:
            StoreError: If the other kind is kept here.
        """
        if (present := self.kind) == kind:
            return
        if present:
            do = "name another store with --store"
            raise self.database.failure("kind", f"one for {present}, not for {kind}", do)
        is_open = _identities.c.kind == ""
        change = sa.update(_identities).where(is_open).values(kind=kind)
        self._write(lambda connection: connection.execute(change))

    # ---- one profile ----

    def profile(self, key: str) -> StoredProfile:
        """What is kept under a key; nothing for an unknown one."""
        joined = _profiles.outerjoin(_ratings, _profiles.c.number == _ratings.c.number)
        query = (
            sa.select(_profiles.c.forgotten, *_ratings.c["item", "rating", "moment"])
            .select_from(joined)
            .where(_profiles.c.person == stored_id(key))
            .order_by(*_in_order(self.database.version))
        )
        rows = self._read(lambda connection: connection.execute(query).all())
        if not rows:
            return EMPTY_PROFILE
        rated = [row for row in rows if row[1] is not None]
        ratings = [StoredRating(original_id(row[1]), *row[2:]) for row in rated]
        return StoredProfile(ratings, bool(rows[0][0]))

    def rate(
        self,
        key: str,
        ratings: Mapping[str, float | None],
        moment: int | None = None,
        *,
        replace: bool = False,
    ) -> None:
        """Keep ratings under a key, by item, all or none; a later rating replaces an earlier one.

        Args:
            key: The key of the profile.
            ratings: The rating of each item, the oldest first; None takes back a rating of the
                training data.
            moment: When they were given, in seconds since 1970; now, if not said.
            replace: Drop all other ratings of the profile.
        """
        if not ratings and not replace:
            return
        at = int(time.time()) if moment is None else moment

        def work(connection: sa.Connection) -> None:
            number, now = self._number(connection, key, at), time.time_ns()
            if replace:
                connection.execute(sa.delete(_ratings).where(_ratings.c.number == number))
            rows = [
                _Row(stored_id(item), rating, at, now + place)
                for place, (item, rating) in enumerate(ratings.items())
            ]
            self._put(connection, number, rows)

        self._write(work)

    def record(
        self, key: str, events: Sequence[StoredEvent], before: Mapping[str, float], largest: float
    ) -> list[bool]:
        """Add events to the weights under a key, all or none; each id counts once.

        The ids of the last `MAX_EVENTS` events of a profile are remembered.

        Args:
            key: The key of the profile.
            events: The events, in their order.
            before: The weight of each item, where nothing is kept of it yet; 0 if not said.
            largest: What no sum of weights exceeds, nor falls below with a minus sign.

        Returns:
            Whether each event was counted, and not before.
        """

        def work(connection: sa.Connection) -> list[bool]:
            now = time.time_ns()
            number = self._number(connection, key, now // 10**9)
            is_new = self._remember(connection, number, [event.event for event in events], now)
            items = {stored_id(event.item) for event in events}
            mine = (_ratings.c.number == number) & _ratings.c.item.in_(items)
            columns = _ratings.c["item", "rating", "moment", "written"]
            present = connection.execute(sa.select(*columns).where(mine))
            rows = {row.item: _Row(*row) for row in present}
            for place, (event, counts) in enumerate(zip(events, is_new, strict=True)):
                if counts:
                    item = stored_id(event.item)
                    weight = before.get(event.item, 0.0)
                    row = rows.get(item, _Row(item, weight, event.moment, now + place))
                    rows[item] = row.after(event, now + place, largest)
            self._put(connection, number, rows.values())
            return is_new

        return self._write(work) if events else []

    def unrate(self, key: str, item: str) -> bool:
        """Drop the rating of an item; whether there was one."""

        def work(connection: sa.Connection) -> int:
            number = connection.scalar(_number_of(key))
            of_item = (_ratings.c.number == number) & (_ratings.c.item == stored_id(item))
            return connection.execute(sa.delete(_ratings).where(of_item)).rowcount

        return self._write(work) > 0

    def forget(self, key: str, *, mark: bool = False) -> int:
        """Delete everything under a key; how many ratings there were.

        Args:
            key: The key of the profile.
            mark: Keep the key alone, as that of somebody whose training ratings are not to be used.
        """

        def work(connection: sa.Connection) -> int:
            if mark:
                number: int | None = self._number(connection, key, int(time.time()))
            else:
                number = connection.scalar(_number_of(key))
            gone = connection.execute(sa.delete(_ratings).where(_ratings.c.number == number))
            connection.execute(sa.delete(_events).where(_events.c.number == number))
            row = _profiles.c.number == number
            change = sa.update(_profiles).values(forgotten=True) if mark else sa.delete(_profiles)
            connection.execute(change.where(row))
            return gone.rowcount

        return self._write(work)

    # ---- everybody ----

    def count(self) -> tuple[int, int]:
        """Number of profiles and of ratings, counted now; `counts` has those of a while ago."""

        def work(connection: sa.Connection) -> tuple[int, int]:
            if not self.database.is_sqlite:
                connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            rated = sa.select(sa.func.count()).where(_ratings.c.rating.is_not(None))
            profiles = connection.scalar(sa.select(sa.func.count()).select_from(_profiles))
            return int(profiles or 0), int(connection.scalar(rated) or 0)

        return self._read(work)

    def everything(self) -> Iterator[tuple[str, int, StoredProfile]]:
        """Each key with its number and profile, by number, from one consistent view."""
        column = _profiles.c
        keys = sa.select(column.number, column.person, column.forgotten).order_by(column.number)
        order = _ratings.c.number, *_in_order(self.database.version)
        rated = sa.select(*_ratings.c["number", "item", "rating", "moment"]).order_by(*order)
        level = {} if self.database.is_sqlite else {"isolation_level": "REPEATABLE READ"}

        def work(connection: sa.Connection) -> tuple[Any, dict[int, list[StoredRating]]]:
            profiles = connection.execute(keys).all()
            ratings: dict[int, list[StoredRating]] = {}
            for number, item, rating, moment in connection.execute(rated):
                stored = StoredRating(original_id(item), rating, moment)
                ratings.setdefault(number, []).append(stored)
            return profiles, ratings

        profiles, ratings = self._read(work, **level)
        for number, key, forgotten in profiles:
            profile = StoredProfile(ratings.get(number, []), bool(forgotten))
            yield original_id(key), int(number), profile

    # ---- whether it works ----

    def watch(self) -> None:
        """Look at the store once a second, in a thread of its own, until `close`.

        While it cannot be had, calls are refused at once: they would wait in vain.
        """

        def run() -> None:
            is_stopped = False
            while not is_stopped:
                try:
                    self.probe()
                except Exception:  # nobody else ends an outage
                    log.exception("the look at the store failed")
                is_stopped = self._stopped.wait(SECONDS_BETWEEN_LOOKS)

        self.database.availability.is_watched = True
        self._prober = threading.Thread(target=run, name="tastemap-store", daemon=True)
        self._prober.start()

    def probe(self) -> None:
        """See whether ratings can be written, and note it; count them if that is long ago.

        A look waits for no more than a write would. It writes only where writing has failed.
        """
        has_failed = self.outage is not None

        def work(connection: sa.Connection) -> None:
            if not self.database.is_sqlite:  # there, a writer holds no lock that another would meet
                connection.execute(sa.text("LOCK TABLE persons, ratings IN ROW EXCLUSIVE MODE"))
            if has_failed:
                connection.execute(sa.update(_identities).values(checked=int(time.time())))

        with contextlib.suppress(StoreError):
            self._check_space()
            self.database.write(work)
            if self._count_due <= time.monotonic():
                self.counts = Counts(*self.count(), time.time())
                self._count_due = time.monotonic() + SECONDS_BETWEEN_COUNTS

    def _check_space(self) -> None:
        """Notice a full disk before somebody's rating is lost to it."""
        free = MIN_FREE_BYTES
        with contextlib.suppress(OSError):
            free = free if self.folder is None else shutil.disk_usage(self.folder).free
        if free < MIN_FREE_BYTES:
            raise self.database.failure("full", f"less than {MIN_FREE_BYTES:,} bytes free")

    # ---- between the two ----

    def _read(self, work: Work[Answer], **options: Any) -> Answer:
        return self._at_once(writing=False).read(work, **options)

    def _write(self, work: Work[Answer]) -> Answer:
        return self._at_once(writing=True).write(work)

    def _at_once(self, *, writing: bool) -> Database:
        """The database, unless it is known that it would be waited for in vain."""
        self.database.availability.require(writing=writing)
        return self.database

    def _number(self, connection: sa.Connection, key: str, moment: int) -> int:
        """The number of a key, which is entered if unknown."""
        row = {"person": stored_id(key), "forgotten": False, "moment": moment}
        connection.execute(self._insert(_profiles).values(row).on_conflict_do_nothing())
        return int(connection.execute(_number_of(key)).scalar_one())

    def _put(self, connection: sa.Connection, number: int, rows: Iterable["_Row"]) -> None:
        """Write rows of a profile, in the place of those of the same items."""
        insert = self._insert(_ratings)
        columns = {name: insert.excluded[name] for name in ("rating", "moment", "written")}
        upsert = insert.on_conflict_do_update(index_elements=["number", "item"], set_=columns)
        if values := [{"number": number} | row._asdict() for row in sorted(rows)]:
            connection.execute(upsert, values)

    def _remember(
        self, connection: sa.Connection, number: int, events: Sequence[str | None], now: int
    ) -> list[bool]:
        """Which ids of events are new, and from now on are not; one without an id is."""
        ids = [None if event is None else stored_id(event) for event in events]
        mine = _events.c.number == number
        query = sa.select(_events.c.event).where(mine & _events.c.event.in_({*ids} - {None}))
        seen: set[str | None] = set(connection.scalars(query))
        is_new: list[bool] = []
        rows: list[dict[str, Any]] = []
        for place, event in enumerate(ids):
            is_new.append(event is None or event not in seen)
            if is_new[-1] and event is not None:
                seen.add(event)
                rows.append({"number": number, "event": event, "written": now + place})
        if rows:
            connection.execute(sa.insert(_events), rows)
            last = sa.select(_events.c.written).where(mine).order_by(_events.c.written.desc())
            oldest = last.offset(MAX_EVENTS).limit(1).scalar_subquery()
            connection.execute(sa.delete(_events).where(mine & (_events.c.written <= oldest)))
        return is_new

    @property
    def _insert(self) -> Callable[[sa.Table], Any]:
        return sqlite.insert if self.database.is_sqlite else postgresql.insert


class _Row(NamedTuple):
    """A row of ``ratings``, without the number of the profile."""

    item: str
    rating: float | None
    moment: int
    written: int

    def after(self, event: StoredEvent, written: int, largest: float) -> "_Row":
        """The row once an event is added; an older event does not change its place."""
        total = min(max((self.rating or 0.0) + event.weight, -largest), largest)
        weight = total if abs(total) >= MIN_WEIGHT else None  # as much for as against
        if event.moment < self.moment:
            return self._replace(rating=weight)
        return _Row(self.item, weight, event.moment, written)


def _in_order(version: str) -> list[sa.ColumnElement[Any]]:
    """The columns that put ratings in order, the oldest first, in a schema of a version."""
    names = ["moment", "written", "item"] if version >= VERSIONS[2] else ["moment", "item"]
    return [_ratings.c[name] for name in names]


def stored_id(text: str) -> str:
    """An id as the database keeps it; PostgreSQL's text cannot hold the character 0.

    Example:
        >>> stored_id("a/b %"), original_id(stored_id(chr(0) + chr(92))) == chr(0) + chr(92)
        ('a/b %', True)
    """
    return text.replace("\\", "\\\\").replace("\0", "\\0")


def original_id(stored: str) -> str:
    """The id that `stored_id` was given."""
    if "\\" not in stored:
        return stored
    parts = stored.split("\\\\")
    return "\\".join(part.replace("\\0", "\0") for part in parts)


def _number_of(key: str) -> sa.Select[int]:
    """The number of a key, which nobody else can change or delete until the transaction ends."""
    query = sa.select(_profiles.c.number).where(_profiles.c.person == stored_id(key))
    return query.with_for_update()
