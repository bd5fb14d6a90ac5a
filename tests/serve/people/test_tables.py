"""The rows of a store."""

import sqlalchemy as sa

from tastemap.serve.people.tables import Row, StoredEvent, columns_of


def test_events_add_up_within_a_bound_and_the_latest_gives_the_place() -> None:
    row = Row("7", 2.0, moment=50, written=1)
    late = row.after(StoredEvent("7", 3.0, 60, None), written=2, largest=4.0)
    assert late == ("7", 4.0, 60, 2)
    early = late.after(StoredEvent("7", -1.0, 10, None), written=3, largest=4.0)
    assert early == ("7", 3.0, 60, 2)
    assert early.after(StoredEvent("7", -3.0, 60, None), 4, 4.0) == ("7", None, 60, 4)
    taken_back = Row("7", None, 50, 1)
    assert taken_back.after(StoredEvent("7", -9.0, 50, None), 5, 4.0) == ("7", -4.0, 50, 5)


def test_what_was_seen_is_read_from_a_schema_without_flags() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE ratings (item, rating, moment, seen)"))
        connection.execute(
            sa.text("INSERT INTO ratings VALUES ('7', 4.0, 5, 0), ('9', NULL, 6, 1)")
        )
        for version, flag in (("0004", "seen"), ("0003", None)):
            rows = connection.execute(sa.select(*columns_of(version))).all()
            assert rows == [("7", 4.0, 5, None), ("9", None, 6, flag)]
    engine.dispose()
