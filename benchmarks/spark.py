"""The same fit on Apache Spark with one and two executors, and by our own ALS beside it.

    python benchmarks/spark.py [--data FILE] [--users 2000] [--items 2000] [--ratings 500000]
        [--model als] [--factors 32] [--epochs 10] [--executors 1,2] [--rounds 1] [--json]

Without --data the ratings are generated (`synthetic_ratings`, seed 0) and written as CSV. Every way
runs in a process of its own; each executor is one more, of one core (``local-cluster[n,1,2048]``).
Both learn from the same nine tenths of the ratings, which Spark draws, and are scored on the rest.
The least seconds of the rounds are printed: ``start`` (Java, the cluster, a job of 1000 rows),
``read`` (file to rows and vocabularies), ``fit``, ``score``. ``processor`` is the processor time of
all processes up to there (Linux), which other work on the machine disturbs less.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

UNWANTED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
PHASES = ("start", "read", "fit", "score", "processor")


def main() -> None:
    """Measure each way in processes of its own, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a ratings file; generated if not said")
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--ratings", type=int, default=500_000)
    parser.add_argument("--model", choices=("als", "ials"), default="als")
    parser.add_argument("--factors", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--executors", default="1,2")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.way:
        measure = on_spark if args.way.isdigit() else here
        print(json.dumps(measure(args, Path(args.folder))))
        return
    with tempfile.TemporaryDirectory() as folder:
        args.data = args.data or generated(args, Path(folder))
        ways = [*args.executors.split(","), "ours"]
        found = {way: [run(args, way, folder) for _ in range(args.rounds)] for way in ways}
    result = {way: least(rounds) for way, rounds in found.items()}
    print(json.dumps(result, indent=2)) if args.json else show(result)


def generated(args: argparse.Namespace, folder: Path) -> str:
    """A CSV file of synthetic ratings."""
    from tastemap.data.datasets.synthetic import synthetic_ratings

    path = folder / "ratings.csv"
    synthetic_ratings(args.users, args.items, args.ratings).to_frame().write_csv(path)
    return str(path)


def run(args: argparse.Namespace, way: str, folder: str) -> dict[str, Any]:
    """One round of one way, in a process of its own with a thread for each core it has."""
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    environment |= dict.fromkeys(THREADS, "1")
    options = {"data": args.data, "model": args.model, "factors": args.factors}
    options |= {"epochs": args.epochs, "way": way, "folder": folder}
    words = [f"--{name}={value}" for name, value in options.items()]
    done = subprocess.run(  # noqa: S603 - this file
        [sys.executable, __file__, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def processor_seconds() -> float:
    """Processor time of this process and of all below it: Java, executors, their Python."""
    times, parents = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            times[int(folder.name)] = sum(map(int, fields[11:15]))
            parents[int(folder.name)] = int(fields[1])
    mine = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return sum(times[pid] for pid in mine) / os.sysconf("SC_CLK_TCK")


def on_spark(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Seconds of each phase, and the scores, on so many executors."""
    from tastemap.models.registry import make_model
    from tastemap.spark import als, evaluate, index, read
    from tastemap.spark.session import Cluster, spark_session

    model = make_model(args.model, n_factors=args.factors, n_epochs=args.epochs)
    conf = {"spark.executor.memory": "2g", "spark.driver.memory": "2g"}
    clock = Clock()
    with spark_session(Cluster(f"local-cluster[{args.way},1,2048]", conf)) as session:
        session.range(1000).count()
        clock.lap("start")
        data = index.index_table(session, read.read_table(session, args.data, {}))
        train, test = (part.persist() for part in evaluate.split(data.frame, 0.1, seed=0))
        sizes = {"train": train.count(), "test": test.count()}
        clock.lap("read")
        fitted = als.fit(model, data, train, seed=0)
        fitted.users.persist().count()
        clock.lap("fit")
        scores = evaluate.score(model, data, fitted, train, test)
        clock.lap("score")
        clock.laps["processor"] = processor_seconds()
        for name, part in (("train", train), ("test", test)):
            index.to_polars(part).write_parquet(folder / f"{name}.parquet")
    return (
        {"way": f"Spark, {args.way} executor{'s' * (args.way != '1')}"}
        | clock.laps
        | dict(scores.rows())
        | sizes
    )


def here(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The same on this machine alone, one core."""
    import polars as pl

    from tastemap.data.datasets.synthetic import synthetic_ratings
    from tastemap.data.readers.read import read_ratings
    from tastemap.evaluation.evaluate import evaluate, evaluate_ranking
    from tastemap.models.registry import make_model

    small = synthetic_ratings()
    make_model(args.model, n_factors=args.factors, n_epochs=1).fit(small)  # compiles
    clock, before = Clock(), processor_seconds()
    read_ratings(args.data)
    clock.lap("read")
    parts = []
    for name in ("train", "test"):
        frame = pl.read_parquet(folder / f"{name}.parquet")
        names = {"user_index": "user_id", "item_index": "item_id"}
        parts.append(read_ratings(frame.rename(names)))
    train, test = parts
    clock.lap("")
    model = make_model(args.model, n_factors=args.factors, n_epochs=args.epochs)
    model.fit(train, progress=False)
    clock.lap("fit")
    if model.predicts_ratings:
        scores = evaluate(model, test).overall.row(0, named=True)
    else:
        scores = dict(evaluate_ranking(model, test)["metric", "value"].rows())
    clock.lap("score")
    clock.laps["processor"] = processor_seconds() - before
    return {"way": "tastemap, 1 core", "start": 0.0} | scores | clock.laps


class Clock:
    """Seconds of one phase after the other."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, phase: str) -> None:
        """End a phase."""
        now = time.perf_counter()
        self.laps[phase], self.last = now - self.last, now


def least(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Of several rounds, the least seconds of each phase; scores are those of the first."""
    return rounds[0] | {phase: min(r[phase] for r in rounds) for phase in PHASES}


def show(result: dict[str, dict[str, Any]]) -> None:
    """A table in Markdown."""
    shown = [m for m in ("rmse", "mae", "recall", "ndcg") if m in next(iter(result.values()))]
    print(f"| way | {' | '.join(f'{phase} s' for phase in PHASES)} | {' | '.join(shown)} |")
    print("|---" * (1 + len(PHASES) + len(shown)) + "|")
    for row in result.values():
        cells = [f"{row[phase]:.1f}" for phase in PHASES] + [f"{row[m]:.4f}" for m in shown]
        print(f"| {row['way']} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
