"""Admission: how many requests are at work at once, how many wait, and for how long.

A request waits with its body read, so that a slow client holds no place. One whose client has hung
up leaves the queue. Where the queue is full, or a place does not come free in time, the answer is
503 with Retry-After at once: the others are answered in time.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from starlette.types import Message, Receive

from tastemap.serve.settings import Limits
from tastemap.serve.web.errors import overloaded, too_large


class Gone(Exception):  # noqa: N818 - the client has hung up, which is no failure
    """The client has hung up, so that nobody waits for the answer."""


class Admission:
    """The places of one process, and the queue before them.

    Attributes:
        limits: How many places there are, and how many requests may wait for one.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._places = anyio.Semaphore(limits.running, max_value=limits.running)
        self._n_bytes = 0

    @asynccontextmanager
    async def place(self, receive: Receive, max_bytes: int) -> AsyncIterator["Place"]:
        """A place to answer one request in, with its body, of at most ``max_bytes``.

        Raises:
            Problem: With 413 for a longer body, 503 if there are too many requests.
            Gone: If the client hangs up before.
        """
        body = bytearray()
        place = Place(self._places, receive, body)
        try:
            await self._read(body, receive, max_bytes)
            await self._wait(receive)
            place.is_held = True
            yield place
        finally:
            self._n_bytes -= len(body)
            place.release()

    async def _read(self, body: bytearray, receive: Receive, max_bytes: int) -> None:
        """Read a body, as far as it and all the others may be long."""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            chunk = message.get("body", b"")
            body += chunk
            self._n_bytes += len(chunk)
            if len(body) > max_bytes:
                raise too_large(max_bytes)
            if self._n_bytes > self.limits.bodies:
                raise overloaded()
            more = message.get("more_body", False)

    async def _wait(self, receive: Receive) -> None:
        """Wait for a place, as long as the client does."""
        if self._places.value:
            self._places.acquire_nowait()
            return
        if self._places.statistics().tasks_waiting >= self.limits.waiting:
            raise overloaded()
        has_place = False
        with anyio.move_on_after(self.limits.wait) as waiting:
            async with anyio.create_task_group() as group:

                async def leave_with_client() -> None:
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    group.cancel_scope.cancel()

                group.start_soon(leave_with_client)
                await self._places.acquire()
                has_place = True
                group.cancel_scope.cancel()
        if not has_place:
            raise overloaded() if waiting.cancelled_caught else Gone


class Place:
    """A place at work: the body that was read, and the way to give the place back.

    Attributes:
        is_held: Whether it is one of the places, not yet given back.
    """

    def __init__(self, places: anyio.Semaphore, receive: Receive, body: bytearray) -> None:
        self._places, self._receive, self._body = places, receive, body
        self.is_held, self._is_read = False, False

    async def receive(self) -> Message:
        """The whole body, and after it what the client does."""
        if self._is_read:
            return await self._receive()
        self._is_read = True
        return {"type": "http.request", "body": bytes(self._body), "more_body": False}

    def release(self) -> None:
        """Give the place back; a client that reads slowly does not keep it."""
        if self.is_held:
            self.is_held = False
            self._places.release()
