"""Where people's ratings are kept: SQLite in WAL mode by default, PostgreSQL by URL.

Two tables. ``persons`` gives the key of each profile a number; ``ratings`` has a row for each
profile and item. A rating of null says that the person took back one that the training data holds.
``forgotten`` says the same of all training ratings of a profile.

Ids are text, written as `stored_id` writes them. Every write may be repeated without harm, and has
reached the disk when the call returns: SQLite runs with ``synchronous=FULL``.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tastemap.errors import ArgumentError, DataError

MIGRATIONS = Path(__file__).parent / "migrations"
# Seconds that a write waits for another process to finish its own.
MAX_SECONDS_OF_WAIT = 10
# So that two processes that start at once do not both make the tables (PostgreSQL).
_MIGRATION_LOCK = 7_468_312

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
)


class StoredRating(NamedTuple):
    """One rating of a profile.

    Attributes:
        item: Id of the item as text.
        rating: The rating, or None where a training rating was taken back.
        moment: When it was given, in seconds since 1970.
    """

    item: str
    rating: float | None
    moment: int


class StoredProfile(NamedTuple):
    """All that is kept of a person.

    Attributes:
        ratings: The ratings, in the order of their items' ids.
        forgotten: Whether the training ratings of the person are not to be used either.
    """

    ratings: list[StoredRating]
    forgotten: bool = False


EMPTY_PROFILE = StoredProfile([])


class Store:
    """People's ratings in a database; safe to use from many threads and processes.

    Example:
        >>> store = Store("sqlite://")
        >>> store.rate("api:ann", {"7": 4.0})
        >>> store.profile("api:ann").ratings[0].rating
        4.0
        >>> store.forget("api:ann")
        1
        >>> store.close()
    """

    def __init__(self, url: str) -> None:
        """Connect, and bring the schema up to date.

        Raises:
            ArgumentError: If the URL is none, or of a database other than the two.
            DataError: If the database cannot be reached or used.
        """
        self.url = _checked_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {} if self.is_sqlite else {"pool_pre_ping": True}
        if self.is_sqlite and not self.url.database:  # in memory: one connection for all in turn
            options = {"poolclass": sa.QueuePool, "pool_size": 1, "max_overflow": 0}
            options["connect_args"] = {"check_same_thread": False}
        self._writing = sa.create_engine(self.url, **options)
        self._reading = self._writing.execution_options(reading=True)
        if self.is_sqlite:
            sa.event.listen(self._writing, "connect", _settle_sqlite)
            sa.event.listen(self._writing, "begin", _begin_sqlite)
        try:
            _upgrade(self._writing)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            raise DataError(
                f"store {self.url.render_as_string()}",
                expected="a database that can be read and written",
                received=str(getattr(error, "orig", error)).splitlines()[0],
            ) from error

    def close(self) -> None:
        """Let all connections go."""
        self._writing.dispose()

    @property
    def folder(self) -> Path | None:
        """The folder of an SQLite file; None for a database elsewhere or in memory."""
        if self.is_sqlite and self.url.database:
            return Path(self.url.database).absolute().parent
        return None

    # ---- one profile ----

    def profile(self, key: str) -> StoredProfile:
        """What is kept under a key; nothing for an unknown one."""
        joined = _profiles.outerjoin(_ratings, _profiles.c.number == _ratings.c.number)
        query = (
            sa.select(_profiles.c.forgotten, *_ratings.c["item", "rating", "moment"])
            .select_from(joined)
            .where(_profiles.c.person == stored_id(key))
            .order_by(_ratings.c.item)
        )
        with self._reading.connect() as connection:
            rows = connection.execute(query).all()
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
            ratings: The rating of each item; None takes back a rating of the training data.
            moment: When they were given, in seconds since 1970; now, if not said.
            replace: Drop all other ratings of the profile.
        """
        if not ratings and not replace:
            return
        at = int(time.time()) if moment is None else moment
        insert = self._insert(_ratings)
        upsert = insert.on_conflict_do_update(
            index_elements=["number", "item"],
            set_={"rating": insert.excluded.rating, "moment": insert.excluded.moment},
        )

        def write() -> None:
            with self._writing.begin() as connection:
                number = self._number(connection, key, at)
                rows = [
                    {"number": number, "item": stored_id(item), "rating": rating, "moment": at}
                    for item, rating in sorted(ratings.items())
                ]
                if replace:
                    connection.execute(sa.delete(_ratings).where(_ratings.c.number == number))
                if rows:
                    connection.execute(upsert, rows)

        try:
            write()
        except sa.exc.IntegrityError:  # forgotten by somebody else in the middle of it
            write()

    def unrate(self, key: str, item: str) -> bool:
        """Drop the rating of an item; whether there was one."""
        with self._writing.begin() as connection:
            done = connection.execute(
                sa.delete(_ratings).where(
                    _ratings.c.number == _number_of(key), _ratings.c.item == stored_id(item)
                )
            )
        return done.rowcount > 0

    def forget(self, key: str, *, mark: bool = False) -> int:
        """Delete everything under a key; how many ratings there were.

        Args:
            key: The key of the profile.
            mark: Keep the key alone, as that of somebody whose training ratings are not to be used.
        """
        with self._writing.begin() as connection:
            gone = connection.execute(
                sa.delete(_ratings).where(_ratings.c.number == _number_of(key))
            ).rowcount
            if mark:
                number = self._number(connection, key, int(time.time()))
                connection.execute(
                    sa.update(_profiles).where(_profiles.c.number == number).values(forgotten=True)
                )
            else:
                connection.execute(sa.delete(_profiles).where(_profiles.c.person == stored_id(key)))
        return gone

    # ---- everybody ----

    def count(self) -> tuple[int, int]:
        """Number of profiles and of ratings."""
        with self._reading.connect() as connection:
            rated = sa.select(sa.func.count()).where(_ratings.c.rating.is_not(None))
            profiles = connection.scalar(sa.select(sa.func.count()).select_from(_profiles))
            return int(profiles or 0), int(connection.scalar(rated) or 0)

    def everything(self) -> Iterator[tuple[str, int, StoredProfile]]:
        """Each key with its number and profile, by number, from one consistent view."""
        column = _profiles.c
        keys = sa.select(column.number, column.person, column.forgotten).order_by(column.number)
        rated = sa.select(_ratings).order_by(_ratings.c.number, _ratings.c.item)
        level = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self._reading.connect().execution_options(**level) as connection:
            profiles = connection.execute(keys).all()
            ratings: dict[int, list[StoredRating]] = {}
            for number, item, rating, moment in connection.execute(rated):
                stored = StoredRating(original_id(item), rating, moment)
                ratings.setdefault(number, []).append(stored)
        for number, key, forgotten in profiles:
            profile = StoredProfile(ratings.get(number, []), bool(forgotten))
            yield original_id(key), int(number), profile

    # ---- between the two ----

    def _number(self, connection: sa.Connection, key: str, moment: int) -> int:
        """The number of a key, which is entered if unknown."""
        row = {"person": stored_id(key), "forgotten": False, "moment": moment}
        entered = self._insert(_profiles).values(row).on_conflict_do_nothing()
        connection.execute(entered)
        return int(connection.execute(sa.select(_number_of(key))).scalar_one())

    @property
    def _insert(self) -> Callable[[sa.Table], Any]:
        return sqlite.insert if self.is_sqlite else postgresql.insert


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


def _number_of(key: str) -> sa.ScalarSelect[int]:
    query = sa.select(_profiles.c.number).where(_profiles.c.person == stored_id(key))
    return query.scalar_subquery()


def _checked_url(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        parsed = None
    backend = None if parsed is None else parsed.get_backend_name()
    if parsed is None or backend not in ("sqlite", "postgresql"):
        raise ArgumentError(
            "store",
            expected="a path, or a URL of sqlite or postgresql",
            received="something else" if parsed is None else repr(backend),
        )
    return parsed if backend == "sqlite" else parsed.set(drivername="postgresql+psycopg")


def _settle_sqlite(connection: Any, _: Any) -> None:
    """Each new connection: our own BEGIN, writes that survive a power cut, readers beside them."""
    connection.isolation_level = None
    for setting in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={MAX_SECONDS_OF_WAIT * 1000}",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer takes its place in the queue at once, so that it is never refused half way."""
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _upgrade(engine: sa.Engine) -> None:
    """Bring the schema to the newest version, in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    if engine.url.get_backend_name() == "sqlite" and engine.url.database:
        file = Path(engine.url.database)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            lock = sa.text("SELECT pg_advisory_xact_lock(:key)")
            connection.execute(lock, {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
