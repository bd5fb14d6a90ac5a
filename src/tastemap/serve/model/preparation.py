"""``Preparation``: what takes long is worked out once, beside the requests that wait for it."""

import logging
from collections.abc import Callable
from threading import Lock, Thread

from tastemap.errors import TastemapError

# A request waits so many seconds before it is told to come back.
MAX_SECONDS_OF_WAITING = 2.0
log = logging.getLogger("tastemap.serve")


class Preparation:
    """Work that the first request starts in a thread of its own, and that others do not repeat.

    Args:
        work: What is to be done; it keeps its own result.
        what: What is being done, for the message.

    Example:
        >>> done = []
        >>> preparation = Preparation(lambda: done.append(1), "counting")
        >>> preparation.require(), preparation.require(), done
        (None, None, [1])
    """

    def __init__(self, work: Callable[[], object], what: str) -> None:
        self._work, self._what = work, what
        self._lock, self._thread, self._is_done = Lock(), Thread(), False

    def require(self, seconds: float = MAX_SECONDS_OF_WAITING) -> None:
        """Wait for the end of the work, and start it if nobody has.

        Raises:
            TastemapError: If it takes longer; the work goes on. If it fails, the next call starts
                it anew.
        """
        if self._is_done:
            return
        with self._lock:
            if not self._thread.is_alive() and not self._is_done:
                # A server that ends does not wait for it.
                self._thread = Thread(target=self._run, daemon=True)
                self._thread.start()
            thread = self._thread
        thread.join(seconds)
        if not self._is_done:
            raise TastemapError(f"the server is {self._what}", do="ask again in a moment")

    def _run(self) -> None:
        try:
            self._work()
        except Exception:
            log.exception("%s failed", self._what)
            return
        self._is_done = True
