"""One model on one task, in a process of its own.

    python -m peers.worker FOLDER ADAPTER ANSWER '{"options": {}, "seed": 0, ...}'

FOLDER holds the task as `peers.tasks` has written it. The answer is written to ANSWER.npz, what was
measured to ANSWER.json. It imports nothing of tastemap, so that any environment can run it.
"""

import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Fits are repeated as long as they have taken less than this together; the least counts.
REPEATED_SECONDS = 8.0


def main() -> None:
    """Fit, answer, and write down both the answer and what it took."""
    folder, adapter, answer, settings = sys.argv[1:5]
    asked = json.loads(settings)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[-asked["threads"] :])
    started = time.perf_counter()
    import numpy as np

    from peers.table import read_table

    module = import_module(f"peers.{adapter}")
    spent = {"import_s": time.perf_counter() - started}
    train, pairs = (read_table(Path(folder), part) for part in ("train", "pairs"))
    found, measured = run(module, train, pairs, asked)
    np.savez(f"{answer}.npz", answer=found)
    package = module.PACKAGE
    measured |= spent | {"version_of": package, "version": version(package)}
    Path(f"{answer}.json").write_text(json.dumps(measured), encoding="utf-8")


def run(module: Any, train: Any, pairs: Any, asked: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The answer, and seconds and memory by name."""
    from peers.table import small_table

    options = {"seed": asked["seed"], "threads": asked["threads"]} | asked["options"]
    measured: dict[str, Any] = {"fits_s": [], "memory_mb": None}
    started = time.perf_counter()
    if asked["warm"]:
        small = small_table(train)
        data = module.prepare(small)
        answer(module, module.fit(data, **options), data, small, asked | {"sample": 50})
    measured["warm_s"] = time.perf_counter() - started
    for n in range(asked["rounds"]):
        with peak_memory() as memory:
            started = time.perf_counter()
            data = module.prepare(train)
            prepared = time.perf_counter()
            model = module.fit(data, **options)
            ended = time.perf_counter()
        seconds = prepared - started
        measured["prepare_s"] = min(seconds, measured.get("prepare_s", seconds))
        measured["fits_s"].append(ended - prepared)
        if n == 0:
            measured["memory_mb"] = memory.get("mb")
        if sum(measured["fits_s"]) > REPEATED_SECONDS:
            break
    measured["fit_s"] = min(measured["fits_s"])
    return answered(module, model, data, pairs, asked, measured)


def answered(
    module: Any, model: Any, data: Any, pairs: Any, asked: dict[str, Any], measured: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The answer in the least time of the rounds."""
    times: list[float] = []
    while not times or (len(times) < asked["rounds"] and sum(times) < REPEATED_SECONDS):
        started = time.perf_counter()
        found = answer(module, model, data, pairs, asked)
        times.append(time.perf_counter() - started)
    seconds, sample = min(times), asked.get("sample")
    if sample:  # a slow answer, of a part of the users
        seconds *= len(set(pairs.users.tolist())) / sample
    return found, measured | {"answer_s": seconds}


def answer(module: Any, model: Any, data: Any, pairs: Any, asked: dict[str, Any]) -> Any:
    """Predictions of the pairs, or a list for each of their users, or for the first of them."""
    import numpy as np

    if asked["ask"] == "ratings":
        return module.predict(model, data, pairs)
    users = np.unique(pairs.users)[: asked.get("sample")]
    return module.top(model, data, users, asked["k"])


@contextlib.contextmanager
def peak_memory() -> Iterator[dict[str, float]]:
    """How far the peak of resident memory rises above what it is now, in MB; Linux only."""
    gc.collect()
    grown: dict[str, float] = {}
    clear = Path("/proc/self/clear_refs")
    before = None
    with contextlib.suppress(OSError):
        clear.write_text("5", encoding="ascii")
        before = status("VmRSS")
    yield grown
    if before is not None:
        grown["mb"] = max(status("VmHWM") - before, 0) / 1e6


def status(name: str) -> int:
    """A line of this process's status, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
