"""Target: raw bytes on the socket of a running server.

Each answer is well-formed HTTP and no fault of the server, and the server lives on. A request that
is cut short may wait for its rest, and then has no answer.
"""

import json
import re
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import tethered
from fuzzing import Target, corpus
from hypothesis import strategies as st
from pieces import Pieces, any_json, damaged, joined, whole
from servers import running
from small_models import save_small, text_ratings

# Seconds until a request that is not answered is taken for one that is cut short.
WAITING_SECONDS = 0.2
# Whatever was asked before, the server says within so many seconds that it lives.
MAX_SECONDS_TO_LIVE = 20
GET_PATHS = [
    "/",
    "/film/ID",
    "/map",
    "/map/data",
    "/map/me",
    "/map/near/ID",
    "/you",
    "/model",
    "/docs",
]
GET_PATHS += [
    "/you/ratings.csv",
    "/model/figures/history.png",
    "/static/style.css",
    "/openapi.json",
]
GET_PATHS += [
    "/metrics",
    "/health/ready",
    "/api/v1/items",
    "/api/v1/model",
    "/api/v1/map",
    "/together",
]
GET_PATHS += [f"/api/v1/items/ID{end}" for end in ("", "/similar", "/interested-users")]
USER = "/api/v1/users/ID"
GET_PATHS += [f"{USER}/{end}" for end in ("ratings", "ratings/ID", "recommendations", "similar")]
FORM_PATHS = ["/", "/film/ID", "/map/card/ID", "/together", "/you/import", "/you/import/keep"]
FORM_PATHS += ["/you/forget", "/you"]
ROUTES = [("GET", path) for path in GET_PATHS] + [("POST", path) for path in FORM_PATHS]
ROUTES += [("POST", f"/api/v1/{path}") for path in ("recommend", "predict", "explain", "items")]
ROUTES += [(method, f"{USER}/ratings") for method in ("POST", "PUT", "DELETE")]
ROUTES += [(method, f"{USER}/ratings/ID") for method in ("PUT", "DELETE")] + [("DELETE", USER)]
METHODS = ["GET", "POST", "PUT", "DELETE"]
ODD_METHODS = ["HEAD", "OPTIONS", "PATCH", "TRACE", "get", "CONNECT", "PRI", "\0"]
IDS = [
    "item 12",
    "a/b",
    "50%",
    "né ☃",
    "nul\0",
    "user/3",
    " ",
    ".",
    "..",
    "new",
    "\udfff",
    "x" * 300,
]
QUERIES = ["q=item", "n=3", "k=5", "genre=a", "year_from=1990", "min_ratings=2", "cursor=e30"]
QUERIES += [
    "novelty=1e400",
    "diversity=0.4",
    "diversity=nan",
    "calibrated=genres=0.5",
    "at_most=genres=1",
    "at_most=%00=",
    "exclude_seen=x",
    "cursor=%00",
    "q=%ff%fe",
    "reasons=1",
    "k=-1",
    "&&=&",
]
KEYS = ["ratings", "item_id", "rating", "k", "pairs", "user_id", "where", "genre", "novelty"]
KEYS += ["diversity", "calibrated", "at_most"]
HEADERS = [
    "X-API-Key: x",
    "If-None-Match: *",
    "Range: bytes=0-9",
    "Expect: 100-continue",
    "Transfer-Encoding: chunked",
    'Cookie: tastemap=x.y; a="\\\\"',
    "Content-Type: application/x-www-form-urlencoded",
    "Content-Type: multipart/form-data; boundary=b",
    "Accept: application/json",
    "Origin: null",
    "Sec-Fetch-Site: cross-site",
    "X-Forwarded-For: 1.2.3.4",
    "Host: other.example",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Content-Length: 3",
    "Content-Encoding: gzip",
    " folded",
    "é: é",
]
# Stand for the cookie and the token of a visit, which are others in each run.
VISIT = "COOKIE-OF-VISIT", "TOKEN-OF-VISIT"
FORMS = [
    f"csrf={VISIT[1]}&item=item+12&rating=4",
    f"csrf={VISIT[1]}&list=item+12+%3D+4&name=ann&method=average",
    f"csrf={VISIT[1]}&pick=item+12&pick=%00",
    f'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{VISIT[1]}\r\n'
    '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    "title,rating\r\na,5\r\n--b--",
    f"csrf={VISIT[1]}&first=9999999999999999999&kept=-1",
]
WORDS = [
    *METHODS,
    *ODD_METHODS,
    *HEADERS,
    *VISIT,
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/9.9",
    "\r\n\r\n",
    "%00",
    "%2F",
]


@st.composite
def requests(draw: st.DrawFn) -> Pieces:
    """A request that is right, or nearly: any method, route, query, headers and body."""
    method, path = draw(st.sampled_from(ROUTES))
    while "ID" in path:
        name = draw(st.sampled_from(IDS)).encode("utf-8", "surrogatepass")
        path = path.replace("ID", quote(name, safe=""), 1)
    query = "&".join(draw(st.lists(st.sampled_from(QUERIES), max_size=3)))
    headers = ["Host: 127.0.0.1", f"Cookie: {VISIT[0]}"]
    headers += draw(st.just([]) | st.lists(st.sampled_from(HEADERS), max_size=2))
    body = draw(st.sampled_from(["", *FORMS]) | any_body().map(json.dumps))
    if body.startswith("--b"):
        headers.append("Content-Type: multipart/form-data; boundary=b")
    elif body.startswith("csrf"):
        headers.append("Content-Type: application/x-www-form-urlencoded")
    elif body:
        headers.append("Content-Type: application/json")
    if draw(st.booleans()):
        headers.append(f"Content-Length: {len(body)}")
    elif body:
        headers.append("Transfer-Encoding: chunked")
        body = f"{len(body):x}\r\n{body}\r\n0\r\n\r\n"
    method = draw(st.sampled_from([method] * 20 + METHODS + ODD_METHODS))
    head = [f"{method} {path}{'?' + query if query else ''} HTTP/1.1", *headers]
    return whole("\r\n".join([*head, "", body]).encode())


def any_body() -> st.SearchStrategy[Any]:
    """JSON in the shapes that the routes expect, and in any other."""
    ids = st.sampled_from([*IDS, 7, 2**70])
    values = st.sampled_from([4, 4.5, -1, 1e308, "4", None, True])
    rated = st.lists(st.fixed_dictionaries({"item_id": ids, "rating": values}), max_size=3)
    facts = st.dictionaries(st.sampled_from(["genres", "year", "title", "x"]), values | ids)
    new = st.fixed_dictionaries({"item_id": ids}, optional={"title": ids, "facts": facts})
    pairs = st.lists(st.fixed_dictionaries({"user_id": ids, "item_id": ids}), max_size=3)
    return st.one_of(
        st.fixed_dictionaries({"ratings": rated}, optional={"k": values, "reasons": st.booleans()}),
        st.fixed_dictionaries({"rating": values}),
        st.fixed_dictionaries({"pairs": pairs}),
        st.fixed_dictionaries({"items": st.lists(new, max_size=3)}),
        st.fixed_dictionaries({"item_id": ids}, optional={"user_id": ids, "ratings": rated}),
        any_json(st.sampled_from([*IDS, 4.5]), KEYS),
    )


def filled(request: bytes, visit: tuple[bytes, bytes]) -> bytes:
    """A request with the cookie and token of a visit, and the length that they change."""
    for name, value in zip(VISIT, visit, strict=True):
        n = request.split(b"\r\n\r\n", 1)[-1].count(name.encode())
        length = re.search(rb"Content-Length: (\d+)", request)
        request = request.replace(name.encode(), value)
        if n and length:
            size = int(length[1]) + n * (len(value) - len(name))
            request = request.replace(length[0], b"Content-Length: %d" % size)
    return request


def answer_to(address: tuple[str, int], request: bytes) -> tuple[int, bytes] | None:
    """Status and body of the first answer; None where the request waits for its rest.

    Raises:
        http.client.HTTPException: If the answer is not well-formed.
    """
    method = request.split(b" ", 1)[0].decode("latin-1")
    with socket.create_connection(address, timeout=30) as line:
        try:
            line.sendall(request)
            line.settimeout(WAITING_SECONDS)
            if not line.recv(1, socket.MSG_PEEK):
                return None  # closed without an answer: no request was in it
            line.settimeout(30)
            response = HTTPResponse(line, method=method)
            response.begin()
            assert not response.headers.defects
            body = response.read()
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            return None
        return response.status, body


@contextmanager
def exchanges() -> Iterator[Target]:
    """Talks to a server of its own."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        model = save_small(text_ratings(), folder / "model")
        with running(model, folder, program=(tethered.__file__,)) as server:
            stderr: list[str] = []
            threading.Thread(
                target=lambda: stderr.extend(server.process.stderr), daemon=True
            ).start()
            place = urlsplit(server.url)
            address = str(place.hostname), int(place.port or 80)
            page = httpx.get(f"{server.url}/you")
            token = re.search(r'name="csrf" value="([^"]+)"', page.text)
            cookie = page.headers["set-cookie"].partition(";")[0]
            visit = cookie.encode(), token[1].encode() if token else b""

            def run(example: Pieces) -> None:
                answer = answer_to(address, filled(joined(example), visit))
                if answer is not None:
                    status, body = answer
                    assert status < 500 or status == 503, (
                        status,
                        body[:200],
                        "".join(stderr)[-2000:],
                    )
                with closing(HTTPConnection(*address, timeout=MAX_SECONDS_TO_LIVE)) as probe:
                    probe.request("GET", "/health/live")
                    assert probe.getresponse().status == 200
                assert server.process.poll() is None

            seeds = st.sampled_from(
                [*corpus("exchanges"), ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"]]
            )
            yield Target(requests() | damaged(requests() | seeds, WORDS), run)
