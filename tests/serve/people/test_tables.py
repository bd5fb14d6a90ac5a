"""The rows of a store."""

from tastemap.serve.people.tables import Row, StoredEvent


def test_events_add_up_within_a_bound_and_the_latest_gives_the_place() -> None:
    row = Row("7", 2.0, moment=50, written=1)
    late = row.after(StoredEvent("7", 3.0, 60, None), written=2, largest=4.0)
    assert late == ("7", 4.0, 60, 2)
    early = late.after(StoredEvent("7", -1.0, 10, None), written=3, largest=4.0)
    assert early == ("7", 3.0, 60, 2)
    assert early.after(StoredEvent("7", -3.0, 60, None), 4, 4.0) == ("7", None, 60, 4)
    taken_back = Row("7", None, 50, 1)
    assert taken_back.after(StoredEvent("7", -9.0, 50, None), 5, 4.0) == ("7", -4.0, 50, 5)
