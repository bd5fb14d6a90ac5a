"""Files and folders that are written whole or not at all, whatever stops the writing."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A folder that stays between its two renames for so long was left there by a kill.
SETTLE_SECONDS = 1.0


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """A file to write, beside ``target``, whose place it takes at the end of the block.

    Raises:
        OSError: If it cannot be written; what was there before is intact.
    """
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    fresh = Path(name)
    try:
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
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.new-", dir=target.parent))
    try:
        yield fresh
        fresh.chmod(0o755)
        for part in fresh.iterdir():
            part.chmod(0o644)  # some libraries write for the owner alone
            with part.open("rb") as file:
                os.fsync(file.fileno())
        _replace(target, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


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
