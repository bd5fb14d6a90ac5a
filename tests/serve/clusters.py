"""PostgreSQL in processes of its own, to be stopped and started."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Cluster(NamedTuple):
    """PostgreSQL on loopback: its URL, and what starts and stops it."""

    url: str
    start: Callable[[], None]
    stop: Callable[[], None]


def newest_postgres() -> Path | None:
    """The folder of PostgreSQL's programs, if they are installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    anywhere = shutil.which("initdb")
    return None if anywhere is None else Path(anywhere).parent


def _as_another() -> list[str]:
    """What to put before a command, since PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@contextmanager
def running_cluster(programs: Path) -> Iterator[Cluster]:
    """A new cluster for as long as the block runs."""
    folder = Path(f"/tmp/tastemap-{os.getpid()}-postgres")  # noqa: S108 - short, for its socket
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    if _as_another():
        shutil.chown(folder, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program: str, *words: str) -> None:
        command = [*_as_another(), str(programs / program), "-D", str(folder / "data"), *words]
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    run("initdb", "-A", "trust", "-U", "tastemap", "--no-sync", "-E", "UTF8", "--locale=C")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -k {folder}"

    def start() -> None:
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")

    def stop() -> None:
        run("pg_ctl", "-w", "-m", "fast", "stop")

    start()
    yield Cluster(f"postgresql://tastemap@127.0.0.1:{port}/postgres", start, stop)
    run("pg_ctl", "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)
