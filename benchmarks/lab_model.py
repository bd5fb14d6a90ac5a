"""How long the lab's model takes to train: Keras' own loop on each backend, and tastemap's.

    python benchmarks/lab_model.py [--rounds 3] [--threads N] [--json]

The work is the same for all: `RegressionModel` with 64 numbers for each user and item, ten epochs
over 72,000 ratings of MovieLens 100K (the lab's split, a tenth of its training part held out for
validation), batches of 64, Adam, absolute error, seed 0.

Every way runs in a process of its own, and the ways take turns, round after round, so that a noisy
minute touches them all. Each process fits three times; importing packages and reading the data
are not counted:

    first      the first fit of the process
    warm       the same fit again, of a new model; Keras and tastemap both trace and compile again
    an epoch   a ninth of the difference between ten epochs and one: training and validation alone

What stands in the table is the least of the rounds; ratios are to ``model.fit`` on JAX. Below it
stands the floor: the bytes that dense Adam has to move, over the bandwidth measured here.
"""

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

EPOCHS, BATCH, SIZE = 10, 64, 64
STEPS = EPOCHS * 72_000 // BATCH
# Rows of the two tables: ids start at 1 and row 0 is never used.
ROWS = 944 + 1683
# Passes over both tables that a step of dense Adam cannot do without: weights, first and second
# moments are read and written, the gradient is written and read.
PASSES = 8

# How each way is called, the backend it runs on, and Keras' steps_per_execution (0: tastemap).
WAYS: dict[str, tuple[str, int]] = {
    "model.fit, JAX": ("jax", 1),
    "model.fit, JAX, steps_per_execution=25": ("jax", 25),
    "model.fit, TensorFlow": ("tensorflow", 1),
    "model.fit, PyTorch": ("torch", 1),
    'NeuralRecommender("dot"), JAX': ("jax", 0),
}
REFERENCE = "model.fit, JAX"
# Slow NumPy down where they are set.
UNWANTED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="processes for each way")
    parser.add_argument("--threads", type=int, default=0, help="processor cores to use; 0: all")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.threads and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
    if args.way:
        print(json.dumps(measure(args.way)))
        return
    ways = [way for way, (backend, _) in WAYS.items() if find_spec(backend) is not None]
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in ["floor", *ways]}
    for n in range(args.rounds):
        for way, found in runs.items():
            print(f"round {n + 1} of {args.rounds}: {way}", file=sys.stderr)
            found.append(in_own_process(way))
    result = summary(runs)
    print(json.dumps(result, indent=2)) if args.json else show(result)


def in_own_process(way: str) -> dict[str, float]:
    """One measurement, by this file in a new interpreter."""
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if way in WAYS:
        environment["KERAS_BACKEND"] = WAYS[way][0]
    done = subprocess.run(  # noqa: S603 - this file
        [sys.executable, __file__, "--way", way],
        env=environment,
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{way} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(way: str) -> dict[str, float]:
    """What one process measures."""
    if way == "floor":
        return {"bandwidth": bandwidth()}
    import tastemap as tm
    from tastemap.models import neural  # noqa: F401 - not to be counted

    train, test = tm.train_test_split(tm.load_dataset("ml-100k"), test_size=0.2, seed=0)
    fit = by_tastemap if WAYS[way][1] == 0 else by_keras
    seconds, predictions = [], None
    for n_epochs in (EPOCHS, EPOCHS, 1):
        start = time.perf_counter()
        predict = fit(train, n_epochs, WAYS[way][1])
        seconds.append(time.perf_counter() - start)
        if predictions is None:
            predictions = predict(test)
    first, warm, one = seconds
    error = np.abs(predictions - test.rating).mean()
    clipped = np.abs(test.scale.clip(predictions) - test.rating).mean()
    return {
        "first": first,
        "warm": warm,
        "one_epoch": one,
        "mae_raw": float(error),
        "mae_clipped": float(clipped),
    }


def by_keras(train: Any, n_epochs: int, steps_per_execution: int) -> Callable[[Any], Any]:
    """As the lab does it."""
    import keras

    from tastemap.models.neural import RegressionModel

    def ids(part: Any) -> list[Any]:
        users, items = part.users.ids.to_numpy(), part.items.ids.to_numpy()
        return [users[part.user_index], items[part.item_index]]

    keras.utils.set_random_seed(0)
    largest = [ids.max() for ids in (train.users.ids, train.items.ids)]
    model = RegressionModel(SIZE, *largest)
    model.compile(optimizer="adam", loss="mae", steps_per_execution=steps_per_execution)
    model.fit(
        ids(train),
        train.rating,
        batch_size=BATCH,
        epochs=n_epochs,
        validation_split=0.1,
        shuffle=True,
        verbose=0,
    )
    return lambda test: model.predict(ids(test), batch_size=8192, verbose=0).ravel()


def by_tastemap(train: Any, n_epochs: int, _: int) -> Callable[[Any], Any]:
    """The compiled loop."""
    from tastemap.models.neural import NeuralRecommender

    model = NeuralRecommender("dot", n_epochs=n_epochs).fit(train, seed=0, progress=False)
    return lambda test: model.predict_ratings(test, clip=False)


def bandwidth() -> float:
    """Bytes a second that one core reads and writes, over arrays of the tables' size.

    Four arrays take turns, as weights, moments and gradient do in a step, so that the caches
    hold as much as they do in training.
    """
    arrays = [np.ones((ROWS, SIZE), dtype=np.float32) for _ in range(4)]
    times = []
    for _ in range(400):
        start = time.perf_counter()
        for array in arrays:
            np.multiply(array, np.float32(1.0), out=array)
        times.append(time.perf_counter() - start)
    return 2 * sum(array.nbytes for array in arrays) / median(times)


def summary(runs: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """The least of the rounds, ratios and the floor."""
    speed = max(run["bandwidth"] for run in runs.pop("floor"))
    least = {
        way: {name: min(run[name] for run in found) for name in found[0]}
        for way, found in runs.items()
    }
    for row in least.values():
        row["ratio"] = row["warm"] / least[REFERENCE]["warm"]
        row["epoch"] = (row["warm"] - row["one_epoch"]) / (EPOCHS - 1)
    moved = PASSES * ROWS * SIZE * 4 * STEPS
    loop = next(row["epoch"] for way, row in least.items() if WAYS[way][1] == 0) * EPOCHS
    return {
        "machine": machine(),
        "rounds": len(runs[REFERENCE]),
        "ways": least,
        "every_round": runs,
        "floor": {
            "bytes_a_step": moved // STEPS,
            "steps": STEPS,
            "bandwidth_gb_a_second": speed / 1e9,
            "seconds": moved / speed,
            "loop_seconds": loop,
            "loop_over_floor": loop / (moved / speed),
        },
    }


def machine() -> dict[str, Any]:
    """What it ran on."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line for line in lines if line.startswith("model name")).split(": ")[1]
    versions = {"python": platform.python_version()}
    for package in ("keras", "jax", "tensorflow-cpu", "tensorflow", "torch", "numpy"):
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    threads = os.cpu_count()
    if hasattr(os, "sched_getaffinity"):
        threads = len(os.sched_getaffinity(0))
    return {"processor": name, "threads": threads, "date": str(date.today()), "versions": versions}


def show(result: dict[str, Any]) -> None:
    """The table, and the floor in a sentence."""
    from rich.console import Console
    from rich.table import Table

    about, floor = result["machine"], result["floor"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    table = Table(
        title=f"The lab's model: {EPOCHS} epochs of {STEPS // EPOCHS} batches of {BATCH}",
        caption=f"least of {result['rounds']} rounds; ratio: warm, to {REFERENCE}",
    )
    table.add_column("")
    for name in ("first, s", "warm, s", "ratio", "an epoch, s", "test MAE", "clipped"):
        table.add_column(name, justify="right")
    for way, row in result["ways"].items():
        cells = [row[name] for name in ("first", "warm", "ratio", "epoch")]
        errors = [row[name] for name in ("mae_raw", "mae_clipped")]
        table.add_row(way, *(f"{x:.2f}" for x in cells), *(f"{x:.4f}" for x in errors))
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(f"{about['processor']}, {about['threads']} threads, {about['date']}; {versions}")
    console.print(table)
    console.print(
        f"Floor: dense Adam moves {floor['bytes_a_step'] / 1e6:.2f} MB a step,"
        f" {floor['steps']:,} steps; at {floor['bandwidth_gb_a_second']:.0f} GB a second, measured"
        f" with arrays of that size, {floor['seconds']:.2f} s. tastemap's ten epochs without"
        f" compilation: {floor['loop_seconds']:.2f} s, {floor['loop_over_floor']:.1f} times that."
    )


if __name__ == "__main__":
    main()
