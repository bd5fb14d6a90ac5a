"""Connections: how much, how long and how many, before a request is looked at.

Uvicorn's protocol reads a head of any length and waits for ever. The one here has limits:

    a head (request line and headers) of too many bytes   431, and the connection is closed
    a head, or a body, that comes too slowly              408, and the connection is closed
    an answer that the client does not read               the connection is closed
    one connection too many                               the one that has been silent longest
                                                          makes room; if all are at work: 503
"""

import asyncio
import enum
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from tastemap.serve.settings import Limits
from tastemap.serve.web.errors import Problem
from tastemap.serve.web.rendering import refusal

# Data is parsed in pieces of so many bytes: a head passes its limit by one piece at most.
BYTES_PER_PIECE = 4096
# A body that comes more slowly, in bytes a second, is late.
MIN_BODY_RATE = 8192
# Seconds for which a refused client may still send: closed at once, it might not see the answer.
MAX_SECONDS_OF_FAREWELL = 2.0
REASONS = {408: "request_timeout", 431: "head_too_large", 400: "bad_request", 503: "overloaded"}


class Phase(enum.Enum):
    """What a connection waits for."""

    IDLE = "another request"
    HEAD = "the rest of a head"
    BODY = "the rest of a body"
    ANSWER = "our answer"
    FAREWELL = "the client to close"


class Connections:
    """Makes the protocol of each connection, and closes those that wait too long.

    Uvicorn gets it as ``http``, and `close_late` as ``callback_notify``: called once a second.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._open: set[Connection] = set()

    def __call__(self, config: Config, server_state: ServerState, **options: Any) -> "Connection":
        """The protocol of a new connection."""
        return Connection(self, config=config, server_state=server_state, **options)

    def enter(self, connection: "Connection") -> bool:
        """Count a new connection; whether there is room for it."""
        is_full = len(self._open) >= self.limits.connections
        self._open.add(connection)
        if is_full:
            silent = [other for other in self._open if other.is_silent and other is not connection]
            if not silent:
                return False
            oldest = min(silent, key=lambda other: other.since)
            self.leave(oldest)  # at once: others that come before it is closed close another
            oldest.abort()
        return True

    def leave(self, connection: "Connection") -> None:
        """Count a connection no more."""
        self._open.discard(connection)

    async def close_late(self) -> None:
        """Close the connections whose time is up."""
        for connection in list(self._open):
            connection.check_time()


class Connection(HttpToolsProtocol):
    """One connection of a client, with limits on bytes and seconds.

    Attributes:
        phase: What it waits for.
        since: When that began, in seconds of the event loop.
    """

    def __init__(self, connections: Connections, **options: Any) -> None:
        super().__init__(**options)
        self._connections, self._limits = connections, connections.limits
        self._unread_since = 0.0  # when the client stopped reading an answer; 0: it reads
        self._enter(Phase.HEAD)

    @property
    def is_silent(self) -> bool:
        """Whether the client, and not the server, is to do something."""
        is_answering = self.cycle is not None and not self.cycle.response_complete
        return self.phase is not Phase.ANSWER and not is_answering

    def check_time(self) -> None:
        """Refuse or close the connection if its time is up."""
        now, seconds = self.loop.time(), self._limits.seconds
        if self._unread_since and now - self._unread_since > seconds:
            self.abort()
        elif self.flow.read_paused:  # it is the server that does not read
            self.since = now
        elif self.phase is Phase.FAREWELL and now - self.since > MAX_SECONDS_OF_FAREWELL:
            self.abort()
        elif self.phase is Phase.HEAD and now - self.since > seconds:
            self._refuse(408, f"a head is sent within {seconds:g} seconds")
        elif self.phase is Phase.BODY and now - self.since > seconds + self._n / MIN_BODY_RATE:
            self._refuse(408, f"a body is sent at {MIN_BODY_RATE:,} bytes a second, or faster")

    def abort(self) -> None:
        """Close the connection at once."""
        self.transport.abort()

    def shutdown(self) -> None:
        """Close the connection when the server stops: at once, or once it has answered.

        A stream of events has no end that would be worth waiting for.
        """
        super().shutdown()
        state = {} if self.cycle is None else self.cycle.scope.get("state", {})
        if state.get("is_stream"):
            self.abort()

    # ---- what the event loop says ----

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it if there are too many."""
        super().connection_made(transport)
        if not self._connections.enter(self):
            self._refuse(503, "too many connections at once")

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another."""
        self._connections.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has come, as far as the limits allow."""
        self._unset_keepalive_if_required()
        if self.phase is Phase.IDLE:
            self._enter(Phase.HEAD)
        for start in range(0, len(data), BYTES_PER_PIECE):
            if self.phase is Phase.FAREWELL or self.transport.is_closing():
                return
            self._parse(data[start : start + BYTES_PER_PIECE])

    def pause_writing(self) -> None:
        """The client has stopped reading."""
        self._unread_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._unread_since = 0.0
        super().resume_writing()

    # ---- what the parser says ----

    def on_message_begin(self) -> None:
        """A request begins."""
        if self.phase is not Phase.HEAD:
            self._enter(Phase.HEAD)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._enter(Phase.BODY)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body has come."""
        self._n += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole; it may have been answered before that."""
        self._enter(Phase.IDLE if self.cycle.response_complete else Phase.ANSWER)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A request is answered."""
        if self.phase is Phase.ANSWER and not self.pipeline:
            self._enter(Phase.IDLE)
        super().on_response_complete()

    # ---- limits ----

    def _enter(self, phase: Phase) -> None:
        self.phase, self.since, self._n = phase, self.loop.time(), 0

    def _parse(self, piece: bytes) -> None:
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            pass  # it is answered as if it had not asked for another protocol
        except httptools.HttpParserError:
            self._refuse(400, "this is no HTTP")
            return
        if self.phase is Phase.HEAD:
            self._n += len(piece)
            if self._n > self._limits.head:
                self._refuse(
                    431, f"a head, cookies included, has at most {self._limits.head:,} bytes"
                )
        elif self.phase is Phase.BODY and self._n > self._limits.upload:
            self.abort()  # it was answered long ago

    def _refuse(self, status: int, message: str) -> None:
        """Answer in place of the application, if nothing is being answered, and close."""
        cycle = self.cycle
        is_answering = cycle is not None and cycle.response_started and not cycle.response_complete
        if self.pipeline or is_answering:
            self.abort()
            return
        if cycle is not None:
            cycle.disconnected = True
            cycle.message_event.set()
        headers = {"Retry-After": "1"} if status == 503 else None
        problem = Problem(status, REASONS[status], message, headers)
        answer = refusal(problem, dict(self.headers or ()))
        lines = [b"%s: %s\r\n" % pair for pair in answer.raw_headers]
        head = [STATUS_LINE[status], *lines, b"connection: close\r\n\r\n"]
        self.transport.write(b"".join([*head, bytes(answer.body)]))
        self._enter(Phase.FAREWELL)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if (counting := self.app_state.get("counting")) is not None:
            counting.request("other", "other", status, 0.0)
