"""The database of a store: every call on it ends within seconds, in an answer or a `StoreError`.

SQLite is read and written by many processes at once, in WAL mode, and runs with
``synchronous=FULL``: what is committed has reached the disk.
"""

import contextlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa

from tastemap.errors import ArgumentError, StoreError
from tastemap.serve.people.availability import Availability, is_conflict, kind_of, store_error

MIGRATIONS = Path(__file__).parent / "migrations"
#: Versions of the schema, the newest last.
VERSIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
# Seconds that a write waits for another process to finish its own, or for a connection.
MAX_SECONDS_OF_WAIT = 2
# Seconds that PostgreSQL works on one statement before it gives up.
MAX_SECONDS_OF_STATEMENT = 5
# Threads that answer requests, and the one that looks after the store.
MAX_CONNECTIONS, MAX_IDLE_CONNECTIONS = 20, 5
# A transaction that another got in the way of is begun anew so often, after a short random wait.
MAX_ATTEMPTS, MAX_SECONDS_BETWEEN_ATTEMPTS = 10, 0.1
# So that two processes that start at once do not both make the tables (PostgreSQL).
_MIGRATION_LOCK = 7_468_312
_SERVE = "name the store that tastemap serve writes"

Answer = TypeVar("Answer")
Work = Callable[[sa.Connection], Answer]


class Database:
    """An SQLite file or a PostgreSQL database with the tables of a store.

    Attributes:
        url: Where it is.
        is_sqlite: Whether it is SQLite.
        path: The SQLite file; None for a database elsewhere or in memory.
        version: The version of its schema.
        availability: Whether it can be had.
        engine: Its connections, for writing.
    """

    def __init__(self, url: str, *, readonly: bool = False) -> None:
        """Connect, and bring the schema up to date.

        Args:
            url: Of SQLite or PostgreSQL.
            readonly: Make and change nothing: there must be a store.

        Raises:
            ArgumentError: If the URL is none, or of a database other than the two.
            StoreError: If the database cannot be reached or used.
        """
        self.url = _checked_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.path = _path(self.url)
        self.availability = Availability()
        self._stamp: tuple[int, int] | None = None
        self.engine = (_sqlite if self.is_sqlite else _postgres)(self.url, readonly)
        self._reading = self.engine.execution_options(reading=True)
        try:
            self.version = self._prepare(readonly)
        except BaseException:
            self.close()
            raise
        self._stamp = _stamp(self.path)

    def close(self) -> None:
        """Let all connections go."""
        self.engine.dispose()

    def read(self, work: Work[Answer], **options: Any) -> Answer:
        """Read in one transaction, on a connection with these options.

        Raises:
            StoreError: If the database cannot be had.
        """
        return self._transact(work, self._reading.execution_options(**options), writing=False)

    def write(self, work: Work[Answer]) -> Answer:
        """Write in one transaction, which is begun anew where another got in its way.

        Raises:
            StoreError: If the database cannot be had.
        """
        return self._transact(work, self.engine, writing=True)

    def failure(self, kind: str, received: object, do: str = "") -> StoreError:
        """The error of a kind, noted as what is wrong now."""
        error = store_error(self.url, kind, received, do)
        self.availability.failed(error)
        return error

    def _transact(self, work: Work[Answer], engine: sa.Engine, *, writing: bool) -> Answer:
        """The one place where errors of the database become ours."""
        attempts = 0
        while True:
            attempts += 1
            if _stamp(self.path) != self._stamp is not None:
                do = "put the file back, or start the server again"
                raise self.failure("gone", "no file, or another one", do)
            try:
                with engine.begin() as connection:
                    answer = work(connection)
            except sa.exc.DataError:  # a value that does not fit is a fault of ours
                raise
            except (sa.exc.DBAPIError, sa.exc.TimeoutError, sa.exc.NoResultFound) as error:
                if attempts == MAX_ATTEMPTS or not (writing and is_conflict(error)):
                    raise self.failure(kind_of(error), getattr(error, "orig", error)) from error
                time.sleep(random.uniform(0, MAX_SECONDS_BETWEEN_ATTEMPTS))  # noqa: S311
            else:
                self.availability.worked(writing=writing)
                return answer

    def _prepare(self, readonly: bool) -> str:
        """The version of the schema, which is made the newest one unless it is only read."""
        if self.path is not None and not self.path.is_file():
            if readonly:
                raise self.failure("gone", "no file there", _SERVE)
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.touch(mode=0o600)
            except OSError as error:
                raise self.failure("gone", error) from error
        version = self.read(_version)
        if version is None and readonly:
            raise self.failure("damaged", "a database without the tables of a store", _SERVE)
        if version not in (None, *VERSIONS):
            raise self.failure("damaged", f"a schema of version {version}", "update tastemap")
        if version != VERSIONS[-1] and not readonly:
            self.write(_upgrade)
            version = VERSIONS[-1]
        return str(version)


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


def _path(url: sa.URL) -> Path | None:
    """The file of an SQLite database; a URI of SQLite's own is left alone."""
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)).absolute() if is_file and "uri" not in url.query else None


def _stamp(path: Path | None) -> tuple[int, int] | None:
    """What tells a file from one that is put in its place; None if there is none."""
    if path is not None:
        with contextlib.suppress(OSError):
            status = path.stat()
            return status.st_dev, status.st_ino
    return None


def _sqlite(url: sa.URL, readonly: bool) -> sa.Engine:
    """A file whose readers wait for nobody, or a database in memory."""
    options: dict[str, Any] = {"pool_timeout": MAX_SECONDS_OF_WAIT}
    options |= {"pool_size": MAX_IDLE_CONNECTIONS, "max_overflow": MAX_CONNECTIONS}
    if (path := _path(url)) is not None:
        # The mode: a file that is gone is not made again, unnoticed and empty.
        query = dict(url.query) | {"mode": "rw", "uri": "true"}
        url = url.set(database=f"file:{quote(str(path))}", query=query)
    elif "uri" not in url.query:  # one connection for all in turn
        options |= {"poolclass": sa.QueuePool, "pool_size": 1, "max_overflow": 0}
        options["connect_args"] = {"check_same_thread": False}
    engine = sa.create_engine(url, **options)
    settings = [f"busy_timeout={int(MAX_SECONDS_OF_WAIT * 1000)}", "synchronous=FULL"]
    settings += ["query_only=ON"] if readonly else ["journal_mode=WAL", "foreign_keys=ON"]

    def settle(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours
        for setting in settings:
            connection.execute(f"PRAGMA {setting}")

    sa.event.listen(engine, "connect", settle)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer takes its place in the queue at once, so that it is never refused half way."""
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _postgres(url: sa.URL, readonly: bool) -> sa.Engine:
    """A server with a bound on every wait for it; who only reads may take time over everything."""
    waits = {"connect_timeout": MAX_SECONDS_OF_WAIT}
    waits["tcp_user_timeout"] = MAX_SECONDS_OF_STATEMENT * 1000
    engine = sa.create_engine(
        url,
        connect_args={name: value for name, value in waits.items() if name not in url.query},
        pool_size=MAX_IDLE_CONNECTIONS,
        max_overflow=MAX_CONNECTIONS - MAX_IDLE_CONNECTIONS,
        pool_timeout=MAX_SECONDS_OF_WAIT,
        pool_pre_ping=True,
    )
    seconds = {"statement_timeout": MAX_SECONDS_OF_STATEMENT, "lock_timeout": MAX_SECONDS_OF_WAIT}
    seconds["idle_in_transaction_session_timeout"] = MAX_SECONDS_OF_STATEMENT
    settings = {name: f"'{value}s'" for name, value in seconds.items()}
    if readonly:
        settings = {"default_transaction_read_only": "on"}

    def settle(connection: Any, _: Any) -> None:
        for name, value in settings.items():
            connection.execute(f"SET {name} = {value}")
        connection.commit()

    sa.event.listen(engine, "connect", settle)
    return engine


def _version(connection: sa.Connection) -> str | None:
    """The version of the schema; None where there is no store."""
    names = set(sa.inspect(connection).get_table_names())
    if not {"alembic_version", "persons", "ratings"} <= names:
        return None
    return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))


def _upgrade(connection: sa.Connection) -> None:
    """Bring the schema to the newest version."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    if connection.dialect.name == "postgresql":
        lock = sa.text("SELECT pg_advisory_xact_lock(:key)")
        connection.execute(lock, {"key": _MIGRATION_LOCK})
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
