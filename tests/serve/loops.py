"""Tests that are coroutines."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps

import anyio


def in_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """A test that runs in an event loop of its own, in a thread of its own.

    The thread of the tests may be that of a browser, which has a loop already.
    """

    @wraps(test)
    def run() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(anyio.run, test).result()

    del run.__wrapped__  # pytest would see the coroutine
    return run
