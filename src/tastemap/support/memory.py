"""How much memory is free, and whether a table of ratings will fit into it."""

import os
from pathlib import Path

from tastemap.errors import DataError

#: What reading takes at its peak for each rating: the columns as read and those of `Ratings`, each
#: two numbers of 32 bits, a rating of 32 and a time of 64, and as much again for whole numbers of
#: 64 bits before they are rows.
BYTES_A_RATING = 60
# Less than this is taken without asking.
_LARGE = 2**28
_MEMINFO = Path("/proc/meminfo")
# What memory.stat calls pages of files, with "total_" before it in the older of its forms.
_CACHED = ("inactive_file", "active_file")
_LIMITS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


def free_memory() -> int | None:
    """Bytes that this process may still take, or None where the system does not say.

    In a container the limit of the container counts.
    """
    free = [_free_in_system(), *(_left(*files) for files in _LIMITS)]
    known = [n for n in free if n is not None]
    return min(known) if known else None


def foresee(name: str, n_ratings: int) -> None:
    """Refuse a table that the free memory will not hold, before it is read.

    Raises:
        DataError: With the estimate and what is free.
    """
    require(
        name,
        BYTES_A_RATING * n_ratings,
        f"for some {n_ratings:,} ratings",
        "close other programs, use a larger machine, or write the table as Parquet and"
        " keep it on disk: tastemap prepare",
    )


def require(name: str, n_bytes: int, what: str, do: str) -> None:
    """Refuse work for which the free memory will not suffice, before it starts.

    Args:
        name: What needs the memory. what: For what. do: What to do instead.
        n_bytes: How much it needs; a quarter of a GiB is there without asking.

    Raises:
        DataError: With the estimate and what is free.
    """
    if n_bytes < _LARGE:
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


def _left(limit: Path, used: Path) -> int | None:
    try:
        left = int(limit.read_text(encoding="ascii")) - int(used.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such file, or "max"
        return None
    return left + _given_back(used.with_name("memory.stat"))


def _given_back(about: Path) -> int:
    """Bytes in use that hold what was read from files, which the system drops when it must."""
    try:
        words = [line.split() for line in about.read_text(encoding="ascii").splitlines()]
    except OSError:
        return 0
    numbers = {name: int(value) for name, value in words}
    return sum(numbers.get(f"total_{name}", numbers.get(name, 0)) for name in _CACHED)
