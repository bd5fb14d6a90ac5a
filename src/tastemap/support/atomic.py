"""Files and folders that are written whole or not at all, whatever stops the writing.

What a killed process leaves beside a target is removed when the next one writes to that target. Who
works on a file or folder holds a lock on it, which the system releases when the process ends; what
is locked, or is less than an hour old, is left alone. Where the file system has no such locks,
nothing is removed.
"""

import contextlib
import errno
import math
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# A folder that stays between its two renames for so long was left there by a kill.
SETTLE_SECONDS = 1.0
# Characters that `tempfile` puts behind a prefix.
N_RANDOM = 8
# Seconds between two tries to take a lock that another holds.
SECONDS_BETWEEN_TRIES = 0.05
# What is younger may be of a process that has not locked it yet, or of a version without locks.
MIN_SECONDS_ABANDONED = 3600.0


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """A file to write, beside ``target``, whose place it takes at the end of the block.

    Raises:
        OSError: If it cannot be written; what was there before is intact.
    """
    sweep(target)
    handle, name = tempfile.mkstemp(prefix=_prefix(target, "new"), dir=target.parent)
    os.close(handle)
    fresh = Path(name)
    try:
        with _locked(fresh):
            yield fresh
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
            fresh.chmod(0o644)
            fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill beside ``target``; it replaces ``target`` at the end of the block.

    An error in the block, a full disk or a kill leaves what was there as it was.

    Raises:
        OSError: If it cannot be written.
    """
    settle(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with folder_beside(target, "new") as fresh:
        yield fresh
        fresh.chmod(0o755)
        for part in fresh.iterdir():
            part.chmod(0o644)  # some libraries write for the owner alone
            with part.open("rb") as file:
                os.fsync(file.fileno())
        _replace(target, fresh)


@contextmanager
def folder_beside(target: Path, label: str) -> Iterator[Path]:
    """An empty folder beside ``target`` that nobody else opens; removed at the end of the block.

    Those of the same label that killed processes left are removed first.

    Raises:
        OSError: If none can be made there.
    """
    sweep(target, label)
    folder = Path(tempfile.mkdtemp(prefix=_prefix(target, label), dir=target.parent))
    try:
        with _locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(target: Path, label: str = "new") -> None:
    """Remove what killed processes left beside ``target``; links are left alone, never followed."""
    prefix = _prefix(target, label)
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            is_named = entry.name.startswith(prefix) and len(entry.name) == len(prefix) + N_RANDOM
            if is_named and _is_abandoned(Path(entry.path)):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink(missing_ok=True)


def settle(target: Path) -> None:
    """Put a folder back whose replacement was killed between its two renames.

    Another process may be between them now, so this first waits for it to finish.
    """
    end = time.monotonic() + SETTLE_SECONDS
    while not target.exists() and _aside(target).is_dir():
        if time.monotonic() > end:
            with contextlib.suppress(OSError):
                _aside(target).rename(target)
            return
        time.sleep(SETTLE_SECONDS / 20)


@contextmanager
def alone_at(target: Path, seconds: float = math.inf) -> Iterator[None]:
    """Be the only one who changes ``target``, of all processes and threads that ask in this way.

    The lock is that of the folder in which the target lies, since the target itself is replaced.

    Args:
        target: A file or a folder.
        seconds: How long to wait for another to finish.

    Raises:
        TimeoutError: If another has not finished by then.
    """
    handle, end = None, time.monotonic() + seconds
    with contextlib.suppress(OSError):  # a folder that cannot be opened (Windows)
        handle = os.open(target.absolute().parent, os.O_RDONLY)
    try:
        while handle is not None and not _is_taken(handle):
            if time.monotonic() > end:
                raise TimeoutError(errno.ETIMEDOUT, "another process is changing it", str(target))
            time.sleep(SECONDS_BETWEEN_TRIES)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _is_taken(handle: int) -> bool:
    """Take a lock, if no other has it; whether it is held, or cannot be had on this system."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (OSError, AttributeError):
        return True
    return True


def _replace(target: Path, fresh: Path) -> None:
    """Rename a folder into the place of another.

    A folder cannot be renamed over a full one, so the old one steps aside first.
    """
    aside = _aside(target)
    if target.exists():
        shutil.rmtree(aside, ignore_errors=True)
        target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def _prefix(target: Path, label: str) -> str:
    return f".{target.name}.{label}-"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock that says that a process works on a file or folder."""
    handle = None
    with contextlib.suppress(OSError, AttributeError):  # a file system or a system without locks
        handle = os.open(path, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _is_abandoned(path: Path) -> bool:
    """Whether a file or folder is old, and no process holds its lock; never true of a link."""
    try:
        status = path.lstat()
        if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
            return False
        if time.time() - max(status.st_mtime, status.st_ctime) < MIN_SECONDS_ABANDONED:
            return False
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (OSError, AttributeError):  # locked, or no locks here
        return False
    finally:
        os.close(handle)
    return True
