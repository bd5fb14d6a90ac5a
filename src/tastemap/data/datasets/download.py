"""Get one file over the network: over https, or a wheel from the package index with pip."""

import http.client
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from tastemap.errors import FetchError

#: Is called with the bytes received so far, and the bytes expected or None if unknown.
Progress: TypeAlias = Callable[[int, int | None], object]

N_ATTEMPTS = 3
CHUNK_BYTES = 2**18
PIP_SECONDS = 300


def download(url: str, target: Path, *, timeout: float, progress: Progress | None = None) -> None:
    """Download a file; a connection that breaks is resumed where it broke.

    Args:
        url: An http or https address.
        target: The file to write; an old one there is replaced.
        timeout: Seconds to wait for the connection, and for each further chunk.
        progress: Is called after each chunk.

    Raises:
        FetchError: If the server cannot be reached or does not give the whole file.
    """
    if not url.startswith(("https://", "http://")):
        raise FetchError("address", expected="http:// or https://", received=url)
    target.unlink(missing_ok=True)
    for attempt in range(N_ATTEMPTS):
        have = target.stat().st_size if target.exists() else 0
        try:
            if _receive(url, target, have, timeout, progress):
                return
            reason = "an answer that breaks off"
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise _unreachable(url, f"status {error.code}") from error
            target.unlink()
            reason = f"status {error.code}"
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
            if not target.exists() or not target.stat().st_size:
                raise _unreachable(url, reason) from error
        if attempt == N_ATTEMPTS - 1:
            raise _unreachable(url, reason)


def pip_download(requirement: str, folder: Path) -> None:
    """Download the wheel of one package with pip, without installing or importing it.

    Raises:
        FetchError: If there is no pip, or it fails.
    """
    options = [
        "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python",
        "--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(folder),
    ]  # fmt: skip
    failures = []
    for pip in _pips():
        try:
            subprocess.run(  # noqa: S603 - a list of our own words, and no shell
                [*pip, *options, requirement],
                check=True, capture_output=True, text=True, timeout=PIP_SECONDS,
            )  # fmt: skip
        except subprocess.CalledProcessError as error:
            failures.append((error.stderr.strip().splitlines() or ["no message"])[-1])
        except (OSError, subprocess.TimeoutExpired) as error:
            failures.append(str(error))
        else:
            return
    raise FetchError(
        f"the package {requirement}",
        expected="pip to download it",
        received="; ".join(failures) or "no pip, in this environment or on the PATH",
        do="python -m ensurepip, or get the data yourself and name it (--from PATH, source=...)",
    )


def _receive(url: str, target: Path, have: int, timeout: float, progress: Progress | None) -> bool:
    """Write an answer of the server, which may continue the file; return whether it is complete."""
    headers = {"User-Agent": "tastemap", **({"Range": f"bytes={have}-"} if have else {})}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http(s), see download
    with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
        continued = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        done = have if continued else 0
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length else None
        with target.open("ab" if continued else "wb") as file:
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, total)
    return total is None or target.stat().st_size == total


def _pips() -> list[list[str]]:
    """The commands that may be pip here: this Python's own, one on the PATH, one run by uv."""
    pips = []
    probe = [sys.executable, "-m", "pip", "--version"]
    if sys.executable and subprocess.run(probe, capture_output=True, check=False).returncode == 0:  # noqa: S603
        pips.append(probe[:-1])
    pips += [[path] for name in ("pip", "pip3") if (path := shutil.which(name))]
    if uv := shutil.which("uv"):
        pips.append([uv, "tool", "run", "pip"])
    return pips


def _unreachable(url: str, reason: str) -> FetchError:
    return FetchError(url, expected="the whole file", received=reason)
