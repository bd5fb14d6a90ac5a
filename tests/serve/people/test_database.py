"""The database of a store: every wait ends, and what cannot be had is said."""

import os
import random
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from clusters import Cluster
from waiting import wait_until

from tastemap.errors import StoreError
from tastemap.serve.people import database
from tastemap.serve.people.store import Store

# A write gives up after two seconds; on a busy machine it may take longer to notice.
MAX_SECONDS = 8


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "what #1 100%.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{file}")
    made.rate("ann", {"7": 4.0})
    yield made
    made.close()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process in the middle of a long write."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.execute("ROLLBACK")
    other.close()


def kind_of_failure(store: Store) -> str:
    """What a write says that cannot be done."""
    with pytest.raises(StoreError) as caught:
        store.rate("ben", {"7": 1.0})
    assert store.outage.error.kind == caught.value.kind
    return caught.value.kind


def test_a_locked_file_is_read_at_once_and_written_again_after(store: Store, file: Path) -> None:
    with locked(file):
        start = time.monotonic()
        assert kind_of_failure(store) == "locked"
        assert time.monotonic() - start < MAX_SECONDS
        assert store.profile("ann").ratings[0].rating == 4.0
        assert store.outage is not None
    store.rate("ben", {"7": 1.0})
    assert store.outage is None


def test_a_full_file_is_said_and_read_and_recovers(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = []

    def limit(connection: sa.Connection) -> None:
        pages = connection.connection.execute("PRAGMA page_count").fetchone()[0]
        connection.connection.execute(f"PRAGMA max_page_count={limits[-1] or pages}")

    sa.event.listen(store.database.engine, "begin", limit)
    limits.append(0)
    with pytest.raises(StoreError) as caught:
        store.rate("ben", {str(item): 1.0 for item in range(2_000)})
    assert caught.value.kind == "full"
    assert store.outage.error.kind == "full"
    assert store.profile("ben").ratings == []
    assert store.profile("ann").ratings[0].rating == 4.0
    limits.append(10_000)
    store.rate("ben", {str(item): 1.0 for item in range(2_000)})
    assert store.outage is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_noticed_before_and_after_a_write(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let one mount")
    store = Store(f"sqlite:///{tmp_path / 'ratings.db'}")
    try:
        store.rate("ann", {"7": 4.0})
        store.probe()
        assert store.outage is None
        many = {f"item {n} {'x' * 90}": 1.0 for n in range(40_000)}
        with pytest.raises(StoreError) as caught:
            store.rate("ben", many)
        assert caught.value.kind in ("full", "disk")
        store.probe()
        assert store.outage is not None
        assert store.profile("ann").ratings[0].rating == 4.0
        subprocess.run(["mount", "-o", "remount,size=64m", str(tmp_path)], check=True)
        store.probe()
        assert store.outage is None
        store.rate("ann", {"8": 4.0})
    finally:
        store.close()
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_nothing_is_written_into_a_file_that_is_gone(store: Store, file: Path) -> None:
    aside = file.with_name("aside")
    file.rename(aside)
    assert kind_of_failure(store) == "gone"
    store.probe()
    assert store.outage.error.kind == "gone"
    assert not file.exists(), "no empty file is made in its place"
    file.write_bytes(aside.read_bytes())
    assert kind_of_failure(store) == "gone", "another file"
    aside.rename(file)
    store.rate("ben", {"7": 1.0})
    assert store.outage is None
    assert store.count() == (2, 2)


def test_who_only_reads_makes_and_changes_nothing(file: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no file there; name the store"):
        Store(f"sqlite:///{file}", readonly=True)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE films (title)")
    connection.close()
    before = other.read_bytes()
    with pytest.raises(StoreError, match="without the tables of a store"):
        Store(f"sqlite:///{other}", readonly=True)
    assert other.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["other.db"]
    with pytest.raises(StoreError, match="without the tables"):
        Store("sqlite://", readonly=True)


def test_a_reader_cannot_write_and_an_old_schema_stays_old(store: Store, file: Path) -> None:
    reader = Store(f"sqlite:///{file}", readonly=True)
    assert reader.identity == store.identity != ""
    assert kind_of_failure(reader) == "read_only"
    reader.close()
    with store.database.engine.begin() as connection:
        for change in (
            "DROP TABLE store",
            "DROP TABLE events",
            "DROP TABLE rooms",
            "DROP TABLE room_members",
            "ALTER TABLE ratings DROP COLUMN written",
            "ALTER TABLE ratings DROP COLUMN flag",
        ):
            connection.execute(sa.text(change))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    reader = Store(f"sqlite:///{file}", readonly=True)
    assert [key for key, _, _ in reader.everything()] == ["ann"]
    assert reader.identity == ""
    reader.close()
    with store.database.engine.begin() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "0001"
    newer = Store(f"sqlite:///{file}")
    assert newer.identity
    assert newer.profile("ann") == store.profile("ann")
    assert newer.kind == "ratings", "an old store has nothing else"
    newer.close()


def test_a_newer_schema_is_refused(store: Store, file: Path) -> None:
    with store.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    for readonly in (False, True):
        with pytest.raises(StoreError, match="9999; update tastemap"):
            Store(f"sqlite:///{file}", readonly=readonly)


def test_a_database_in_memory_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite://", "sqlite:///:memory:"):
        store = Store(url)
        store.rate("ann", {"7": 4.0})
        assert (store.folder, store.count()) == (None, (1, 1))
        store.close()
    assert not list(tmp_path.iterdir())


# ---- PostgreSQL ----


def test_no_wait_for_postgres_is_without_end(postgres: str) -> None:
    store, reader = Store(postgres), Store(postgres, readonly=True)
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        with store.database.engine.connect() as connection:
            assert connection.scalar(sa.text(f"SHOW {name}")) in ("2s", "5s")
    assert kind_of_failure(reader) == "read_only"
    with store.database.engine.begin() as connection:
        connection.execute(sa.text("LOCK TABLE ratings"))
        other = Store(postgres)
        start = time.monotonic()
        other.probe()
        assert other.outage.error.kind == "locked"
        assert time.monotonic() - start < MAX_SECONDS
    other.probe()
    assert other.outage is None
    for one in (store, reader, other):
        one.close()


def change(store: Store, key: str, draw: random.Random, rating: float) -> None:
    """One of the writes that there are, drawn at random."""
    items = list(map(str, draw.sample(range(12), 6)))
    action = draw.randrange(5)
    if action == 0:
        store.forget(key, mark=draw.random() < 0.3)
    elif action == 1:
        store.unrate(key, items[0])
    else:
        store.rate(key, dict.fromkeys(items, rating), replace=action == 2)


def test_writers_of_the_same_few_profiles_never_fail(postgres: str) -> None:
    """Ratings put, replaced, taken back and forgotten at once, as several servers would."""
    stores = [Store(postgres) for _ in range(2)]
    errors: list[Exception] = []
    last: dict[str, dict[str, float]] = {}

    def write(n: int) -> None:
        store, draw = stores[n % 2], random.Random(n)  # noqa: S311
        try:
            for step in range(60):
                change(store, f"race {draw.randrange(3)}", draw, float(step % 5 + 1))
            # A profile of its own, which nobody else may have harmed.
            last[f"race own {n}"] = {str(item): 1.0 for item in range(n)}
            store.rate(f"race own {n}", last[f"race own {n}"], replace=True)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors[:3]
    everything = {key: profile for key, _, profile in stores[0].everything()}
    for key, ratings in last.items():
        assert {item: rating for item, rating, _ in everything[key].ratings} == ratings
    for key in everything:
        stores[0].forget(key)
    assert stores[0].count() == (0, 0)
    for store in stores:
        assert store.outage is None
        store.close()


@pytest.mark.slow
def test_postgres_is_stopped_and_started_under_load(cluster: Cluster) -> None:
    store = Store(cluster.url)
    store.watch()
    acknowledged: dict[str, float] = {}
    kinds, done = set(), threading.Event()

    def write(n: int) -> None:
        step = 0
        while not done.is_set():
            step += 1
            try:
                store.rate("load", {f"{n} {step}": float(n)})
                acknowledged[f"{n} {step}"] = float(n)
            except StoreError as error:
                kinds.add(error.kind)
                time.sleep(0.01)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            before = len(acknowledged)
            wait_until(lambda before=before: len(acknowledged) > before + 50)
            cluster.stop()
            wait_until(lambda: store.outage is not None)
            cluster.start()
            wait_until(lambda: store.outage is None)
        before = len(acknowledged)
        wait_until(lambda: len(acknowledged) > before + 50)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert kinds == {"unreachable"}
    ratings = {item: rating for item, rating, _ in store.profile("load").ratings}
    assert acknowledged.items() <= ratings.items()
    store.forget("load")
    store.close()


def test_versions_are_those_of_the_migrations() -> None:
    names = sorted(path.name for path in (database.MIGRATIONS / "versions").glob("v*.py"))
    assert [name[1:5] for name in names] == list(database.VERSIONS)
