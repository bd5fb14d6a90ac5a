"""Whether `tastemap serve` stays alive when far more is asked than it can answer.

    python benchmarks/overload.py MODEL [--connections 256] [--seconds 20] [--json]

A real server process on a saved model, and another process with so many connections, each of which
asks `POST /api/v1/recommend` for a person that the server has never seen, again as soon as it is
answered (after a 503: after the seconds that Retry-After says). Meanwhile a third asks for
`/health/live` and `/health/ready`, each on a new connection. Printed are the milliseconds of each,
and how many questions were answered (200) and refused (503). Client and server share the machine.
"""

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fast_models import machine

from serve import PATH, server

N_RATINGS, SECONDS_BETWEEN_PROBES, SECONDS_BEFORE_PROBES = 50, 0.02, 2.0
PROBES = ("/health/live", "/health/ready")


def main() -> None:
    """Start the server and the two clients, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a saved model")
    parser.add_argument("--connections", type=int, default=256, help="that ask at once")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long they ask")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--address", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.address:
        print(json.dumps(asyncio.run(load(args.address, args))))
        return
    with (
        tempfile.TemporaryDirectory(prefix="tastemap-overload-") as folder,
        server(args.model, Path(folder) / "ratings.db", core=None) as (_, address),
    ):
        command = [sys.executable, __file__, *sys.argv[1:], "--address", address]
        clients = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        time.sleep(SECONDS_BEFORE_PROBES)
        probes = dict(probe(address, args.seconds - 2 * SECONDS_BEFORE_PROBES))
        said, _ = clients.communicate()
    result = {"machine": machine(), "connections": args.connections} | json.loads(said) | probes
    print(json.dumps(result, indent=2)) if args.json else show(result)


def probe(address: str, seconds: float) -> Iterator[tuple[str, dict[str, float]]]:
    """Ask for the health of a server, and say how long each answer took."""
    took: dict[str, list[float]] = {path: [] for path in PROBES}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for path in PROBES:
            start = time.perf_counter()
            to = HTTPConnection(urlsplit(address).netloc, timeout=120)
            to.request("GET", path)
            to.getresponse().read()
            to.close()
            took[path].append(time.perf_counter() - start)
        time.sleep(SECONDS_BETWEEN_PROBES)
    for path, each in took.items():
        yield path, summary(each)


def summary(seconds: list[float]) -> dict[str, float]:
    """Milliseconds: the median, the 99th percentile, the longest."""
    cut = statistics.quantiles(seconds, n=100) if len(seconds) > 1 else seconds * 99
    names = {"p50": cut[49], "p99": cut[98], "max": max(seconds)}
    return {"n": len(seconds)} | {name: 1000 * value for name, value in names.items()}


async def load(address: str, args: argparse.Namespace) -> dict[str, Any]:
    """Ask a server on many connections: answers by status, and how long those of 200 took."""
    import tastemap as tm

    ids = tm.load_model(args.model).ratings_.items.ids.to_list()
    host = urlsplit(address)
    statuses: Counter[str] = Counter()
    seconds: list[float] = []
    end = time.perf_counter() + args.seconds

    async def client(seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311
        while time.perf_counter() < end:
            with suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection(host.hostname, host.port)
                try:
                    while time.perf_counter() < end:
                        await ask(reader, writer, question(rng, ids), statuses, seconds)
                finally:
                    writer.close()

    await asyncio.gather(*map(client, range(args.connections)))
    return {"statuses": dict(statuses), "answers": summary(seconds)}


def question(rng: random.Random, ids: list[Any]) -> bytes:
    """A request of a person with other ratings than anybody before."""
    rated = [{"item_id": i, "rating": rng.randint(1, 5)} for i in rng.sample(ids, N_RATINGS)]
    body = json.dumps({"ratings": rated}).encode()
    lines = (f"POST {PATH} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json")
    return "\r\n".join((*lines, f"Content-Length: {len(body)}", "", "")).encode() + body


async def ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    request: bytes,
    statuses: Counter[str],
    seconds: list[float],
) -> None:
    """Ask once, and wait as long as the answer says."""
    start = time.perf_counter()
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    lines = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    await reader.readexactly(int(lines["content-length"]))
    status = head.split()[1]
    statuses[status] += 1
    if status == "200":
        seconds.append(time.perf_counter() - start)
    await asyncio.sleep(float(lines.get("retry-after", 0)))


def show(result: dict[str, Any]) -> None:
    """The milliseconds as a table."""
    from rich.console import Console
    from rich.table import Table

    about = result["machine"]
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(f"{about['processor']}, {about['date']}; Python {about['versions']['python']}")
    table = Table(title=f"{result['connections']} connections ask", title_justify="left")
    for name in ("", "n", "p50 ms", "p99 ms", "longest ms"):
        table.add_column(name, justify="left" if not name else "right")
    for name in ("answers", *PROBES):
        took = result[name]
        table.add_row(
            name, f"{took['n']:,}", *(f"{took[part]:,.1f}" for part in ("p50", "p99", "max"))
        )
    console.print(table)
    refused = {status: n for status, n in result["statuses"].items() if status != "200"}
    console.print(f"refused: {refused or 'nothing'}")


if __name__ == "__main__":
    main()
