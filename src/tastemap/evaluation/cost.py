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
_RESET_PEAK = "5"  # see clear_refs in proc(5)


@dataclass
class Cost:
    """The cost of a block of code, filled in when it ends.

    Attributes:
        seconds: Wall-clock time.
        memory_mb: Rise of the peak of the process's resident memory above its value at the start,
            in units of 10^6 bytes; None if the system does not report it. It counts all memory in
            use at once: results and work space, in every library. Memory that an earlier block has
            freed is first returned to the system if possible. The allocator may reuse the rest
            unseen, so the figure is a lower bound, and a figure of a few MB is noise.
    """

    seconds: float = 0.0
    memory_mb: float | None = None


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure the seconds and the memory of a block of code.

    Memory is read from Linux's ``/proc``; on another system, or without access to it, it is None.

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
    """Resident bytes after free memory is returned to the system; resets the peak to them."""
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
