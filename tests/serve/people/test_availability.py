"""Whether the store can be had: kinds of errors, and how often they are said."""

import sqlite3

import pytest
import sqlalchemy as sa

from tastemap.errors import StoreError
from tastemap.serve.people.availability import (
    REASONS,
    Availability,
    is_conflict,
    kind_of,
    store_error,
)

URL = sa.make_url("postgresql://user:secret@host/name")


class PostgresError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__("no")
        self.sqlstate = sqlstate


def of_postgres(code: str) -> sa.exc.DBAPIError:
    return sa.exc.OperationalError("SELECT 1", {}, PostgresError(code))


def of_sqlite(name: str) -> sa.exc.DBAPIError:
    error = sqlite3.OperationalError("no")
    error.sqlite_errorname = name
    return sa.exc.OperationalError("SELECT 1", {}, error)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (of_sqlite("SQLITE_BUSY"), "locked"),
        (of_sqlite("SQLITE_BUSY_SNAPSHOT"), "locked"),
        (of_sqlite("SQLITE_FULL"), "full"),
        (of_sqlite("SQLITE_IOERR_WRITE"), "disk"),
        (of_sqlite("SQLITE_READONLY_DBMOVED"), "read_only"),
        (of_sqlite("SQLITE_CANTOPEN"), "gone"),
        (of_sqlite("SQLITE_NOTADB"), "damaged"),
        (of_postgres("40P01"), "busy"),
        (of_postgres("53100"), "full"),
        (of_postgres("55P03"), "locked"),
        (of_postgres("57014"), "slow"),
        (of_postgres("42P01"), "damaged"),
        (of_postgres("57P01"), "unreachable"),
        (sa.exc.TimeoutError(), "unreachable"),
        (sa.exc.NoResultFound(), "busy"),
    ],
)
def test_each_error_of_a_database_has_a_kind(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind
    assert kind in REASONS


def test_conflicts_may_be_tried_again_and_a_full_disk_may_not() -> None:
    assert all(is_conflict(of_postgres(code)) for code in ("40001", "40P01", "23503", "23505"))
    assert not is_conflict(of_postgres("53100"))
    assert not is_conflict(of_sqlite("SQLITE_BUSY"))


def test_an_outage_is_said_once_a_kind_and_once_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    availability = Availability()
    availability.failed(store_error(URL, "locked", "nobody looks after it"))
    availability.worked(writing=True)
    assert not caplog.records
    availability.is_watched = True
    for kind in ("locked", "locked", "full", "locked", "busy"):
        availability.failed(store_error(URL, kind, f"{kind}: a line\nand another"))
    since = availability.outage.since
    assert [record.message.split("received ")[1] for record in caplog.records] == [
        "locked: a line.",
        "full: a line.",
    ]
    assert "secret" not in caplog.text
    caplog.clear()
    availability.worked(writing=False)
    assert availability.outage.since == since, "who can read may still not be able to write"
    for _ in range(2):
        availability.worked(writing=True)
    assert availability.outage is None
    (record,) = caplog.records
    assert "works again" in record.message


def test_what_would_wait_in_vain_is_refused() -> None:
    availability = Availability()
    availability.failed(store_error(URL, "locked", "locked"))
    availability.require(writing=True)
    availability.is_watched = True
    availability.require(writing=False)
    with pytest.raises(StoreError, match="received locked"):
        availability.require(writing=True)
    availability.failed(store_error(URL, "unreachable", "refused"))
    with pytest.raises(StoreError, match="received refused") as caught:
        availability.require(writing=False)
    assert (caught.value.kind, caught.value.reason) == ("unreachable", "it does not answer")
    availability.worked(writing=False)
    availability.require(writing=True)
