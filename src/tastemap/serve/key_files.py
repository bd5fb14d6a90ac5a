"""Files that hold a secret: the API key that a server is told, and the key that signs cookies."""

import logging
import os
import secrets
import stat
from pathlib import Path

from tastemap.errors import ArgumentError, DataError

log = logging.getLogger("tastemap.serve")
MIN_CHARACTERS_OF_KEY = 16
SECRET_FILE, SECRET_BYTES = "tastemap.key", 32


def read_key(file: Path | None) -> str | None:
    """The API key in a file, or None without a file.

    Raises:
        ArgumentError: If the file cannot be read, or holds less than sixteen characters.
    """
    if file is None:
        return None
    try:
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(
            "--api-key-file", expected="a file that can be read", received=str(error)
        ) from error
    if len(key) < MIN_CHARACTERS_OF_KEY or not key.isascii() or not key.isprintable():
        raise ArgumentError(
            "--api-key-file",
            expected="a key of sixteen or more printable characters in its first line",
            received=f"{len(key)} characters",
            do="make one: python -c 'import secrets; print(secrets.token_urlsafe())'",
        )
    _warn_of_readers(file)
    return key


def load_secret(folder: Path) -> bytes:
    """The secret of a folder, which only its owner can read; made where there is none.

    Several processes that start at once agree on the one that was there first.

    Raises:
        DataError: If the file is there and too short to be a secret.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / SECRET_FILE
    fresh = folder / f".{SECRET_FILE}.{os.getpid()}"
    if not file.exists():
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, secrets.token_bytes(SECRET_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(fresh, file)  # fails where another process was first
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    secret = file.read_bytes()
    if len(secret) < SECRET_BYTES:
        raise DataError(
            str(file),
            expected=f"the {SECRET_BYTES} bytes that sign cookies",
            received=f"{len(secret)}",
            do="bring it back from a backup, or delete it: another is made, and people at the "
            "pages start anew",
        )
    _warn_of_readers(file)
    return secret


def _warn_of_readers(file: Path) -> None:
    """Say it where others than the owner can read a secret.

    It is no error: containers are given their secrets as files that all may read, in a place where
    there is nobody else.
    """
    if os.name == "posix" and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        log.warning("others can read the secret in %s: chmod 600 %s", file, file)
