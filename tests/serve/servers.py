"""A real server in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

PROGRAM = ("-m", "tastemap")


class Server:
    """A running ``tastemap serve`` and its address."""

    def __init__(
        self, model: Path, folder: Path, *options: str, program: tuple[str, ...] = PROGRAM
    ) -> None:
        store = folder / "ratings.db"
        words = ["serve", str(model), "--port", "0", "--store", str(store), *options]
        self.process = subprocess.Popen(
            [sys.executable, *program, *words],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        said = self.process.stderr.readline()
        self.url = re.search(r"http://\S+", said)[0].rstrip("/")
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(600):
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        """End it at once, and all that it started, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def stop(self) -> tuple[int, str]:
        """End it with Ctrl-C: its exit code, and what it said."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@contextmanager
def running(
    model: Path, folder: Path, *options: str, program: tuple[str, ...] = PROGRAM
) -> Iterator[Server]:
    """A server for as long as the block runs."""
    server = Server(model, folder, *options, program=program)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()
