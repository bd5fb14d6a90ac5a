"""Whether the store can be had: what is wrong with it, since when, and how often that is said."""

import logging
import threading
import time
from typing import NamedTuple

import sqlalchemy as sa

from tastemap.errors import StoreError

log = logging.getLogger("tastemap.serve")
#: What can be wrong with a store, in words for anybody.
REASONS = {
    "busy": "too many changes of the same ratings at once",
    "damaged": "it does not hold what it should",
    "disk": "its disk fails",
    "full": "its disk is full",
    "gone": "its file is gone, or another stands in its place",
    "kind": "it is for a model of another kind",
    "locked": "another process has it locked",
    "read_only": "it cannot be written",
    "slow": "it takes too long to answer",
    "unreachable": "it does not answer",
}
# With these, it is worth a try to read.
READABLE = frozenset(("busy", "disk", "full", "locked", "read_only", "slow"))
# How the names of SQLite's errors begin, and the classes and codes of PostgreSQL's.
SQLITE_KINDS = {
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_FULL": "full",
    "SQLITE_IOERR": "disk",
    "SQLITE_READONLY": "read_only",
    "SQLITE_CANTOPEN": "gone",
}
POSTGRES_KINDS = {
    "40": "busy",
    "23": "busy",
    "42": "damaged",
    "53100": "full",
    "53300": "unreachable",
    "55P03": "locked",
    "57014": "slow",
    "25006": "read_only",
}
# A transaction that PostgreSQL gives up for the sake of another, and may be begun again:
# serialisation, deadlock; a profile that was entered or deleted in the middle of it.
CONFLICTS = frozenset(("40001", "40P01", "23503", "23505"))


class Outage(NamedTuple):
    """That the store cannot be had.

    Attributes:
        error: The first error of its kind.
        since: When it began, in seconds since 1970.
    """

    error: StoreError
    since: float


class Availability:
    """Whether the store can be had, as the last look at it or use of it said.

    Attributes:
        outage: What is wrong now; None where nothing is.
        is_watched: Whether somebody looks at the store again and again: then the log says what is
            wrong, and calls need not try in vain.
    """

    def __init__(self) -> None:
        self.outage: Outage | None = None
        self.is_watched = False
        self._logged: set[str] = set()
        self._changing = threading.Lock()

    def failed(self, error: StoreError) -> None:
        """Note that the store could not be used; said once for each kind of error."""
        if error.kind == "busy":  # other ratings can be written meanwhile
            return
        with self._changing:
            since = time.time() if self.outage is None else self.outage.since
            self.outage = Outage(error, since)
            is_new = error.kind not in self._logged
            self._logged.add(error.kind)
        if is_new and self.is_watched:
            log.warning("the store cannot be used: %s", error)

    def worked(self, *, writing: bool) -> None:
        """Note that something was written, or read; who can read may still not be able to write."""
        outage = self.outage
        if outage is None or (outage.error.kind in READABLE and not writing):
            return
        with self._changing:
            outage, self.outage = self.outage, None
            self._logged.clear()
        if outage is not None and self.is_watched:
            log.warning("the store works again, after %.0f seconds", time.time() - outage.since)

    def require(self, *, writing: bool) -> None:
        """Refuse at once what would wait in vain.

        Raises:
            StoreError: If the store cannot be had.
        """
        if not self.is_watched or (outage := self.outage) is None:
            return
        if writing or outage.error.kind not in READABLE:
            error = outage.error
            raise StoreError(error.what, error.kind, error.reason, str(error.received), error.do)


def store_error(url: sa.URL, kind: str, received: object, do: str = "") -> StoreError:
    """The error of a kind; what the database said is cut to its first line."""
    text = (str(received).splitlines() or [kind])[0]
    return StoreError(f"store {url.render_as_string()}", kind, REASONS[kind], text, do)


def kind_of(error: Exception) -> str:
    """The kind of an error of the database, its driver or the pool of its connections.

    Example:
        >>> kind_of(sa.exc.TimeoutError()), kind_of(FileNotFoundError())
        ('unreachable', 'unreachable')
    """
    original = getattr(error, "orig", None) or error
    if code := getattr(original, "sqlstate", None):
        return POSTGRES_KINDS.get(code) or POSTGRES_KINDS.get(code[:2]) or "unreachable"
    if name := getattr(original, "sqlite_errorname", None):
        kinds = (kind for start, kind in SQLITE_KINDS.items() if name.startswith(start))
        return next(kinds, "damaged")
    return "busy" if isinstance(error, sa.exc.NoResultFound) else "unreachable"


def is_conflict(error: Exception) -> bool:
    """Whether a transaction may succeed if it is begun again."""
    code = getattr(getattr(error, "orig", None), "sqlstate", None)
    is_cut_off = getattr(error, "connection_invalidated", False)
    return code in CONFLICTS or is_cut_off or isinstance(error, sa.exc.NoResultFound)
