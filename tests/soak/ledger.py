"""What a server has acknowledged, held against what it has kept."""

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

# Answers that are none of a fault: done, refused, or not now.
EXPECTED_STATUSES = frozenset((404, 409, 422, 429, 503))
N_ITEMS, MAX_SECONDS_TO_SETTLE = 80, 60.0


class Address(Protocol):
    """A server that can be asked, as long as it is not meant to be dead."""

    url: str


@dataclass
class Tally:
    """What has come of the writes of a phase.

    Attributes:
        times: Kills, locks, fillings, or what else was done to the server.
        acknowledged: Writes that were answered with success.
        lost: Ratings that are not as the last acknowledged write left them.
        unexpected: Answers that should not be, by their status or name.
    """

    times: int = 0
    acknowledged: int = 0
    lost: int = 0
    unexpected: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.times + other.times,
            self.acknowledged + other.acknowledged,
            self.lost + other.lost,
            self.unexpected + other.unexpected,
        )

    @property
    def is_sound(self) -> bool:
        """Whether nothing was lost, and no answer was a fault."""
        return not self.lost and not self.unexpected


Ratings = dict[str, float]


class Writer:
    """One user who writes all the time, and remembers what must be there.

    Attributes:
        ratings: The ratings as the last acknowledged write left them.
        pending: As they are if a write that was not answered has been done; None without one.
        tally: What has come of the writes.
    """

    def __init__(self, user: str) -> None:
        self.user = user
        self.ratings: Ratings = {}
        self.pending: Ratings | None = None
        self.tally = Tally()
        self._random = random.Random(user)  # noqa: S311 - no secret
        self._connection: HTTPConnection | None = None

    def write(self, server: Address, stopped: threading.Event) -> None:
        """Write one thing after another, until told to stop."""
        while not stopped.is_set():
            method, path, body, after = self._draw()
            self.pending = after
            status = self._ask(server, method, path, body)[0]
            if status is None:
                if stopped.is_set():
                    break
                self.tally.unexpected["closed"] += 1
            elif 200 <= status < 300:
                self.ratings, self.pending = after, None
                self.tally.acknowledged += 1
            elif status not in EXPECTED_STATUSES:
                self.tally.unexpected[str(status)] += 1
            elif status != 503:
                self.pending = None
            if self.pending is not None:
                self.settle(server, stopped)
        self._close()

    def settle(self, server: Address, stopped: threading.Event | None = None) -> None:
        """Compare what is kept with what must be there, and go on from what is kept.

        A write without an answer may have been done or not.
        """
        end = time.monotonic() + MAX_SECONDS_TO_SETTLE
        while not (stopped and stopped.is_set()):
            status, answer = self._ask(server, "GET", self._path())
            if status == 200:
                rated = {str(r["item_id"]): r["rating"] for r in answer["ratings"]}
                self.tally.lost += self.n_lost(rated)
                self.ratings, self.pending = rated, None
                return
            if status is not None and status not in EXPECTED_STATUSES:
                self.tally.unexpected[str(status)] += 1
            if time.monotonic() > end:
                self.tally.unexpected["no answer"] += 1
                return
            time.sleep(0.05)

    def n_lost(self, rated: Ratings) -> int:
        """The number of items whose ratings are neither as before nor as after the last write."""
        states = [self.ratings] + ([] if self.pending is None else [self.pending])
        return min(len(rated.items() ^ state.items()) for state in states)

    def _draw(self) -> tuple[str, str, Any, Ratings]:
        """A request, and the ratings that it leaves."""
        chance, several = self._random.random(), self._draw_ratings(self._random.randint(0, 5))
        ((item, rating),) = self._draw_ratings(1).items()
        body = {"ratings": [{"item_id": i, "rating": value} for i, value in several.items()]}
        if chance < 0.5:
            return "PUT", self._path(item), {"rating": rating}, self.ratings | {item: rating}
        if chance < 0.65:
            left = {i: value for i, value in self.ratings.items() if i != item}
            return "DELETE", self._path(item), None, left
        if chance < 0.85:
            return "POST", self._path(), body, self.ratings | several
        if chance < 0.95:
            return "PUT", self._path(), body, several
        return "DELETE", self._path().removesuffix("/ratings"), None, {}

    def _draw_ratings(self, n: int) -> Ratings:
        items = self._random.sample(range(1, N_ITEMS + 1), n)
        return {str(item): float(self._random.randint(1, 5)) for item in items}

    def _path(self, item: str = "") -> str:
        return f"/api/v1/users/{quote(self.user)}/ratings" + (f"/{item}" if item else "")

    def _ask(
        self, server: Address, method: str, path: str, body: Any = None
    ) -> tuple[int | None, Any]:
        """Status and body of an answer; None where there was none."""
        if self._connection is None:
            self._connection = HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            self._connection.request(method, path, body and json.dumps(body), headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, HTTPException):
            self._close()
            return None, None
        return answer.status, json.loads(text) if text and answer.status == 200 else None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
