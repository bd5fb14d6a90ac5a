"""Where people's ratings are kept: SQLite in WAL mode by default, PostgreSQL by URL.

``persons`` gives the key of each profile a number; ``ratings`` has a row for each profile and item.
A rating of null says that the person took back one that the training data holds, or, where there is
a ``flag``, what they say of the item without a rating (`FLAGS`). ``forgotten`` says that all
training ratings of a profile are taken back. For a model of interactions the same rows hold their
weights, and ``events`` the ids of events that have been counted, so that none counts twice.
``rooms`` and ``room_members`` are those of `tastemap.serve.people.rooms`.
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
from tastemap.serve.people.availability import Outage, store_error
from tastemap.serve.people.database import VERSIONS, Answer, Database, Work
from tastemap.serve.people.event_ids import EVENTS, remember
from tastemap.serve.people.tables import (
    EMPTY_PROFILE,
    IDENTITIES,
    MEMBERS,
    PROFILES,
    RATINGS,
    Row,
    StoredEvent,
    StoredFlag,
    StoredProfile,
    StoredRating,
    columns_of,
    in_order,
)

log = logging.getLogger("tastemap.serve")
# Seconds between two looks at the store, and between two counts of all that it holds.
SECONDS_BETWEEN_LOOKS, SECONDS_BETWEEN_COUNTS = 1.0, 60.0
# With less on its disk, an SQLite store counts as full.
MIN_FREE_BYTES = 1_000_000


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
        identity = sa.select(IDENTITIES.c.identity)
        return str(self.read(lambda connection: connection.scalar(identity)))

    @property
    def kind(self) -> str:
        """What is kept here: ``"ratings"`` or ``"interactions"``; "" if that is still open."""
        if self.database.version < VERSIONS[2]:
            return "ratings"
        kind = sa.select(IDENTITIES.c.kind)
        return str(self.read(lambda connection: connection.scalar(kind)))

    def refuse_other(self, kind: str) -> None:
        """Refuse to be a store for ratings, or for interactions, if it is one for the other kind.

        Raises:
            StoreError: If it is.
        """
        if self.kind not in ("", kind):
            received = f"one for {self.kind}, where the model has learnt from {kind}"
            raise store_error(self.database.url, "kind", received, "name another store")

    def settle(self, kind: str) -> None:
        """Be a store for ratings, or for interactions, from now on; the errors are as above."""
        self.refuse_other(kind)
        if not self.kind:
            change = sa.update(IDENTITIES).where(IDENTITIES.c.kind == "").values(kind=kind)
            self.write(lambda connection: connection.execute(change))

    # ---- one profile ----

    def profile(self, key: str) -> StoredProfile:
        """What is kept under a key; nothing for an unknown one."""
        joined = PROFILES.outerjoin(RATINGS, PROFILES.c.number == RATINGS.c.number)
        query = (
            sa.select(PROFILES.c.forgotten, *columns_of(self.database.version))
            .select_from(joined)
            .where(PROFILES.c.person == stored_id(key))
            .order_by(*in_order(self.database.version))
        )
        rows = self.read(lambda connection: connection.execute(query).all())
        if not rows:
            return EMPTY_PROFILE
        ratings, flags = list[StoredRating](), list[StoredFlag]()
        for _, item, rating, moment, flag in rows:
            if flag is not None:
                flags.append(StoredFlag(original_id(item), flag, moment))
            elif item is not None:
                ratings.append(StoredRating(original_id(item), rating, moment))
        return StoredProfile(ratings, bool(rows[0][0]), tuple(flags))

    def rate(
        self,
        key: str,
        ratings: Mapping[str, float | None],
        moment: int | None = None,
        *,
        moments: Mapping[str, int] | None = None,
        replace: bool = False,
    ) -> None:
        """Keep ratings under a key, by item, all or none; a later rating replaces an earlier one.

        Args:
            key: The key of the profile.
            ratings: The rating of each item, the oldest first; None takes back a rating of the
                training data.
            moment: When they were given, in seconds since 1970; now, if not said.
            moments: When those of some items were given.
            replace: Drop all other ratings of the profile.
        """
        if not ratings and not replace:
            return
        at = int(time.time()) if moment is None else moment
        given = moments or {}

        def work(connection: sa.Connection) -> None:
            number, now = self._number(connection, key, at), time.time_ns()
            if replace:
                connection.execute(sa.delete(RATINGS).where(RATINGS.c.number == number))
            rows = [
                Row(stored_id(item), rating, given.get(item, at), now + place)
                for place, (item, rating) in enumerate(ratings.items())
            ]
            self._put(connection, number, rows)

        self.write(work)

    def flag(
        self,
        key: str,
        items: Sequence[str],
        flag: str,
        moment: int | None = None,
        *,
        moments: Mapping[str, int] | None = None,
    ) -> None:
        """Keep what is said of items, all or none, as all that is said; a rating stays.

        Args:
            key: The key of the profile.
            items: The items, the oldest first.
            flag: One of `FLAGS`.
            moment: When it was said, in seconds since 1970; now, if not said.
            moments: When it was said of some of them.
        """
        at = int(time.time()) if moment is None else moment
        given = moments or {}

        def work(connection: sa.Connection) -> None:
            number, now = self._number(connection, key, at), time.time_ns()
            rows = [
                Row(stored_id(item), None, given.get(item, at), now + place)
                for place, item in enumerate(items)
            ]
            self._put(connection, number, rows, flag)

        if items:
            self.write(work)

    def unflag(self, key: str, item: str) -> bool:
        """Drop what is said of an item without a rating; whether there was something."""

        def work(connection: sa.Connection) -> int:
            number = connection.scalar(_number_of(key))
            of_item = (RATINGS.c.number == number) & (RATINGS.c.item == stored_id(item))
            flagged = of_item & RATINGS.c.flag.is_not(None)
            return connection.execute(sa.delete(RATINGS).where(flagged)).rowcount

        return self.write(work) > 0

    def record(
        self, key: str, events: Sequence[StoredEvent], before: Mapping[str, float], largest: float
    ) -> list[bool]:
        """Add events to the weights under a key, all or none; each id counts once.

        `remember` says of how many events the ids are remembered.

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
            is_new = remember(connection, number, list(map(_stored_event, events)), now)
            items = {stored_id(event.item) for event in events}
            mine = (RATINGS.c.number == number) & RATINGS.c.item.in_(items)
            columns = RATINGS.c["item", "rating", "moment", "written"]
            present = connection.execute(sa.select(*columns).where(mine))
            rows = {row.item: Row(*row) for row in present}
            for place, (event, counts) in enumerate(zip(events, is_new, strict=True)):
                if counts and event.weight:
                    item = stored_id(event.item)
                    weight = before.get(event.item, 0.0)
                    row = rows.get(item, Row(item, weight, event.moment, now + place))
                    rows[item] = row.after(event, now + place, largest)
            self._put(connection, number, rows.values())
            return is_new

        return self.write(work) if events else []

    def unrate(self, key: str, item: str) -> bool:
        """Drop the rating of an item; whether there was one."""

        def work(connection: sa.Connection) -> int:
            number = connection.scalar(_number_of(key))
            of_item = (RATINGS.c.number == number) & (RATINGS.c.item == stored_id(item))
            return connection.execute(sa.delete(RATINGS).where(of_item)).rowcount

        return self.write(work) > 0

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
            gone = connection.execute(sa.delete(RATINGS).where(RATINGS.c.number == number))
            connection.execute(sa.delete(EVENTS).where(EVENTS.c.number == number))
            connection.execute(sa.delete(MEMBERS).where(MEMBERS.c.person == stored_id(key)))
            row = PROFILES.c.number == number
            change = sa.update(PROFILES).values(forgotten=True) if mark else sa.delete(PROFILES)
            connection.execute(change.where(row))
            return gone.rowcount

        return self.write(work)

    # ---- everybody ----

    def count(self) -> tuple[int, int]:
        """Number of profiles and of ratings, counted now; `counts` has those of a while ago."""

        def work(connection: sa.Connection) -> tuple[int, int]:
            if not self.database.is_sqlite:
                connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            rated = sa.select(sa.func.count()).where(RATINGS.c.rating.is_not(None))
            profiles = connection.scalar(sa.select(sa.func.count()).select_from(PROFILES))
            return int(profiles or 0), int(connection.scalar(rated) or 0)

        return self.read(work)

    def everything(self) -> Iterator[tuple[str, int, StoredProfile]]:
        """Each key with its number and profile, by number, from one consistent view.

        What is said without a rating is left aside.
        """
        column = PROFILES.c
        keys = sa.select(column.number, column.person, column.forgotten).order_by(column.number)
        order = RATINGS.c.number, *in_order(self.database.version)
        columns = columns_of(self.database.version)
        rated = sa.select(RATINGS.c.number, *columns).order_by(*order)
        level = {} if self.database.is_sqlite else {"isolation_level": "REPEATABLE READ"}

        def work(connection: sa.Connection) -> tuple[Any, dict[int, list[StoredRating]]]:
            profiles = connection.execute(keys).all()
            ratings: dict[int, list[StoredRating]] = {}
            for number, item, rating, moment, flag in connection.execute(rated):
                if flag is None:
                    stored = StoredRating(original_id(item), rating, moment)
                    ratings.setdefault(number, []).append(stored)
            return profiles, ratings

        profiles, ratings = self.read(work, **level)
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
                connection.execute(sa.update(IDENTITIES).values(checked=int(time.time())))

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

    def read(self, work: Work[Answer], **options: Any) -> Answer:
        """What a question to the database answers."""
        return self._at_once(writing=False).read(work, **options)

    def write(self, work: Work[Answer]) -> Answer:
        """Do something in one transaction, which has reached the disk when this returns."""
        return self._at_once(writing=True).write(work)

    def _at_once(self, *, writing: bool) -> Database:
        """The database, unless it is known that it would be waited for in vain."""
        self.database.availability.require(writing=writing)
        return self.database

    def _number(self, connection: sa.Connection, key: str, moment: int) -> int:
        """The number of a key, which is entered if unknown."""
        row = {"person": stored_id(key), "forgotten": False, "moment": moment}
        connection.execute(self._insert(PROFILES).values(row).on_conflict_do_nothing())
        return int(connection.execute(_number_of(key)).scalar_one())

    def _put(
        self, connection: sa.Connection, number: int, rows: Iterable[Row], flag: str | None = None
    ) -> None:
        """Write rows of a profile, in the place of those of the same items.

        To a flag no rating gives way.
        """
        insert = self._insert(RATINGS)
        columns = {name: insert.excluded[name] for name in ("rating", "moment", "written", "flag")}
        upsert = insert.on_conflict_do_update(
            index_elements=["number", "item"],
            set_=columns,
            where=None if flag is None else RATINGS.c.rating.is_(None),
        )
        more = {"number": number, "flag": flag}
        if values := [more | row._asdict() for row in sorted(rows)]:
            connection.execute(upsert, values)

    @property
    def _insert(self) -> Callable[[sa.Table], Any]:
        return sqlite.insert if self.database.is_sqlite else postgresql.insert


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
    query = sa.select(PROFILES.c.number).where(PROFILES.c.person == stored_id(key))
    return query.with_for_update()


def _stored_event(event: StoredEvent) -> str | None:
    return None if event.event is None else stored_id(event.event)
