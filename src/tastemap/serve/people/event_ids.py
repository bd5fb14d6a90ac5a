"""The ids of events that have been counted, so that none counts twice."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tastemap.serve.people.tables import METADATA

# So many ids are remembered of one person.
MAX_EVENTS = 10_000
EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("event", sa.Text, primary_key=True),
    sa.Column("written", sa.BigInteger, nullable=False),
)


def remember(
    connection: sa.Connection, number: int, events: Sequence[str | None], now: int
) -> list[bool]:
    """Enter the ids of events, and say which are new; the oldest beyond `MAX_EVENTS` are dropped.

    Args:
        connection: In a transaction that holds the profile.
        number: The number of the profile.
        events: The id of each event, as the store writes ids; None is new each time.
        now: Nanoseconds since 1970.
    """
    of_profile = EVENTS.c.number == number
    query = sa.select(EVENTS.c.event).where(of_profile & EVENTS.c.event.in_({*events} - {None}))
    seen: set[str | None] = set(connection.scalars(query))
    is_new: list[bool] = []
    rows: list[dict[str, Any]] = []
    for place, event in enumerate(events):
        is_new.append(event is None or event not in seen)
        if is_new[-1] and event is not None:
            seen.add(event)
            rows.append({"number": number, "event": event, "written": now + place})
    if rows:
        connection.execute(sa.insert(EVENTS), rows)
        last = sa.select(EVENTS.c.written).where(of_profile).order_by(EVENTS.c.written.desc())
        oldest = last.offset(MAX_EVENTS).limit(1).scalar_subquery()
        connection.execute(sa.delete(EVENTS).where(of_profile & (EVENTS.c.written <= oldest)))
    return is_new
