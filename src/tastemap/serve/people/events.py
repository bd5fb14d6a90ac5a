"""Events in a batch: what a person viewed, played or bought, each counted once."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tastemap.errors import ArgumentError
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.people.profiles import Profiles
from tastemap.serve.people.tables import StoredEvent
from tastemap.serve.schemas import EventAnswer, EventAnswers

# A clock may be ahead of ours by so many seconds; a later moment is a mistake.
MAX_SECONDS_AHEAD = 86_400
# Kinds of events that are named in a message.
MAX_KINDS_NAMED = 20


class Event(NamedTuple):
    """An event as it was sent.

    Attributes:
        item_id: The item.
        weight: What it adds to the weight of the person's interactions with the item.
        kind: Its kind, in place of a weight; with neither it weighs 1.
        moment: When it was, in seconds since 1970; None for now.
        event_id: Its id; None for an event that is another each time.
    """

    item_id: str
    weight: float | None = None
    kind: str | None = None
    moment: int | None = None
    event_id: str | None = None


def record_events(
    profiles: Profiles, key: str, events: Sequence[Event], weights: Mapping[str, float]
) -> EventAnswers:
    """Count the events that can be used, all of them or none, and say of each what became of it.

    Args:
        profiles: Where they are counted.
        key: The key of the profile.
        events: The events, in their order.
        weights: The weight of each kind of event.

    Raises:
        ArgumentError: If the person would have interactions with too many items.
        StoreError: If they cannot be kept now. None is counted then.
    """
    model, now = profiles.live.current, int(time.time())
    rows = model.catalogue.rows_of.rows([event.item_id for event in events]).tolist()
    refusals = {
        place: reason
        for place, (event, row) in enumerate(zip(events, rows, strict=True))
        if (reason := _refusal(model, event, row, weights, now))
    }
    stored = {
        place: StoredEvent(
            event.item_id,
            _weight(event, weights),
            now if event.moment is None else event.moment,
            event.event_id,
        )
        for place, event in enumerate(events)
        if place not in refusals
    }
    is_new = dict(zip(stored, profiles.record(key, list(stored.values())), strict=True))
    answers = [
        EventAnswer(event.event_id, "refused", refusals[place])
        if place in refusals
        else EventAnswer(event.event_id, "counted" if is_new[place] else "repeated")
        for place, event in enumerate(events)
    ]
    n_counted = sum(is_new.values())
    return EventAnswers(n_counted, len(is_new) - n_counted, len(refusals), answers)


def _weight(event: Event, weights: Mapping[str, float]) -> float:
    """What an event adds."""
    if event.kind is not None:
        return weights[event.kind]
    return 1.0 if event.weight is None else event.weight


def _refusal(
    model: LoadedModel, event: Event, row: int, weights: Mapping[str, float], now: int
) -> str | None:
    """Why an event cannot be counted, in words; None if it can."""
    if row < 0:
        return "no item has this id"
    if event.weight is not None and event.kind is not None:
        return "a weight or a kind of event, not both"
    if event.kind is not None and event.kind not in weights:
        kinds = ", ".join(sorted(weights)[:MAX_KINDS_NAMED]) or "no kind of event"
        return f"the server knows {kinds}; serve with --event-weights, or send a weight"
    if event.moment is not None and event.moment > now + MAX_SECONDS_AHEAD:
        return "the timestamp, in seconds since 1970, lies in the future"
    if event.weight is not None:
        try:
            model.check_ratings([event.weight])
        except ArgumentError as error:
            return f"{error.received} is not {error.expected}"
    return None
