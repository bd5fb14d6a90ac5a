"""What every request passes before it is answered, and the headers that every answer has."""

import hashlib
import hmac
import time
from collections import OrderedDict
from urllib.parse import quote, unquote

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tastemap.serve.settings import Settings
from tastemap.serve.web.admission import Admission, Gone, Place
from tastemap.serve.web.clients import counted_client, is_forwarded
from tastemap.serve.web.cookies import own_cookies
from tastemap.serve.web.errors import Problem, too_large
from tastemap.serve.web.prometheus import Counting
from tastemap.serve.web.rendering import refusal

LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))
# A client may spend so many seconds of its rate at once, and so many clients are remembered.
BURST_SECONDS, MAX_CLIENTS = 4.0, 20_000
API_KEY_HEADER = "X-API-Key"
# What is answered at once, however many requests wait: no model is asked.
UNQUEUED = ("/health/", "/metrics", "/static/")
# How a request is counted whose client hung up before it was answered.
CLIENT_GONE = 499
# Everything comes from this server, and nothing is written into a page that could run.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-cache, private"),
)


class IdConvertor(Convertor[str]):
    """An id in a path: one segment, in which any character may stand behind a percent sign."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """The id that a segment stands for."""
        try:
            return unquote(value, errors="strict")
        except UnicodeDecodeError:
            raise Problem(422, "invalid_argument", "an id is text in UTF-8") from None

    def to_string(self, value: str) -> str:
        """The segment that stands for an id."""
        return quote(value, safe="")


register_url_convertor("id", IdConvertor())


class Guard:
    """The outermost layer: refuses what need not be looked at, and adds the headers of safety.

    Paths are matched as they were sent, so that ``%2F`` in an id is not taken for a slash.
    """

    def __init__(self, app: ASGIApp, settings: Settings, counting: Counting) -> None:
        self.app, self.settings, self.counting = app, settings, counting
        self.admission = Admission(settings.limits)
        self.hosts = self._hosts()
        self.rate = None if settings.rate is None else Rate(settings.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = dict(scope)
        scope["path"] = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        scope["headers"] = own_cookies(scope["headers"])
        headers = dict(scope["headers"])
        start, status = time.perf_counter(), 500

        async def send_safely(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name.lower() for name, _ in message["headers"]}
                added = [pair for pair in HEADERS if pair[0] not in present]
                message = dict(message) | {"headers": [*message["headers"], *added]}
                if place is not None:  # the work is done: only the sending remains
                    place.release()
            await send(message)

        place: Place | None = None
        try:
            if (problem := self._problem(scope, headers)) is not None:
                raise problem
            if scope["path"].startswith(UNQUEUED):
                await self.app(scope, receive, send_safely)
                return
            async with self.admission.place(receive, self._max_bytes(headers)) as place:
                await self.app(scope, place.receive, send_safely)
        except Problem as problem:
            await refusal(problem, headers)(scope, receive, send_safely)
        except Gone:
            status = CLIENT_GONE
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self.counting.request(scope["method"], route, status, time.perf_counter() - start)

    def _problem(self, scope: Scope, headers: dict[bytes, bytes]) -> Problem | None:
        """Why a request is not looked at, or None."""
        host = headers.get(b"host", b"").decode("latin-1").rsplit(":", 1)
        name = host[0] if len(host) == 2 and host[1].isdigit() else ":".join(host)
        if self.hosts is not None and name.lower() not in self.hosts:
            return Problem(400, "unknown_host", "this server does not go by that name")
        client = scope.get("client")
        if self.rate is not None and not shows_key(headers, self.settings.api_key):
            wait = self.rate.wait(counted_client(client[0] if client else ""), time.monotonic())
            if wait:
                headers_of_wait = {"Retry-After": str(int(wait) + 1)}
                message = "slow down, and try again soon"
                return Problem(429, "too_many_requests", message, headers_of_wait)
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._max_bytes(headers):
            return too_large(self._max_bytes(headers))
        return None

    def _hosts(self) -> frozenset[str] | None:
        """The names that the server goes by, so that no page elsewhere can borrow one."""
        names = frozenset(name.lower() for name in self.settings.allowed_hosts)
        if self.settings.is_loopback:
            return LOOPBACK | names
        return names or None

    def _max_bytes(self, headers: dict[bytes, bytes]) -> int:
        """Bytes that the body of a request may have."""
        limits = self.settings.limits
        is_upload = headers.get(b"content-type", b"").startswith(b"multipart/form-data")
        return limits.upload if is_upload else limits.body


class Rate:
    """So many requests a second for each client, with a burst: a bucket of tokens each.

    Example:
        >>> rate = Rate(0.5)  # a burst of two
        >>> [rate.wait("a", now) for now in (0.0, 0.0, 0.0, 2.0)], rate.wait("b", 0.0)
        ([0.0, 0.0, 2.0, 0.0], 0.0)
    """

    def __init__(self, rate: float) -> None:
        self.rate, self.burst = rate, max(BURST_SECONDS * rate, 1.0)
        self._clients: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str, now: float) -> float:
        """Seconds that a client has to wait; 0 where its request may pass."""
        tokens, last = self._clients.pop(client, (self.burst, now))
        tokens = min(self.burst, tokens + (now - last) * self.rate)
        passes = tokens >= 1.0
        self._clients[client] = (tokens - 1.0 if passes else tokens, now)
        if len(self._clients) > MAX_CLIENTS:
            self._clients.popitem(last=False)
        return 0.0 if passes else (1.0 - tokens) / self.rate


def shows_key(headers: dict[bytes, bytes], key: str | None) -> bool:
    """Whether a request shows the API key; in the same time whatever it shows."""
    shown = headers.get(API_KEY_HEADER.lower().encode(), b"")
    if not shown:
        scheme, _, shown = headers.get(b"authorization", b"").partition(b" ")
        shown = shown if scheme.lower() == b"bearer" else b""
    if key is None:
        return False
    digests = (hashlib.sha256(value).digest() for value in (shown, key.encode()))
    return hmac.compare_digest(*digests)


async def check_key(request: Request) -> None:
    """Refuse a request to the API that does not show the key, where there is one.

    A server without a key answers this machine alone, and nothing that a proxy passes on.

    Raises:
        Problem: With status 401.
    """
    key, headers = request.app.state.settings.api_key, dict(request.scope["headers"])
    message = f"send the API key in the header {API_KEY_HEADER}"
    if key is None:
        message = "a proxy passed this on: start the server with --api-key-file for that"
    is_refused = is_forwarded(headers) if key is None else not shows_key(headers, key)
    if is_refused:
        raise Problem(401, "wrong_api_key", message, {"WWW-Authenticate": "Bearer"})
