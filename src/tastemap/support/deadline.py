"""A deadline for work: loops ask whether it is over, end early, and leave what they have."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Deadline:
    """The end of the time for a piece of work.

    Attributes:
        end: Seconds on the clock of `time.monotonic`; infinite without a limit.
        begin: The same clock when the work began; infinite outside of a block.
        outer: The deadline around this one, or None.
        stopped: Steps that the last loop it stopped had done, and steps planned; None if it has
            stopped no loop.
    """

    end: float = math.inf
    begin: float = math.inf
    outer: "Deadline | None" = None
    stopped: tuple[int, int] | None = None

    @property
    def seconds_left(self) -> float:
        """Seconds until the end, at least 0."""
        return max(self.end - time.monotonic(), 0.0)

    @property
    def seconds_passed(self) -> float:
        """Seconds since the beginning."""
        return max(time.monotonic() - self.begin, 0.0)

    def is_over(self, done: int, planned: int) -> bool:
        """Whether a loop must stop here; a loop that has done all its steps is not stopped.

        Any thread may ask.

        Args:
            done: Steps that the loop has done.
            planned: Steps that it would do.
        """
        if done >= planned or time.monotonic() < self.end:
            return False
        self.stop(done, planned)
        return True

    def stop(self, done: int, planned: int) -> None:
        """Note that a loop stops after some of its steps, here and in the deadlines around."""
        limit: Deadline | None = self
        while limit is not None:
            limit.stopped = (done, planned)
            limit = limit.outer


_CURRENT: ContextVar[Deadline] = ContextVar("deadline", default=Deadline())  # noqa: B039


@contextmanager
def deadline(seconds: float = math.inf) -> Iterator[Deadline]:
    """Let the fits in a block end early, with what they have learnt, when the time is over.

    A fit does at least one iteration, and work that has no iterations takes the time that it takes.
    Of deadlines inside each other the earliest counts. Other threads know nothing of it, unless
    they are given the `Deadline`.

    Args:
        seconds: Time from now on; by default only the deadlines around this one count.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> from tastemap.models.registry import make_model
        >>> with deadline(0) as limit:
        ...     model = make_model("mf").fit(synthetic_ratings(), progress=False)
        >>> model.stopped_, limit.stopped
        ((1, 20), (1, 20))
    """
    outer = _CURRENT.get()
    now = time.monotonic()
    limit = Deadline(min(outer.end, now + seconds), now, outer)
    token = _CURRENT.set(limit)
    try:
        yield limit
    finally:
        _CURRENT.reset(token)


def current() -> Deadline:
    """The deadline of the work that is being done; without a block around it, one without an end.

    Example:
        >>> current().seconds_left
        inf
    """
    return _CURRENT.get()


def is_over(done: int, planned: int) -> bool:
    """`Deadline.is_over` of the current deadline: one line of a loop, after a step.

    Example:
        >>> with deadline(0):
        ...     is_over(2, 10), is_over(10, 10)
        (True, False)
    """
    return current().is_over(done, planned)
