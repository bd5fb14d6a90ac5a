"""Places, the queue before them, and who leaves it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
from loops import in_loop

from tastemap.serve.settings import Limits
from tastemap.serve.web.admission import Admission, Gone
from tastemap.serve.web.errors import Problem

LIMITS = Limits(running=2, waiting=2, wait=0.2, bodies=100)


class Client:
    """Sends a body in pieces, and hangs up when it is told."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.has_gone = list(pieces or (b"",)), anyio.Event()

    async def receive(self) -> dict:
        if self.pieces:
            piece = self.pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}
        await self.has_gone.wait()
        return {"type": "http.disconnect"}


@asynccontextmanager
async def full(admission: Admission) -> AsyncIterator[AsyncExitStack]:
    """All places taken, to be given back by the stack."""
    async with AsyncExitStack() as stack:
        for _ in range(admission.limits.running):
            await stack.enter_async_context(admission.place(Client().receive, 10))
        yield stack


async def outcome(admission: Admission, client: Client, max_bytes: int = 50) -> str:
    try:
        async with admission.place(client.receive, max_bytes) as place:
            return (await place.receive())["body"].decode()
    except Problem as problem:
        return (
            problem.code if problem.status == 413 or problem.headers["Retry-After"] else "for ever"
        )
    except Gone:
        return "gone"


@in_loop
async def test_a_body_is_read_whole_and_given_once() -> None:
    admission, client = Admission(LIMITS), Client(b"ab", b"cd")
    async with admission.place(client.receive, 10) as place:
        assert await place.receive() == {
            "type": "http.request",
            "body": b"abcd",
            "more_body": False,
        }
        client.has_gone.set()
        assert (await place.receive())["type"] == "http.disconnect"


@in_loop
async def test_who_waits_is_answered_when_a_place_is_free() -> None:
    admission, outcomes = Admission(LIMITS), []

    async def ask(client: Client) -> None:
        outcomes.append(await outcome(admission, client))

    async with anyio.create_task_group() as group, full(admission):
        group.start_soon(ask, Client(b"a"))
        group.start_soon(ask, Client(b"b"))
        await anyio.sleep(0.05)
        assert await outcome(admission, Client()) == "overloaded"  # two wait already
        assert outcomes == []
    assert outcomes == ["a", "b"]
    assert await outcome(admission, Client(b"c")) == "c"


@in_loop
async def test_nobody_waits_longer_than_the_limit() -> None:
    admission = Admission(LIMITS)
    async with full(admission):
        assert await outcome(admission, Client()) == "overloaded"
    assert await outcome(admission, Client(b"a")) == "a"


@in_loop
async def test_who_hangs_up_leaves_the_queue() -> None:
    admission, client, outcomes = Admission(LIMITS), Client(), []

    async def ask() -> None:
        outcomes.append(await outcome(admission, client))

    async with anyio.create_task_group() as group, full(admission):
        group.start_soon(ask)
        await anyio.sleep(0.05)
        client.has_gone.set()
        await anyio.sleep(0.05)
        assert outcomes == ["gone"]
    # Nobody took a place along.
    async with full(admission):
        pass


@in_loop
async def test_who_hangs_up_in_the_middle_of_a_body_is_not_answered() -> None:
    client = Client(b"ab")
    client.pieces = []
    client.has_gone.set()
    assert await outcome(Admission(LIMITS), client) == "gone"


@in_loop
async def test_bodies_have_a_limit_each_and_together() -> None:
    admission = Admission(LIMITS)
    assert await outcome(admission, Client(b"a" * 30, b"a" * 30)) == "too_large"
    async with admission.place(Client(b"a" * 60).receive, 100):
        assert await outcome(admission, Client(b"a" * 50)) == "overloaded"
        assert await outcome(admission, Client(b"a" * 40)) == "a" * 40
    assert await outcome(admission, Client(b"a" * 50)) == "a" * 50


@in_loop
async def test_a_place_may_be_given_back_before_the_answer_is_read() -> None:
    admission = Admission(Limits(running=1, waiting=0))
    async with admission.place(Client().receive, 10) as place:
        assert await outcome(admission, Client(b"a")) == "overloaded"
        place.release()
        place.release()
        assert await outcome(admission, Client(b"a")) == "a"
    assert await outcome(admission, Client(b"b")) == "b"
