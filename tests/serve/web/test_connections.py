"""How much, how long and how many: a real server on a small application, asked by raw sockets."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace

import pytest
import uvicorn

from tastemap.serve.settings import Limits
from tastemap.serve.web.connections import Connections

LIMITS = Limits(head=4_096, seconds=1.0, connections=8, upload=100_000)
BIG = b"x" * 20_000_000
GET = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\nHost: a\r\nX-More: "
POST = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture(scope="module")
def served() -> Iterator[SimpleNamespace]:
    """A server whose ``/wait`` answers when it is let, ``/big`` at length, ``/deaf`` unheard."""
    state = SimpleNamespace(may_answer=threading.Event(), n_waiting=0)

    async def app(scope: dict, receive: object, send: object) -> None:
        path = scope["path"]
        if path not in ("/deaf", "/big"):
            while (await receive()).get("more_body"):
                pass
        if path == "/wait":
            state.n_waiting += 1
            while not state.may_answer.is_set():
                await asyncio.sleep(0.01)
            state.n_waiting -= 1
        body = BIG if path == "/big" else path.encode()
        length = str(len(body)).encode()
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]}
        )
        await send({"type": "http.response.body", "body": body})

    connections = Connections(LIMITS)
    config = uvicorn.Config(
        app, http=connections, ws="none", callback_notify=connections.close_late, lifespan="off",
        timeout_notify=1, timeout_graceful_shutdown=1, log_level="critical",
    )  # fmt: skip
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        state.address = listener.getsockname()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield state
        server.should_exit = True
        thread.join(timeout=20)


def opened(served: SimpleNamespace, sent: bytes = b"") -> socket.socket:
    client = socket.create_connection(served.address, timeout=20)
    client.sendall(sent)
    return client


def heard(client: socket.socket) -> bytes:
    """All that comes until the server closes."""
    parts = []
    try:
        while part := client.recv(1 << 20):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def is_cut_off(client: socket.socket, pieces: list[bytes], pause: float = 0.0) -> bool:
    """Whether the server closes before the client has sent all."""
    try:
        for piece in pieces:
            client.sendall(piece)
            time.sleep(pause)
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def answers(served: SimpleNamespace, path: bytes = b"/") -> bool:
    """Whether a new client is answered."""
    with closing(opened(served, GET % path)) as client:
        return client.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie: tastemap=" + b'\\"' * 5_000,
        b"GET /" + b"a" * 10_000,
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(2_000)),
    ],
    ids=["one header", "the address", "many headers"],
)
def test_a_long_head_is_refused_before_it_ends(served: SimpleNamespace, sent: bytes) -> None:
    with closing(opened(served, sent)) as client:
        head, _, body = heard(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close" in head.lower()
    assert json.loads(body)["error"]["code"] == "head_too_large"


def test_a_browser_whose_head_is_too_long_gets_a_page(served: SimpleNamespace) -> None:
    sent = b"GET / HTTP/1.1\r\nAccept: text/html\r\nCookie: " + b"a" * 10_000
    with closing(opened(served, sent)) as client:
        head, _, page = heard(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert b"content-type: text/html" in head.lower()
    assert b"A head, cookies included, has at most 4,096 bytes." in page


def test_a_head_of_the_whole_length_is_read(served: SimpleNamespace) -> None:
    head = GET % b"/"
    head = head[:-2] + b"X-More: " + b"x" * (LIMITS.head - len(head) - 10) + b"\r\n\r\n"
    with closing(opened(served, head)) as client:
        assert len(head) == LIMITS.head
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


def test_what_comes_too_slowly_or_not_at_all_is_not_waited_for(served: SimpleNamespace) -> None:
    halves = [HALF, b"", POST % (b"/", 100) + b"x", b"\r\n"]
    clients = [opened(served, half) for half in halves]
    with closing(opened(served, HALF)) as trickling:
        assert is_cut_off(trickling, [b"x"] * 300, pause=0.05)
    for client in clients:
        assert heard(client).startswith(b"HTTP/1.1 408 ")
        client.close()


def test_silent_clients_make_room_for_others(served: SimpleNamespace) -> None:
    clients = [opened(served, HALF) for _ in range(5 * LIMITS.connections)]
    assert answers(served)
    for client in clients:
        client.close()


def test_each_of_many_who_come_at_once_takes_the_room_of_another() -> None:
    """A closed connection is told so only when all who came with the newcomer are taken."""
    connections, closed = Connections(LIMITS), []

    class Silent:
        is_silent = True

        def __init__(self, since: int) -> None:
            self.since = since

        def abort(self) -> None:
            closed.append(self.since)

    assert all(connections.enter(Silent(n)) for n in range(LIMITS.connections + 3))
    assert closed == [0, 1, 2]


def test_clients_who_are_being_answered_do_not_make_room(served: SimpleNamespace) -> None:
    served.may_answer.clear()
    clients = [opened(served, GET % b"/wait") for _ in range(LIMITS.connections)]
    while served.n_waiting < LIMITS.connections:
        time.sleep(0.01)
    with closing(opened(served, GET % b"/")) as late:
        refused = heard(late)
    assert refused.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in refused.lower()
    served.may_answer.set()
    for client in clients:
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        client.close()
    assert answers(served)


def test_an_answer_that_nobody_reads_is_given_up(served: SimpleNamespace) -> None:
    with closing(opened(served, GET % b"/big")) as client:
        time.sleep(LIMITS.seconds + 2.5)
        assert len(heard(client)) < len(BIG)
    with closing(opened(served, (GET % b"/big").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))) as client:  # fmt: skip  # noqa: E501
        assert len(heard(client)) > len(BIG)


def test_a_body_goes_on_after_its_answer_for_so_long(served: SimpleNamespace) -> None:
    with closing(opened(served, POST % (b"/deaf", 10**9))) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        assert is_cut_off(client, [b"x" * 100_000] * 1_000)
    assert answers(served)


def test_what_is_no_http_is_refused_in_the_shape_of_every_error(served: SimpleNamespace) -> None:
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"a b c\r\n\r\n",
    ):
        with closing(opened(served, sent)) as client:
            head, _, body = heard(client).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert json.loads(body)["error"]["code"] == "bad_request"


def test_requests_sent_at_once_are_answered_in_turn(served: SimpleNamespace) -> None:
    served.may_answer.set()
    paths = [b"/wait", b"/b", b"/c"]
    with closing(opened(served, b"".join(GET % path for path in paths))) as client:
        received = b""
        while received.count(b"HTTP/1.1 200") < 3 or not received.endswith(b"/c"):
            received += client.recv(1000)
    assert [received.index(path) for path in paths] == sorted(map(received.index, paths))


def test_another_protocol_is_not_taken_up(served: SimpleNamespace) -> None:
    upgrade = (GET % b"/")[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    with closing(opened(served, upgrade)) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
