"""Rooms of Together: everybody on their own device, and what suits them all, as they rate."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from anyio.to_thread import run_sync
from fastapi import Form, Request
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.responses import Response

from tastemap.errors import StoreError, UnknownIdError
from tastemap.serve.answers.alike import Alike
from tastemap.serve.answers.group import METHODS, GroupPicks
from tastemap.serve.people.rooms import Room, Rooms
from tastemap.serve.settings import Limits
from tastemap.serve.web.errors import Problem, overloaded
from tastemap.serve.web.rendering import (
    GET_AND_POST,
    CurrentVisit,
    FormChange,
    FormText,
    Visit,
    page_router,
)
from tastemap.serve.web.requests import IdInPath, Text

#: Items that are found for a room, and offered to who has rated none.
N_PICKS, N_OFFERED = 12, 8
# Seconds between two looks at a room, between two signs of life, and of one stream: a browser
# opens another by itself.
SECONDS_BETWEEN_LOOKS, SECONDS_BETWEEN_SIGNS, SECONDS_OF_STREAM = 1.5, 15.0, 600.0
MAX_CHARACTERS_OF_NAME = 60

router = page_router()
# The streams of this process.
_streams: set[object] = set()

Name = Annotated[str, Form(max_length=Limits.text_length)]


class Present(NamedTuple):
    """Somebody in a room, as another sees them: ``alike`` is None of oneself, or if unknown."""

    name: str
    n_marked: int
    is_you: bool
    alike: Alike | None


@router.post("/together/rooms")
def open_room(visit: CurrentVisit, name: Name = "", csrf: FormText = "") -> Response:
    """Open a room, and go there."""
    visit.check(csrf)
    address = visit.service.rooms.open(visit.key, _shown_name(name))
    return visit.again(f"/together/{address}")


@router.api_route("/together/{address:id}", methods=GET_AND_POST)
def room_page(
    visit: CurrentVisit,
    change: FormChange,
    address: IdInPath,
    name: Name = "",
    do: FormText = "",
    csrf: FormText = "",
    method: Text = METHODS[0],
) -> Response:
    """A room: who is in it, how alike they are, and what suits them all."""
    rooms = visit.service.rooms
    room = _room(visit, address)
    if change.apply(visit) and not visit.is_live:
        return visit.again()
    if visit.request.method == "POST" and do:
        visit.check(csrf)
        if do == "leave":
            rooms.leave(address, visit.key)
            return visit.again("/together")
        rooms.join(address, visit.key, _shown_name(name))
        return visit.again()
    is_member = room.name_of(visit.key) is not None
    method = method if method in METHODS else METHODS[0]
    present, picks = _together(visit, room, method) if is_member else ([], None)
    return visit.page(
        "room.html",
        "Together",
        room=room,
        link=f"{str(visit.request.base_url).rstrip('/')}/together/{room.address}",
        until=datetime.fromtimestamp(room.until, UTC),
        is_member=is_member,
        name=room.name_of(visit.key) or "",
        present=present,
        picks=picks,
        method=method,
        offered=_offered(visit) if is_member else None,
        state=rooms.state(address),
    )


@router.get("/together/{address:id}/events")
async def room_events(request: Request, address: IdInPath, state: Text = "") -> Response:
    """Tell a page of a room of each change since a state: server-sent events."""
    visit = Visit(request)
    room = await run_sync(_room, visit, address)
    if room.name_of(visit.key) is None:
        raise Problem(403, "not_in_the_room", "come into the room first")
    if len(_streams) >= Limits.streams:
        raise overloaded()
    # Connections that stream are closed when the server stops; see `Connection.shutdown`.
    request.state.is_stream = True
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    state = request.headers.get("last-event-id", state)  # a browser that has lost the stream
    return EventSourceResponse(_changes(visit.service.rooms, address, state), headers=headers)


async def _changes(rooms: Rooms, address: str, seen: str) -> AsyncIterator[bytes]:
    """An event for each change, and a sign of life where there is none for a while."""
    stream = object()
    _streams.add(stream)
    signed = time.monotonic()
    end = signed + SECONDS_OF_STREAM
    try:
        while time.monotonic() < end:
            with suppress(StoreError):  # it comes back
                state = await run_sync(rooms.state, address)
                if state is None:
                    yield format_sse_event(event="over", data_str="")
                    return
                if state != seen:
                    yield format_sse_event(id=state, data_str="changed")
                    seen, signed = state, time.monotonic()
            if time.monotonic() - signed > SECONDS_BETWEEN_SIGNS:
                yield format_sse_event(comment="open")
                signed = time.monotonic()
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
    finally:
        _streams.discard(stream)


def _room(visit: Visit, address: str) -> Room:
    try:
        return visit.service.rooms.room(address)
    except UnknownIdError:
        message = "this room is gone, or there never was one; open another under Together"
        raise Problem(404, "no_room", message) from None


def _together(visit: Visit, room: Room, method: str) -> tuple[list[Present], GroupPicks | None]:
    """Who is in a room, and what is found for those who have rated something."""
    service, present, group = visit.service, list[Present](), dict[str, str]()
    for member in room.members:
        is_you, n_marked = member.key == visit.key, service.profiles.count(member.key)
        alike = None if is_you else service.alike(visit.profile, member.key)
        present.append(Present(member.name, n_marked, is_you, alike))
        if n_marked:
            label = member.name if member.name not in group else f"{member.name} ({len(group) + 1})"
            group[label] = member.key
    picks = service.group(group, method=method, k=N_PICKS) if group else None
    return present, picks


def _offered(visit: Visit) -> list[object]:
    """What to rate first, for who has rated nothing."""
    if visit.n_rated:
        return []
    rows = {row.key: row.items for row in visit.service.rows(visit.profile, N_OFFERED)}
    return [*rows.get("rate-next", rows.get("popular", ()))]


def _shown_name(name: str) -> str:
    return " ".join(name.split())[:MAX_CHARACTERS_OF_NAME] or "somebody"
