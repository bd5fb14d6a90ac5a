"""Ids of events: remembered, and no more of them than that."""

import pytest

from tastemap.serve.people import event_ids
from tastemap.serve.people.store import Store
from tastemap.serve.people.tables import StoredEvent


def record(store: Store, key: str, *ids: str | None) -> list[bool]:
    return store.record(key, [StoredEvent("7", 1.0, 5, event) for event in ids], {}, 1e6)


def test_the_oldest_ids_are_dropped_and_each_profile_has_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_ids, "MAX_EVENTS", 3)
    store = Store("sqlite://")
    assert record(store, "ann", "a", "b", None, "a", None) == [True, True, True, False, True]
    assert record(store, "ben", "a") == [True]
    assert record(store, "ann", "c", "d") == [True, True]
    assert record(store, "ann", "d", "c", "b", "a") == [False, False, False, True]
    assert store.profile("ann").ratings[0].rating == 7.0
    store.forget("ann")
    assert record(store, "ann", "d") == [True], "who is forgotten leaves no ids"
    store.close()
