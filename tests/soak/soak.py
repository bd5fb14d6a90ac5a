"""Servers that are killed, blocked, filled and replaced, while people write: ``make soak``, or

    python tests/soak/soak.py [--kills 1000] [--seconds 60] [--phases kills locks ...]

Every write that was acknowledged must be there afterwards. The table says what was done to the
servers, how many writes they acknowledged, how many ratings were lost, and which answers were
neither success nor 404, 409, 422, 429 or 503; it ends with code 1 if there were any.

A server is a process as `tastemap serve` starts it, forked from one that has done the imports,
which are most of the seconds of a start. Where there is PostgreSQL, and where root may mount a
small file system, these are tried as well.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

TESTS = Path(__file__).parent.parent
LOG = TESTS.parent / "build" / "soak.log"
sys.path[:0] = [str(TESTS / "soak"), str(TESTS / "serve"), str(TESTS)]

import httpx  # noqa: E402 - this and what follows is found by the path above
from ledger import Tally, Writer  # noqa: E402

from tastemap.serve.server import THREADS, run_server  # noqa: E402
from tastemap.serve.settings import Settings  # noqa: E402

PROCESSES = multiprocessing.get_context("forkserver")
N_WRITERS, N_LANES = 4, 2
MAX_SECONDS_ALIVE, MAX_SECONDS_TO_START = 0.4, 60.0
HOLD = (
    "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)"
)
HOLD += "; c.execute('BEGIN IMMEDIATE'); time.sleep(float(sys.argv[2])); c.execute('ROLLBACK')"


class Server:
    """A running server on a model and a store."""

    def __init__(self, model: Path, store: str) -> None:
        self.model, self.store = model, store
        self.start()

    def start(self) -> None:
        """Start it, again where it finds half a model, and wait for its first answer."""
        end = time.monotonic() + MAX_SECONDS_TO_START
        while time.monotonic() < end:
            receiving, sending = PROCESSES.Pipe(duplex=False)
            self.process = PROCESSES.Process(target=serve, args=(self.model, self.store, sending))
            self.process.start()
            sending.close()
            with suppress(EOFError, httpx.TransportError):
                self.url = receiving.recv().rstrip("/")
                httpx.get(f"{self.url}/health/live", timeout=MAX_SECONDS_TO_START)
                return
            time.sleep(0.2)
        raise RuntimeError(f"the server does not start: {LOG} says why")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.kill()
        self.process.join()

    def watch(self, stopped: threading.Event) -> int:
        """Start it again whenever it dies; how often it did."""
        n_deaths = 0
        while not stopped.wait(0.1):
            if not self.process.is_alive():
                n_deaths += 1
                self.start()
        return n_deaths


def serve(model: Path, store: str, sending: Connection) -> None:
    """The process of a server, whose words go into the log."""
    os.dup2(os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND), sys.stderr.fileno())
    threading.Thread(target=end_with_parent, daemon=True).start()
    run_server(Settings(model, store, port=0), sending.send)


def end_with_parent() -> None:
    """End this process when the one that asked for it has ended, however it did."""
    multiprocessing.parent_process().join()
    os._exit(1)


# ---- phases ----


def killed(folder: Path, model: Path, n: int, store: Callable[[int], str]) -> Tally:
    """Kill servers, some beside each other, at a random moment of several writes."""

    def lane(number: int) -> Tally:
        writers = [Writer(f"lane {number} writer {n}") for n in range(N_WRITERS)]
        chance = random.Random(number)  # noqa: S311 - no secret
        for _ in range(n // N_LANES):
            server, stopped = Server(model, store(number)), threading.Event()
            with writing(writers, server, stopped):
                time.sleep(chance.uniform(0.01, MAX_SECONDS_ALIVE))
                stopped.set()
                server.kill()
        settle(writers, Server(model, store(number)))
        return sum((writer.tally for writer in writers), Tally(n // N_LANES))

    with ThreadPoolExecutor(N_LANES) as pool:
        return sum(pool.map(lane, range(N_LANES)), Tally())


def kills(folder: Path, model: Path, n: int, seconds: float) -> Tally:
    """SIGKILL, with SQLite."""
    return killed(folder, model, n, lambda lane: str(folder / f"{lane}.db"))


def locks(folder: Path, model: Path, n: int, seconds: float) -> Tally:
    """Another process holds SQLite's lock for up to three seconds."""
    file = folder / "locked.db"

    def hold() -> None:
        command = [sys.executable, "-c", HOLD, str(file), str(random.uniform(0.5, 3))]  # noqa: S311
        subprocess.run(command, check=True)

    return disturbed(model, str(file), seconds, hold)


def fillings(folder: Path, model: Path, n: int, seconds: float) -> Tally | str:
    """The disk of the store is full for a second."""
    small = folder / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        return "only where root may mount a file system"

    def fill() -> None:
        ballast = small / "ballast"
        try:
            with ballast.open("wb", buffering=0) as stream:
                while stream.write(bytes(4096)) == 4096:
                    pass
        except OSError:
            time.sleep(1)
        ballast.unlink()
        time.sleep(0.5)

    try:
        return disturbed(model, str(small / "ratings.db"), seconds, fill)
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)


def reloads(folder: Path, model: Path, n: int, seconds: float) -> Tally:
    """A newer model is saved in place of the served one, or copied over it file by file."""
    from small_models import save_small, small_ratings

    models = [save_small(small_ratings(), folder / f"model {seed}", "mf", seed) for seed in (1, 2)]
    served = folder / "served"
    shutil.copytree(models[0], served)
    turns = iter(range(10**9))

    def replace() -> None:
        turn = next(turns)
        if turn % 2:
            model = models[turn // 2 % 2]
            shutil.copytree(model, served, copy_function=copy_slowly, dirs_exist_ok=True)
        else:
            save_small(small_ratings(), served, "mf", seed=turn)
        time.sleep(random.uniform(0, 1.5))  # noqa: S311 - no secret

    return disturbed(served, str(folder / "reloads.db"), seconds, replace)


def copy_slowly(source: str, target: str) -> None:
    """Copy as over a network: what was there is cut off at once, and comes back a little later."""
    content = Path(source).read_bytes()
    with Path(target).open("wb") as stream:
        time.sleep(0.2)
        stream.write(content)


def restarts(folder: Path, model: Path, n: int, seconds: float) -> Tally | str:
    """PostgreSQL is stopped for a second and started; then servers on it are killed."""
    from clusters import newest_postgres, running_cluster

    programs = newest_postgres()
    if programs is None:
        return "only where PostgreSQL is installed"
    with running_cluster(programs) as cluster:

        def restart() -> None:
            cluster.stop()
            time.sleep(1)
            cluster.start()
            time.sleep(2)

        tally = disturbed(model, cluster.url, seconds, restart)
        return tally + killed(folder, model, n // 10, lambda lane: cluster.url)


PHASES = {phase.__name__: phase for phase in (kills, locks, fillings, reloads, restarts)}


def disturbed(model: Path, store: str, seconds: float, disturb: Callable[[], None]) -> Tally:
    """Do the same to a server again and again while people write and look."""
    server, stopped = Server(model, store), threading.Event()
    writers = [Writer(f"writer {n}") for n in range(N_WRITERS)]
    tally, end = Tally(), time.monotonic() + seconds
    with ThreadPoolExecutor() as pool:
        deaths = pool.submit(server.watch, stopped)
        looks = pool.submit(look, server, stopped)
        with writing(writers, server, stopped):
            while time.monotonic() < end:
                disturb()
                tally.times += 1
            stopped.set()
    tally.unexpected += looks.result() + Counter(died=deaths.result())
    settle(writers, server)
    return sum((writer.tally for writer in writers), tally)


def look(server: Server, stopped: threading.Event) -> Counter[str]:
    """Ask what needs the model; the answers that are no success."""
    failures: Counter[str] = Counter()
    while not stopped.wait(0.02):
        for path in ("/api/v1/model", "/api/v1/users/1/recommendations", "/health/live"):
            try:
                status = httpx.get(server.url + path, timeout=60).status_code
            except httpx.TransportError:
                failures["closed"] += 1
            else:
                failures[str(status)] += status not in (200, 503)
    return +failures


@contextmanager
def writing(writers: list[Writer], server: Server, stopped: threading.Event) -> Iterator[None]:
    """Compare what is kept, then write for as long as the block runs, which sets ``stopped``."""
    for writer in writers:
        writer.settle(server)
    threads = [threading.Thread(target=w.write, args=(server, stopped)) for w in writers]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def settle(writers: list[Writer], server: Server) -> None:
    """Compare a last time, and end the server."""
    for writer in writers:
        writer.settle(server)
    server.kill()


# ---- the table ----


def main() -> None:
    """Run the phases, one after another, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000, help="kills of the first phase")
    parser.add_argument("--seconds", type=float, default=60, help="seconds of each other phase")
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=[*PHASES])
    args = parser.parse_args()
    for name in THREADS:  # before the servers load NumPy
        os.environ.setdefault(name, "1")
    LOG.parent.mkdir(exist_ok=True)
    LOG.unlink(missing_ok=True)
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    PROCESSES.set_forkserver_preload(["warm"])
    from small_models import save_small, small_ratings

    print(f"{'phase':10}{'seconds':>9}{'times':>8}{'acknowledged':>14}{'lost':>6}  unexpected")
    sound = True
    for name in args.phases:
        with tempfile.TemporaryDirectory() as text:
            folder, start = Path(text), time.monotonic()
            model = save_small(small_ratings(), folder / "model", "bias")
            run = partial(PHASES[name], folder, model, args.kills, args.seconds)
            result = run()
            seconds = time.monotonic() - start
        if isinstance(result, str):
            print(f"{name:10}  skipped: {result}", flush=True)
            continue
        counts = f"{result.times:8,}{result.acknowledged:14,}{result.lost:6,}"
        print(f"{name:10}{seconds:9.0f}{counts}  {dict(result.unexpected) or 'none'}", flush=True)
        sound &= result.is_sound
    print(f"What the servers said: {LOG}")
    sys.exit(not sound)


if __name__ == "__main__":
    main()
