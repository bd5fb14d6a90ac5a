"""How much memory is free, and whether it suffices for a piece of work."""

import os
from pathlib import Path

from tastemap.errors import DataError

# Smaller amounts are not checked.
MIN_CHECKED_BYTES = 2**28
_MEMINFO = Path("/proc/meminfo")
# Names of cached pages of files in memory.stat; its older form has "total_" before them.
_CACHED = ("inactive_file", "active_file")
_LIMITS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


def free_memory() -> int | None:
    """Bytes that this process may still use, or None where the system does not say.

    In a container the limit of the container counts.
    """
    limits = [_free_in_system(), *(_free_in_container(*files) for files in _LIMITS)]
    return min((n_bytes for n_bytes in limits if n_bytes is not None), default=None)


def require(name: str, n_bytes: int, what: str, do: str) -> None:
    """Refuse work that needs more memory than is free, before it starts.

    Args:
        name: What needs the memory. what: For what. do: What to do instead.
        n_bytes: How much it needs; less than a quarter of a GiB is not checked.

    Raises:
        DataError: With the need and what is free.
    """
    if n_bytes < MIN_CHECKED_BYTES:
        return
    free = free_memory()
    if free is not None and n_bytes > free:
        raise DataError(
            name,
            expected=f"{_gigabytes(n_bytes)} of free memory {what}",
            received=_gigabytes(free),
            do=do,
        )


def _gigabytes(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.1f} GiB"


def _free_in_system() -> int | None:
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvail"))
    except (OSError, StopIteration, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _free_in_container(limit: Path, used: Path) -> int | None:
    try:
        free = int(limit.read_text(encoding="ascii")) - int(used.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such file, or "max"
        return None
    return free + _cached(used.with_name("memory.stat"))


def _cached(stat: Path) -> int:
    """Used bytes that cache files, which the system frees when memory is needed."""
    try:
        words = [line.split() for line in stat.read_text(encoding="ascii").splitlines()]
    except OSError:
        return 0
    numbers = {name: int(value) for name, value in words}
    return sum(numbers.get(f"total_{name}", numbers.get(name, 0)) for name in _CACHED)
