"""What a server is told when it starts."""

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from tastemap.errors import ArgumentError

N_RUNNING = (os.cpu_count() or 1) + 2


@dataclass(frozen=True)
class Limits:
    """How much one request, or one client, may ask for.

    Attributes:
        body: Bytes of a request's body.
        upload: Bytes of an uploaded export of ratings.
        batch: Ratings, or pairs, in one request.
        k: Length of a list of recommendations or neighbours, or of a page of items.
        rate: Requests a second of one client address, in the long run; None for no limit. By
            default there is none on loopback, and fifty elsewhere. Who shows the API key is not
            counted.
        head: Bytes of a request line and its headers.
        seconds: Seconds for a head to come, for a pause in a body, and for an answer to be read.
        connections: Connections of one process.
        running: Requests that one process answers at once; two more than there are processors, for
            those that wait for the store.
        waiting: Requests that wait until one of them is answered.
        wait: Seconds that they wait.
        bodies: Bytes of all bodies in memory.
    """

    body: int = 1_000_000
    upload: int = 20_000_000
    batch: int = 1_000
    k: int = 1_000
    rate: float | None = None
    head: int = 16_384
    seconds: float = 10.0
    connections: int = 1_000
    running: int = N_RUNNING
    waiting: int = 64
    wait: float = 5.0
    bodies: int = 100_000_000


@dataclass(frozen=True)
class Settings:
    """What a server is told when it starts.

    Attributes:
        model: Folder of the saved model.
        store: Where people's ratings are kept: a database URL, or the path of an SQLite file.
        host, port: The address to listen on; loopback unless told otherwise.
        api_key: The key that the API asks for; needed when the host is not loopback.
        allowed_hosts: Names, beside the loopback ones, that a request may call this server by.
        workers: Number of processes.
        limits: How much a request may ask for.

    Raises:
        ArgumentError: If the server would be reachable from elsewhere without an API key, or a
            number is out of its range.

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

    def __post_init__(self) -> None:
        if not self.is_loopback and not self.api_key:
            raise ArgumentError(
                "api_key",
                expected=f"a key, for {self.host} can be reached from other machines",
                received="none",
                do="put one into a file and name it with --api-key-file",
            )
        for name, lowest, highest in (("port", 0, 65_535), ("workers", 1, 256)):
            if not lowest <= (value := getattr(self, name)) <= highest:
                raise ArgumentError(name, expected=f"{lowest} to {highest}", received=value)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def store_url(self) -> str:
        """The store as a database URL."""
        return self.store if "://" in self.store else f"sqlite:///{self.store}"

    @property
    def rate(self) -> float | None:
        """Requests a second that one client address may make, or None."""
        if self.limits.rate is None and not self.is_loopback:
            return 50.0
        return self.limits.rate
