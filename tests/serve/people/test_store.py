"""The store, on SQLite and on PostgreSQL alike."""

import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tastemap.errors import ArgumentError, StoreError
from tastemap.serve.people.database import VERSIONS
from tastemap.serve.people.store import Store, original_id, stored_id
from tastemap.serve.people.tables import EMPTY_PROFILE, StoredEvent

ODD = ["7", "a/b", "50%", "né ☃", "nul\0in", "back\\slash", "\\0", "'; DROP TABLE ratings;--", " "]


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ratings.db'}"
    else:
        url = request.getfixturevalue("postgres")
    made = Store(url)
    yield made
    with made.database.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM events"))
        connection.execute(sa.text("DELETE FROM ratings"))
        connection.execute(sa.text("DELETE FROM persons"))
    made.close()


def ratings_of(store: Store, person: str) -> dict[str, float | None]:
    return {item: rating for item, rating, _ in store.profile(person).ratings}


def test_ratings_are_kept_by_person_and_item_whatever_the_ids(store: Store) -> None:
    for n, person in enumerate(ODD):
        store.rate(person, {item: float(n) for item in ODD})
    for n, person in enumerate(ODD):
        assert ratings_of(store, person) == dict.fromkeys(ODD, float(n))
    assert store.count() == (len(ODD), len(ODD) ** 2)


def test_a_write_may_be_repeated_and_the_last_one_counts(store: Store) -> None:
    for rating in (3.0, 3.0, 4.5):
        store.rate("ann", {"7": rating}, moment=5)
    assert store.profile("ann").ratings == [("7", 4.5, 5)]
    assert store.unrate("ann", "7")
    assert not store.unrate("ann", "7")
    assert store.profile("ann") == EMPTY_PROFILE
    assert store.profile("nobody") == EMPTY_PROFILE


def test_a_flag_yields_to_a_rating_and_is_no_rating(store: Store) -> None:
    store.rate("ann", {"7": 4.0, "8": None})
    store.flag("ann", [*ODD, "8"], "seen", moment=5)
    seen = {entry.item for entry in store.profile("ann").flags}
    assert seen == {*ODD, "8"} - {"7"}, "what is rated stays rated"
    assert store.count() == (1, 1)
    store.rate("ann", {"8": 2.0})
    assert store.unflag("ann", ODD[1])
    assert not store.unflag("ann", "8"), "it is rated"
    seen = {entry.item for entry in store.profile("ann").flags}
    assert seen == {*ODD} - {"7", ODD[1]}
    store.flag("ann", [ODD[2]], "later", moment=6)
    assert store.profile("ann").flagged("later") == [(ODD[2], "later", 6)]
    assert len(store.profile("ann").flagged("seen")) == len(seen) - 1, "an item has one flag"
    assert ratings_of(store, "ann")["8"] == 2.0
    assert store.forget("ann")
    assert store.profile("ann") == EMPTY_PROFILE


def test_forgetting_deletes_all_or_leaves_a_mark(store: Store) -> None:
    store.rate("ann", {"7": 4.0, "8": None})
    store.rate("ben", {"7": 1.0})
    assert store.forget("ann") == 2
    assert store.forget("ann") == 0
    assert store.count() == (1, 1)
    assert store.forget("ben", mark=True) == 1
    assert store.profile("ben") == EMPTY_PROFILE._replace(forgotten=True)
    store.rate("ben", {"9": 2.0})
    assert store.profile("ben").forgotten


def test_everything_is_listed_by_number(store: Store) -> None:
    store.rate("b", {"2": 1.0, "1": 2.0}, moment=9)
    store.rate("a", {"1": None}, moment=9)
    listed = list(store.everything())
    assert [person for person, _, _ in listed] == ["b", "a"]
    assert listed[0][1] < listed[1][1]
    assert listed[0][2].ratings == [("2", 1.0, 9), ("1", 2.0, 9)], "as they were given"
    assert listed[1][2].ratings == [("1", None, 9)]


def test_writers_wait_for_each_other(store: Store) -> None:
    def write(who: str) -> None:
        for n in range(20):
            store.rate(who, {str(n): 1.0, "shared": float(n)})

    threads = [threading.Thread(target=write, args=(who,)) for who in ("ann", "ben", "ann")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.count() == (2, 42)


def test_a_second_store_finds_the_schema_and_the_ratings(store: Store) -> None:
    store.rate("ann", {"7": 4.0})
    url = store.database.url.render_as_string(hide_password=False)
    again = Store(url)
    assert ratings_of(again, "ann") == {"7": 4.0}
    with again.database.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == VERSIONS[-1]
    again.close()


def test_sqlite_is_durable_and_private(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "ratings.db"
    store = Store(f"sqlite:///{file}")
    with store.database.engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(sa.text("PRAGMA synchronous")) == 2  # FULL
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert store.folder == file.parent
    store.close()


def test_a_store_that_cannot_be_used_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("this is no database, but a good long text" * 100)
    with pytest.raises(StoreError, match="store sqlite"):
        Store(f"sqlite:///{tmp_path / 'file'}")
    with pytest.raises(StoreError, match="store postgresql"):
        Store("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    for url in ("mysql://x/y", "no url:"):
        with pytest.raises(ArgumentError, match="store"):
            Store(url)


def test_events_count_once_and_in_order_whatever_the_ids(store: Store) -> None:
    events = [StoredEvent(item, 2.0, 5, item) for item in ODD]
    assert store.record("ann", events, {"7": 1.0}, 3.0) == [True] * len(ODD)
    again = [*events, StoredEvent("7", 2.0, 6, "new")]
    assert store.record("ann", again, {"7": 1.0}, 3.0) == [*[False] * len(ODD), True]
    expected = [(item, 2.0, 5) for item in ODD[1:]]
    assert store.profile("ann").ratings == [*expected, ("7", 3.0, 6)]
    assert store.record("ann", [], {}, 3.0) == []


def test_writers_of_the_same_events_count_each_once(store: Store) -> None:
    counted: list[bool] = []

    def write() -> None:
        for n in range(10):
            counted.extend(store.record("ann", [StoredEvent("7", 1.0, n, str(n))], {}, 1e6))

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counted) == 10
    assert store.profile("ann").ratings == [("7", 10.0, 9)]


def test_a_store_is_for_ratings_or_for_interactions(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clicks.db'}"
    store = Store(url)
    assert store.kind == ""
    store.refuse_other("ratings")
    store.settle("interactions")
    store.close()
    again = Store(url)
    again.settle("interactions")
    with pytest.raises(StoreError, match="one for interactions, where the model has learnt from r"):
        again.settle("ratings")
    again.close()


@given(st.text(), st.text())
def test_stored_ids_are_lossless(one: str, other: str) -> None:
    assert original_id(stored_id(one)) == one
    assert "\0" not in stored_id(one)
    assert (stored_id(one) == stored_id(other)) == (one == other)
