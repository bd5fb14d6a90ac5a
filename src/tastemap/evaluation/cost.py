"""What a fit costs: seconds of the clock, and memory."""

import ctypes
import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # what the kernel's proc(5) has for it


@dataclass
class Cost:
    """The cost of a block of code, filled in when it ends.

    Attributes:
        seconds: Wall-clock time.
        memory_mb: How far the peak of the process's resident memory rose above what it had at the
            start, in units of 10^6 bytes; None where the system cannot tell. It counts everything
            that is needed at once: what the fit keeps and what it works with, in whichever library.
            Memory that an earlier block has freed but that its allocator holds back is given back
            first, where that is possible; the rest may be used again unseen, so that the figure is
            a lower bound, and one of a few MB is noise.
    """

    seconds: float = 0.0
    memory_mb: float | None = None


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure the seconds and the memory of a block of code.

    Memory is read from Linux's ``/proc``; on another system, or where it is closed, it is None.

    Example:
        >>> with measured() as cost:
        ...     numbers = sum(range(1000))
        >>> cost.seconds > 0
        True
    """
    cost = Cost()
    before = _resident_at_rest()
    started = time.perf_counter()
    try:
        yield cost
    finally:
        cost.seconds = time.perf_counter() - started
        peak = None if before is None else _status("VmHWM")
        if before is not None and peak is not None:
            cost.memory_mb = max(peak - before, 0) / 1e6


def _resident_at_rest() -> int | None:
    """Resident bytes once what is free has been given back, with the peak set down to them."""
    if not sys.platform.startswith("linux"):
        return None
    gc.collect()
    with suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
    try:
        _CLEAR.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return None
    return _status("VmRSS")


def _status(name: str) -> int | None:
    """A line of the process's status, in bytes."""
    with suppress(OSError, ValueError, IndexError):
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(f"{name}:"):
                return 1024 * int(line.split()[1])
    return None
