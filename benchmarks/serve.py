"""How fast `tastemap serve` answers for a person that it has never seen, on one core.

    python benchmarks/serve.py [--ml-1m PATH] [--models mf als bayes] [--rounds 3] [--json]

Each row is a real server process, one worker pinned to one core, with another process on another
core that asks it over keep-alive connections: `POST /api/v1/recommend` with 50 ratings in the body,
that is a fold-in and the ten best of all items that were not rated. No two questions are alike, so
nothing is answered from memory. The first answers are compared with `model.recommend`.

The catalogues are MovieLens 1M, with real people's ratings as questions, and 60,000 items whose
ratings come from 64 planted factors. Milliseconds and requests a second are those of the round with
most requests a second. The floor is the same client asking for `/health/live`: what HTTP costs
before any model is asked. `cpu` are the milliseconds of processor time that the server, and below
the client, take for a request: where they share a machine with others, they say more than seconds.

Memory is the server's own (anonymous memory, Linux) after the load, beyond that of a process that
has imported what the server imports and loaded no model, with the arrays that stay in their file
and are mapped; beside it the bytes of the artifact's arrays: what the model has learnt
(arrays.safetensors), and the columns of its ratings as they lie in memory.
"""

import argparse
import json
import math
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fast_models import THREADS, UNWANTED, machine

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
N_RATINGS, K, N_QUESTIONS, N_COMPARED, N_WARM_UP = 50, 10, 2000, 5, 300
# Seconds that a round takes at most, as far as that many requests allow.
MAX_SECONDS_PER_ROUND, MIN_REQUESTS = 20.0, 100
PATH, LIVE = "/api/v1/recommend", "/health/live"
# Connections at once: one tells the time of a request, several how many requests a core answers.
CONNECTIONS = (1, 4)
N_ITEMS, N_USERS, RATINGS_PER_USER, N_FACTORS = 60_000, 12_000, 100, 64
OPTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("planted", "mf"): {"n_factors": N_FACTORS},
    ("planted", "als"): {"n_factors": N_FACTORS, "n_epochs": 5},
}
ROWS = [
    ("ml-1m", "mf"),
    ("ml-1m", "als"),
    ("ml-1m", "bayes"),
    ("planted", "mf"),
    ("planted", "als"),
]


def main() -> None:
    """Fit the models in turn, serve each, ask, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M")
    parser.add_argument("--models", nargs="+", default=["mf", "als", "bayes"], help="which models")
    parser.add_argument("--rounds", type=int, default=3, help="times that each load is repeated")
    parser.add_argument("--requests", type=int, default=2000, help="requests of a round")
    parser.add_argument("--artifacts", type=Path, help="keep the fitted models in this folder")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--load", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.load:
        load(*args.load, rounds=args.rounds, requests=args.requests)
        return
    if not args.here:
        environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
        environment |= dict.fromkeys(THREADS, "1")
        command = [sys.executable, __file__, *sys.argv[1:], "--here"]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603
    with tempfile.TemporaryDirectory(prefix="tastemap-serve-") as folder:
        result = {"machine": machine(), "requests": args.requests, "rounds": args.rounds}
        result["bare"] = bare_memory()
        result["results"] = list(measured(args, Path(folder)))
    print(json.dumps(result, indent=2)) if args.json else show(result)


# ---- models and questions ----


def measured(args: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """A row for each catalogue and model."""
    data: dict[str, Any] = {}
    for name, model in ROWS:
        if model not in args.models:
            continue
        path = (args.artifacts or folder) / f"{name}-{model}"
        if not path.exists():
            data[name] = data.get(name) or (
                planted_ratings() if name == "planted" else movielens(args.ml_1m)
            )
            fit(model, data[name], OPTIONS.get((name, model), {}), path)
        print(f"{name}: {model}", file=sys.stderr)
        yield {"data": name, "model": model} | measure(path, folder, args)


def movielens(source: str | None) -> Any:
    """The ratings of MovieLens 1M."""
    import tastemap as tm

    return tm.load_dataset("ml-1m", source=source)


def fit(name: str, ratings: Any, options: dict[str, Any], path: Path) -> None:
    """Fit a model and save it."""
    from tastemap.models.registry import make_model

    make_model(name, **options).fit(ratings, seed=0, progress=False).save(path)


def planted_ratings(seed: int = 0) -> Any:
    """Ratings from 1 to 5 of 60,000 items, some far more popular, from 64 factors and noise."""
    import numpy as np
    import polars as pl

    from tastemap.data.feedback import Source
    from tastemap.data.ratings import Ratings

    rng = np.random.default_rng(seed)
    p, q = (rng.normal(0, 64**-0.25, (n, N_FACTORS)) for n in (N_USERS, N_ITEMS))
    liked, appeal = rng.normal(0, 0.4, N_ITEMS), 1 / np.arange(20, N_ITEMS + 20)
    item = rng.choice(N_ITEMS, (N_USERS, RATINGS_PER_USER), p=appeal / appeal.sum())
    item[:, :5] = rng.permutation(N_ITEMS).reshape(N_USERS, 5)  # each is rated by somebody
    noise = rng.normal(0, 0.7, item.shape)
    mean = 3.5 + liked[item] + 0.6 * np.einsum("uf,unf->un", p, q[item]) + noise
    pairs = pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(1, N_USERS + 1), RATINGS_PER_USER),
            "item_id": item.ravel() + 1,
            "rating": np.clip(np.rint(mean), 1, 5).ravel(),
        }
    ).unique(["user_id", "item_id"], keep="first", maintain_order=True)
    genres = ["Comedy", "Drama", "Thriller", "Romance"]
    table = pl.DataFrame(
        {
            "item_id": np.arange(1, N_ITEMS + 1),
            "title": [f"Planted film number {n}" for n in range(1, N_ITEMS + 1)],
            "year": 1930 + np.arange(N_ITEMS) % 95,
            "genres": [[genres[n % 4], genres[n % 3]][: 1 + n % 2] for n in range(N_ITEMS)],
        }
    )
    return Ratings.from_frame(pairs, item_table=table, source=Source("planted factors"))


def questions(ratings: Any) -> list[dict[int, float]]:
    """Ratings of 50 items each, taken from people who have rated as many; no two alike."""
    import numpy as np

    rng = np.random.default_rng(1)
    users = np.flatnonzero(ratings.by_user.counts >= N_RATINGS)
    result = []
    for user in rng.choice(users, N_QUESTIONS):
        rated = rng.permutation(ratings.by_user[int(user)])[:N_RATINGS]
        ids = ratings.items.ids_at(ratings.item_index[rated]).to_list()
        result.append(dict(zip(ids, ratings.rating[rated].tolist(), strict=True)))
    return result


# ---- one server ----


def measure(path: Path, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Serve a model, ask it, and say how long that took."""
    import numpy as np

    import tastemap as tm
    from tastemap.models.base.artifact import read_manifest

    model = tm.load_model(path)
    people = questions(model.ratings_)
    bodies = [
        {"ratings": [{"item_id": i, "rating": r} for i, r in ratings.items()], "k": K}
        for ratings in people
    ]
    questions_file = folder / "questions.json"
    questions_file.write_text(json.dumps(bodies))
    expected = [
        model.recommend(ratings=ratings, k=K)["item_id"].to_list()
        for ratings in people[:N_COMPARED]
    ]
    with server(path, folder / "ratings.db") as (process, address):
        command = [sys.executable, __file__, "--load", address, str(questions_file)]
        command += [str(process.pid), "--rounds", str(args.rounds)]
        command += ["--requests", str(args.requests)]
        with on_core(CORES[0]):
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603
        result: dict[str, Any] = json.loads(said.stdout)
        result["memory"] = memory(process.pid)
    if result.pop("answers") != expected:
        raise SystemExit(f"{path}: the server answers otherwise than model.recommend")
    arrays = read_manifest(path)["arrays"].values()
    result["array_bytes"] = sum(
        math.prod(array["shape"]) * np.dtype(array["dtype"]).itemsize for array in arrays
    )
    columns = (model.ratings_.user_index, model.ratings_.item_index, model.ratings_.rating)
    times = model.ratings_.timestamp
    result["rating_bytes"] = sum(c.nbytes for c in columns) + (0 if times is None else times.nbytes)
    return result | {"n_items": model.ratings_.n_items}


@contextmanager
def server(
    path: Path, store: Path, core: int | None = CORES[-1]
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`tastemap serve` with one worker, on one core or any; its process and address."""
    words = ["serve", str(path), "--port", "0", "--store", str(store)]
    with on_core(core):
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "tastemap", *words],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    said = process.stderr.readline() if process.stderr else ""
    address = re.search(r"http://\S+", said)
    if address is None:
        raise SystemExit(f"the server did not start: {said}")
    try:
        yield process, address[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """What is started in the block stays on one core (Linux), where one is named."""
    is_held = core is not None and hasattr(os, "sched_setaffinity")
    if is_held:
        os.sched_setaffinity(0, {core})
    yield
    if is_held:
        os.sched_setaffinity(0, CORES)


def memory(pid: int | str) -> dict[str, int]:
    """Bytes in memory (Linux), by kind; ``anonymous`` is what no file and no other process has."""
    file = Path(f"/proc/{pid}/smaps_rollup")
    text = file.read_text() if file.is_file() else ""
    kinds = {"rss": "Rss", "pss": "Pss", "anonymous": "Pss_Anon"}
    result = {
        name: re.search(rf"^{kind}:\s+(\d+) kB", text, re.MULTILINE) for name, kind in kinds.items()
    }
    return {name: int(one[1]) * 1024 for name, one in result.items() if one is not None}


def bare_memory() -> dict[str, int]:
    """The same of a process that has imported what the server imports, and loaded no model.

    One compiled function is called, since the compiler itself takes memory.
    """
    code = "import uvicorn, uvloop, httptools, tastemap.cli, tastemap.serve.app"
    code += "\nfrom tastemap.models import als, bayesian, matrix_factorization"
    code += "\nimport numpy as np; from tastemap.kernels.factors import score_rows"
    code += "\nscore_rows(np.ones((1, 2), np.float32), np.ones(2), np.ones(1, np.float32))"
    code += "\nprint('ready', flush=True), input()"
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if process.stdout:
        process.stdout.readline()
    result = memory(process.pid)
    process.communicate("\n")
    return result


# ---- the client, in a process of its own ----


def load(address: str, file: str, pid: str, *, rounds: int, requests: int) -> None:
    """Ask a server, and print what it took as JSON."""
    bodies = [json.dumps(one).encode() for one in json.loads(Path(file).read_text())]
    to, answers, took = connection(address), [], []
    for body in bodies[:N_COMPARED]:
        start = time.perf_counter()
        answers.append(ask(to, PATH, body))
        took.append(time.perf_counter() - start)
    to.close()
    # A model that takes long is asked less often.
    requests = max(min(requests, int(MAX_SECONDS_PER_ROUND / min(took))), MIN_REQUESTS)
    result: dict[str, Any] = {
        "answers": [[item["item_id"] for item in json.loads(one)["items"]] for one in answers],
        "requests": requests,
        "answer_bytes": statistics.median(map(len, answers)),
    }
    for name, path, sent in (("floor", LIVE, [None]), ("recommend", PATH, bodies)):
        for n in CONNECTIONS:
            one_round(address, path, sent, n, min(N_WARM_UP, requests), pid)
            each = [one_round(address, path, sent, n, requests, pid) for _ in range(rounds)]
            result[f"{name}_{n}"] = max(each, key=lambda one: one["per_second"])
    print(json.dumps(result))


def connection(address: str) -> HTTPConnection:
    """A connection that is kept open."""
    return HTTPConnection(urlsplit(address).netloc, timeout=60)


def ask(to: HTTPConnection, path: str, body: bytes | None) -> bytes:
    """One question: a GET without a body, else a POST."""
    to.request(
        "POST" if body else "GET", path, body, {"Content-Type": "application/json"} if body else {}
    )
    answer = to.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {text[:200]!r}")
    return text


def one_round(
    address: str, path: str, bodies: list[bytes] | list[None], n: int, requests: int, pid: str
) -> dict[str, float]:
    """So many requests over n connections, each asking as soon as it is answered."""
    left, seconds = iter(range(requests)), []

    def run() -> None:
        to = connection(address)
        to.connect()
        for number in left:
            body = bodies[number % len(bodies)]
            start = time.perf_counter()
            ask(to, path, body)
            seconds.append(time.perf_counter() - start)
        to.close()

    threads = [threading.Thread(target=run) for _ in range(n)]
    cpu, own, start = cpu_seconds(pid), time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole, own = time.perf_counter() - start, time.process_time() - own
    cut = statistics.quantiles(seconds, n=100)
    return {
        "p50": 1000 * cut[49],
        "p95": 1000 * cut[94],
        "p99": 1000 * cut[98],
        "per_second": len(seconds) / whole,
        "server_cpu": 1000 * (cpu_seconds(pid) - cpu) / len(seconds),
        "client_cpu": 1000 * own / len(seconds),
    }


def cpu_seconds(pid: str) -> float:
    """Processor time that a process has used. Linux."""
    file = Path(f"/proc/{pid}/stat")
    if not file.is_file():
        return float("nan")
    fields = file.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---- the table ----


def show(result: dict[str, Any]) -> None:
    """Time and memory as tables."""
    from rich.console import Console
    from rich.table import Table

    about = result["machine"]
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(
        f"{about['processor']}, one core, {about['date']}; Python {about['versions']['python']}"
    )
    for n in CONNECTIONS:
        many = "1 connection" if n == 1 else f"{n} connections"
        table = Table(title=f"50 ratings in, ten best out: {many}", title_justify="left")
        for name in ("catalogue", "model"):
            table.add_column(name)
        for name in ("p50 ms", "p95 ms", "p99 ms", "requests/s", "cpu ms", "client ms", "floor/s"):
            table.add_column(name, justify="right")
        for row in result["results"]:
            took, floor = row[f"recommend_{n}"], row[f"floor_{n}"]
            cells = [f"{row['data']}, {row['n_items']:,} items", row["model"]]
            cells += [f"{took[name]:.2f}" for name in ("p50", "p95", "p99")]
            cells += [f"{took['per_second']:,.0f}", f"{took['server_cpu']:.2f}"]
            table.add_row(*cells, f"{took['client_cpu']:.2f}", f"{floor['per_second']:,.0f}")
        console.print(table)
    show_memory(console, result)


def show_memory(console: Any, result: dict[str, Any]) -> None:
    """What each server takes beside a bare process."""
    from rich.table import Table

    bare = result["bare"]
    table = Table(title="Memory, MB", title_justify="left")
    for name in ("catalogue", "model"):
        table.add_column(name)
    for name in ("whole (RSS)", "imports", "for the model", "factors", "ratings", "times arrays"):
        table.add_column(name, justify="right")
    for row in result["results"]:
        cells, server = [row["data"], row["model"]], row["memory"]
        if server and bare:
            own = server["anonymous"] - bare["anonymous"] + row["array_bytes"]
            sizes = (server["rss"], bare["rss"], own, row["array_bytes"], row["rating_bytes"])
            times = own / (row["array_bytes"] + row["rating_bytes"])
            cells += [f"{size / 1e6:.1f}" for size in sizes] + [f"{times:.1f}"]
        table.add_row(*cells)
    console.print(table)


if __name__ == "__main__":
    main()
