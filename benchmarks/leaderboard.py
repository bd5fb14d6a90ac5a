"""The models of tastemap beside those of other libraries, in one run and judged by the same code.

    python benchmarks/leaderboard.py [--quick] [--only TEXT ...] [--tasks u1 lab ...] [--json]
        [--rounds 3] [--write docs/leaderboard.md] [--ml-100k PATH] [--ml-1m PATH]

Every model runs in a process of its own, the peers in environments of theirs (`make bench` makes
them), with the same number of threads in all the variables that libraries read and the process
bound to as many processor cores. Test ratings never leave this process: a model is given its
training part and the pairs, or the users, that are asked for, and what it answers is scored here.

Seconds are the least of the rounds, of which there is one where a fit takes long; a first fit of a
small table, in which code is compiled, is timed apart. Differences to the model of tastemap named
beside a peer are paired, with a 95 % interval from a bootstrap of the users.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from peers import choose, tables
from peers.registry import CONTENDERS, Contender
from peers.runs import DidNotRunError, run
from peers.scores import difference, list_score, rating_score
from peers.tasks import TASKS, Task, write_task

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Run, and print or write down the tables."""
    args = arguments()
    if args.choose:
        choose.main(selected(args), loaded(args), args)
        return
    if args.read:
        result = tables.joined([json.loads(path.read_text(encoding="utf-8")) for path in args.read])
    else:
        started = time.perf_counter()
        rows = list(measured(args))
        result = {"machine": machine(), "rounds": args.rounds, "seed": args.seed, "rows": rows}
        result["minutes"] = round((time.perf_counter() - started) / 60, 1)
    if args.write:
        tables.write(result, args.write)
    print(json.dumps(result, indent=2)) if args.json else tables.show(result)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [task.name for task in TASKS]
    parser.add_argument("--tasks", nargs="+", choices=names, default=names, help="what to ask")
    parser.add_argument(
        "--only", nargs="+", default=[], help="models whose names hold one of these"
    )
    parser.add_argument("--quick", action="store_true", help="fold u1, without the slow models")
    parser.add_argument(
        "--rounds", type=int, default=3, help="fits of each model, if they are short"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the fits")
    parser.add_argument("--patience", type=float, default=600, help="seconds for each model")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--read", type=Path, nargs="+", help="JSON of earlier runs, not a run")
    parser.add_argument("--write", type=Path, help="a page whose tables are replaced")
    parser.add_argument(
        "--choose", action="store_true", help="print the best settings of each grid"
    )
    parser.add_argument("--ml-100k", help="folder or zip of MovieLens 100K")
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M")
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-bench")
    args = parser.parse_args()
    if args.quick:
        args.tasks = ["u1"]
    if args.write and (args.only or args.quick):
        parser.error("--write needs all models: leave out --only and --quick")
    return args


def selected(args: argparse.Namespace) -> list[Contender]:
    """The contenders that take part, and those of tastemap that they are compared with."""
    kept = [one for one in CONTENDERS if not (args.quick and one.slow)]
    if not args.only:
        return kept
    named = [one for one in kept if any(text.lower() in one.name.lower() for text in args.only)]
    beside = {one.beside for one in named}
    return [one for one in kept if one in named or (one.ours and one.name in beside)]


def loaded(args: argparse.Namespace) -> dict[str, Any]:
    """The data sets that the tasks need."""
    import tastemap as tm

    needed = {task.data for task in TASKS if task.name in args.tasks}
    sources = {"ml-100k": args.ml_100k, "ml-1m": args.ml_1m}
    return {name: tm.load_dataset(name, source=sources[name]) for name in sorted(needed)}


def measured(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row for each task, contender and setting; ours come first."""
    data, contenders = loaded(args), selected(args)
    for task in (task for task in TASKS if task.name in args.tasks):
        split, scored = task.split(data[task.data]), {}
        with tempfile.TemporaryDirectory() as folder:
            write_task(split, Path(folder))
            for contender in sorted(contenders, key=lambda one: not one.ours):
                if task.name not in contender.tasks:
                    continue
                for settings, options in contender.settings(task.data):
                    print(f"{task.name}: {contender.name}, {settings}", file=sys.stderr)
                    found = row(task, contender, options, split, Path(folder), scored, args)
                    yield {"task": task.name, "model": contender.name, "settings": settings} | found


def row(
    task: Task,
    contender: Contender,
    options: dict[str, Any],
    split: Any,
    folder: Path,
    scored: dict[str, Any],
    args: argparse.Namespace,
) -> dict[str, Any]:
    """What one run gave, or why it gave nothing; ``scored`` collects tastemap's own."""
    about = {"ours": contender.ours, "beside": contender.beside, "threads": contender.threads}
    about["options"] = options
    try:
        answer, spent = run(
            contender,
            options,
            folder,
            task.ask,
            environments=args.environments,
            rounds=args.rounds,
            seed=args.seed,
            patience=args.patience,
        )
        found = about | spent
        if task.ask == "everyone":
            return found
        score = (rating_score if task.ask == "ratings" else list_score)(answer, *split)
    except (DidNotRunError, ValueError) as error:
        print(f"    {error}", file=sys.stderr)
        return about | {"reason": str(error)}
    if contender.ours:
        scored[contender.name] = score
    elif contender.beside in scored:
        root = task.ask == "ratings"
        found["difference"] = difference(score, scored[contender.beside], root=root)
    return found | score.values | {"note": score.note}


def machine() -> dict[str, Any]:
    """What it ran on."""
    name, about = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if about.is_file():
        lines = about.read_text(encoding="utf-8").splitlines()
        name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), name)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = {name: version(name) for name in ("tastemap", "numpy", "numba")}
    found = {"python": platform.python_version()} | packages
    return {"processor": name, "cores": cores, "date": str(date.today()), "versions": found}


if __name__ == "__main__":
    main()
