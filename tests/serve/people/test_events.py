"""Events in a batch: each counts once, and what is wrong with one is no matter of the others."""

import time
from pathlib import Path

import pytest

from tastemap.errors import ArgumentError
from tastemap.serve.people.events import Event
from tastemap.serve.people.profiles import api_profile
from tastemap.serve.people.store import Store
from tastemap.serve.schemas import OwnRating
from tastemap.serve.service import Service
from tastemap.serve.settings import Limits

ANN = api_profile("ann")


def weights(service: Service, key: str = ANN) -> dict[object, float]:
    return {rated.item_id: rated.rating for rated in service.profiles.ratings_of(key).ratings}


def test_what_cannot_be_used_is_named_and_all_else_counts(clicks: Service) -> None:
    later = int(time.time()) + 10**6
    answers = clicks.record(
        ANN,
        [
            Event("2", kind="view", event_id="a"),
            Event("2", kind="buy", event_id="b"),
            Event("2", kind="buy", event_id="b"),
            Event("81", event_id="c"),
            Event("4", kind="zap"),
            Event("4", 1.0, "view"),
            Event("4", moment=later),
            Event("4", 0.0),
            Event("6", -2.5),
            Event("8", kind="noise"),
        ],
    )
    said = [answer.status for answer in answers.events]
    assert said == ["counted"] * 2 + ["repeated"] + ["refused"] * 5 + ["counted"] * 2
    assert (answers.counted, answers.repeated, answers.refused) == (4, 1, 5)
    for answer, word in zip(
        answers.events[3:8],
        ("no item", "buy, noise, view", "not both", "in the future", "0 is not a weight"),
        strict=True,
    ):
        assert word in answer.message
    assert weights(clicks) == {2: 4.0, 6: -2.5}
    again = clicks.record(ANN, [Event("2", kind="buy", event_id="b"), Event("4", event_id="c")])
    assert [answer.status for answer in again.events] == ["repeated", "counted"]
    assert weights(clicks) == {2: 4.0, 6: -2.5, 4: 1.0}


def test_events_add_to_what_the_training_data_say(clicks: Service) -> None:
    user = api_profile("3")
    trained = clicks.profiles.ratings_of(user).ratings[-1]
    item = str(trained.item_id)
    clicks.record(user, [Event(item, 2.0)])
    expected = {"rating": trained.rating + 2, "trained": False}
    latest: OwnRating = clicks.profiles.ratings_of(user).ratings[0]
    assert {name: getattr(latest, name) for name in expected} == expected
    clicks.profiles.unrate(user, item)
    clicks.record(user, [Event(item)])
    assert weights(clicks, user)[trained.item_id] == 1, "what was taken back stays so"


def test_the_latest_event_gives_the_place_in_the_history(clicks: Service) -> None:
    events = [Event("2", moment=50), Event("4", moment=70), Event("6", moment=60)]
    clicks.record(ANN, [*events, Event("4", moment=55), Event("8", moment=70)])
    newest = [rated.item_id for rated in clicks.profiles.ratings_of(ANN).ratings]
    assert newest == [8, 4, 6, 2]


def test_ids_are_remembered_when_the_server_starts_again(live_clicks, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clicks.db'}"
    for counted in (1, 0):
        store = Store(url)
        service = Service(live_clicks, store)
        assert service.record(ANN, [Event("2", event_id="a")]).counted == counted
        assert weights(service) == {2: 1.0}
        store.close()


def test_a_batch_is_refused_whole_where_there_would_be_too_many(
    clicks: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Limits, "profile", 2)
    with pytest.raises(ArgumentError, match="at most 2; received 3"):
        clicks.record(ANN, [Event("2", event_id="a"), Event("4"), Event("6")])
    assert weights(clicks) == {}
    assert clicks.record(ANN, [Event("2", event_id="a"), Event("4")]).counted == 2
