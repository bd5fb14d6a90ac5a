"""What a server is told when it starts, and what bounds the work of a request."""

import dataclasses
import ipaddress
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from tastemap.data.nouns import noun_called
from tastemap.errors import ArgumentError

# What --rate-limit may be: less is no service, and more is no limit.
MIN_RATE, MAX_RATE = 0.01, 1e6
# The least weight of interactions, without its sign; a sum nearer to 0 says nothing.
MIN_WEIGHT = 1e-6
# Requests a second of one client where other machines can reach the server.
DEFAULT_PUBLIC_RATE = 50.0
# Requests at work in one process.
N_RUNNING = (os.cpu_count() or 1) + 2


@dataclass(frozen=True)
class Limits:
    """How much one request, or one client, may ask for.

    From ``body`` to ``bodies`` they are told to a server when it starts. From ``k`` on they are the
    same for every server: clients can rely on them, and ``/openapi.json`` says them.

    Attributes:
        body: Bytes of a request's body.
        upload: Bytes of an uploaded export of ratings.
        rate: Requests a second of one client, in the long run; None for the default, which is none
            where only this machine can reach the server, and fifty elsewhere. A client is an IPv4
            address or a /64 network of IPv6; who shows the API key is not counted.
        head: Bytes of a request line and its headers.
        seconds: Seconds for a head to come, for a pause in a body, and for an answer to be read.
        connections: Connections of one process.
        running: Requests that one process answers at once; two more than there are processors, for
            those that wait for the store.
        waiting: Requests that wait until one of them is answered.
        wait: Seconds that they wait.
        bodies: Bytes of all bodies in memory.
        k: Length of a list of recommendations or neighbours, or of a page of items.
        reasons: Length of a list of recommendations that gives a reason for each.
        columns: Columns that a list is calibrated by, or has caps of.
        batch: Ratings, or pairs, in one request.
        users: Different users in one request for predictions; each is folded in anew.
        profile: Ratings, or items with interactions, that are kept of one person.
        weight: Size of a weight of interactions, and of their sum.
        id_length: Characters of the id of a user or an item.
        text_length: Characters of a search, of a cursor, of any other field that is text.
        members: People who write a list for a group.
        list_length, list_lines: Characters and lines of such a list.
        picks: Ratings of an export that are kept at once.
        fields: Fields of a form, its picks aside.
        facts: Facts of a new item.
        fact_length, values: Characters of a fact that is text; values of one that is a list.
        gap: Seconds since a person was there last.
        rooms, room_members: Rooms that are open at a time, and people in one.
        streams: Pages of one process that a room tells at once of what changes in it.
        tags: Tags of ``If-None-Match`` that are compared; further ones are not looked at.

    Raises:
        ArgumentError: If a number is out of its range.
    """

    body: int = 1_000_000
    upload: int = 20_000_000
    rate: float | None = None
    head: int = 16_384
    seconds: float = 10.0
    connections: int = 1_000
    running: int = N_RUNNING
    waiting: int = 64
    wait: float = 5.0
    bodies: int = 100_000_000

    k: ClassVar[int] = 1_000
    reasons: ClassVar[int] = 100
    columns: ClassVar[int] = 8
    batch: ClassVar[int] = 1_000
    users: ClassVar[int] = 50
    profile: ClassVar[int] = 10_000
    weight: ClassVar[float] = 1e6
    id_length: ClassVar[int] = 500
    text_length: ClassVar[int] = 300
    members: ClassVar[int] = 6
    list_length: ClassVar[int] = 200_000
    list_lines: ClassVar[int] = 2_000
    picks: ClassVar[int] = 5_000
    fields: ClassVar[int] = 30
    facts: ClassVar[int] = 100
    fact_length: ClassVar[int] = 10_000
    values: ClassVar[int] = 1_000
    gap: ClassVar[float] = 1e10
    rooms: ClassVar[int] = 10_000
    room_members: ClassVar[int] = 30
    streams: ClassVar[int] = 200
    tags: ClassVar[int] = 50

    def __post_init__(self) -> None:
        for name, usual in USUAL_LIMITS.items():
            _check_limit(name, getattr(self, name), usual)
        if self.rate is not None and not MIN_RATE <= self.rate <= MAX_RATE:
            raise ArgumentError(
                "rate",
                expected=f"a number of requests a second from {MIN_RATE:g} to {MAX_RATE:,.0f}",
                received=self.rate,
                do="leave --rate-limit out for the default",
            )


# The limits that a server is told, the rate aside, which may be None.
USUAL_LIMITS: dict[str, Any] = {
    field.name: field.default for field in dataclasses.fields(Limits) if field.name != "rate"
}


def _check_limit(name: str, value: object, usual: float) -> None:
    """Refuse what is no number of the kind of the usual one, or allows nothing."""
    if isinstance(usual, int):
        least = 0 if name == "waiting" else 1  # nobody has to be let wait
        fits, what = isinstance(value, int) and value >= least, f"a whole number, {least} or more"
    else:
        fits, what = isinstance(value, int | float) and 0 < value < math.inf, "a number above 0"
    if not fits:
        raise ArgumentError(name, expected=what, received=repr(value))


@dataclass(frozen=True)
class Settings:
    """What a server is told when it starts.

    Attributes:
        model: Folder of the saved model.
        store: Where people's ratings are kept: a database URL, or the path of an SQLite file.
        host, port: The address to listen on; loopback unless told otherwise.
        api_key: The key that the API asks for; needed where other machines can reach the server.
        allowed_hosts: Names, beside the loopback ones, that a request may call this server by.
        workers: Number of processes.
        limits: How much a request may ask for.
        trusted_proxies: Addresses or networks of proxies, whose ``X-Forwarded-For`` and
            ``X-Forwarded-Proto`` are believed. Nobody else's are.
        event_weights: What each kind of event adds to the weight of a person's interactions with
            an item; 0 for what does not count.
        noun: What an item is called, if not as the model's data says.

    Raises:
        ArgumentError: If the server would be reachable from elsewhere without an API key, or a
            number or an address is out of its range.

    Example:
        >>> Settings(Path("model")).store_url
        'sqlite:///ratings.db'
        >>> Settings(Path("model"), host="0.0.0.0")
        Traceback (most recent call last):
        ...
        tastemap.errors.ArgumentError: api_key; expected a key, for 0.0.0.0 can be reached from ...
    """

    model: Path
    store: str = "ratings.db"
    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    workers: int = 1
    limits: Limits = Limits()
    trusted_proxies: tuple[str, ...] = ()
    event_weights: Mapping[str, float] = field(default_factory=dict)
    noun: str = ""

    def __post_init__(self) -> None:
        if self.noun:
            noun_called(self.noun)
        for kind, weight in self.event_weights.items():
            if not abs(weight) <= Limits.weight:
                raise ArgumentError(
                    f"weight of the event {kind}",
                    expected=f"a number of at most {Limits.weight:,.0f}, or below 0 as far",
                    received=weight,
                )
        for proxy in self.trusted_proxies:
            _check_proxy(proxy)
        if self.is_public and not self.api_key:
            raise ArgumentError(
                "api_key",
                expected=f"a key, for {self._way_in} can be reached from other machines",
                received="none",
                do="put one into a file and name it with --api-key-file",
            )
        for name, lowest, highest in (("port", 0, 65_535), ("workers", 1, 256)):
            if not lowest <= (value := getattr(self, name)) <= highest:
                raise ArgumentError(name, expected=f"{lowest} to {highest}", received=value)

    @property
    def is_loopback(self) -> bool:
        """Whether the address that the server listens on is one of this machine alone."""
        return _is_loopback(self.host)

    @property
    def is_public(self) -> bool:
        """Whether other machines can reach the server, be it through a proxy on this one."""
        return self._way_in is not None

    @property
    def _way_in(self) -> str | None:
        """What other machines reach the server by: its address, its name, or a proxy."""
        if not self.is_loopback:
            return self.host
        for name in self.allowed_hosts:
            if not _is_loopback(name):
                return name
        return f"a server behind {self.trusted_proxies[0]}" if self.trusted_proxies else None

    @property
    def store_url(self) -> str:
        """The store as a database URL."""
        return self.store if "://" in self.store else f"sqlite:///{self.store}"

    @property
    def rate(self) -> float | None:
        """Requests a second that one client may make, or None."""
        if self.limits.rate is None and self.is_public:
            return DEFAULT_PUBLIC_RATE
        return self.limits.rate


def _is_loopback(name: str) -> bool:
    """Whether a name or an address is one of this machine alone."""
    name = name.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _check_proxy(proxy: str) -> None:
    """Refuse what is no address or network, or the network of everybody."""
    try:
        n_fixed_bits = ipaddress.ip_network(proxy).prefixlen
    except ValueError:
        n_fixed_bits = 0
    if not n_fixed_bits:
        raise ArgumentError(
            "trusted_proxies",
            expected="addresses or networks, such as 10.0.0.5 or 10.0.0.0/24",
            received=repr(proxy),
            do="name each proxy by its address with --trusted-proxy",
        )
