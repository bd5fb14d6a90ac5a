"""The models of tastemap beside those of other libraries, in one run and judged by the same code.

    python benchmarks/leaderboard.py [--quick] [--only TEXT ...] [--tasks u1 lab ...] [--json]
        [--rounds 3] [--keep FOLDER] [--no-times] [--write docs/leaderboard.md]
        [--ml-100k PATH] [--ml-1m PATH] [--ratings FILE --order FILE]

Every model runs in a process of its own, the peers in environments of theirs (`make bench` makes
them), with the same number of threads in all the variables that libraries read and the process
bound to as many processor cores. Test ratings never leave this process: a model is given its
training part and the pairs, or the users, that are asked for, and what it answers is scored here.

Seconds are the least of the rounds, of which there is one where a fit takes long; a first fit of a
small table, in which code is compiled, is timed apart. Differences to the model of tastemap named
beside a peer are paired, with a 95 % interval from a bootstrap of the users, and p values are
corrected for the number of differences in a table, by Holm.

``--keep`` keeps each answer in a folder, and takes from there what a run before has answered with
the same settings; so a run can be made in parts, and goes on where it was ended. ``--no-times``
leaves out seconds and memory, for machines that do something else meanwhile. ``next-1m`` needs
``--ratings`` and ``--order``, which `next_item.py` describes.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import next_item
from peers import choose, tables
from peers.registry import CONTENDERS, Contender
from peers.runs import DidNotRunError, run, with_memory
from peers.scores import difference, list_score, rating_score
from peers.tasks import TASKS, Task, write_task

ROOT = Path(__file__).parent.parent
# What `--no-times` leaves out.
COSTS = ("prepare_s", "fit_s", "fits_s", "answer_s", "warm_s", "import_s", "memory_mb")


def main() -> None:
    """Run, and print or write down the tables."""
    args = arguments()
    if args.choose:
        choose.main(selected(args), loaded(args), args)
        return
    if args.read:
        result = tables.joined([json.loads(path.read_text(encoding="utf-8")) for path in args.read])
    else:
        rows = list(measured(args))
        result = {"machine": machine(), "rounds": args.rounds, "seed": args.seed, "rows": rows}
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
    parser.add_argument("--keep", type=Path, help="a folder that keeps answers for later runs")
    parser.add_argument("--no-times", action="store_true", help="leave out seconds and memory")
    parser.add_argument("--ratings", type=Path, help="Parquet of the ratings of next-1m")
    parser.add_argument("--order", type=Path, help="Parquet of the order of next-1m")
    parser.add_argument("--ml-100k", help="folder or zip of MovieLens 100K")
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M")
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-bench")
    args = parser.parse_args()
    if args.quick:
        args.tasks = ["u1"]
    if args.no_times:
        args.tasks = [name for name in args.tasks if name != "everyone"]
    if not (args.ratings and args.order):
        args.tasks = [name for name in args.tasks if name != "next-1m"]
        print("next-1m is left out: it needs --ratings and --order", file=sys.stderr)
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
    data = {name: tm.load_dataset(name, source=sources[name]) for name in sources if name in needed}
    if "ml-1m-order" in needed:
        data["ml-1m-order"] = next_item.table(args.ratings, args.order)
    return data


def measured(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row for each task, contender and setting; ours come first."""
    data, contenders = loaded(args), selected(args)
    for task in (task for task in TASKS if task.name in args.tasks):
        split, scored = task.split(data[task.data]), {}
        gap = task.gaps(data[task.data], split) if task.gaps else None
        parts = (*split, gap) if task.gaps else split
        with tempfile.TemporaryDirectory() as folder:
            write_task(split, Path(folder))
            for contender in sorted(contenders, key=lambda one: not one.ours):
                if task.name not in contender.tasks:
                    continue
                for settings, options in contender.settings(task.data):
                    print(f"{task.name}: {contender.name}, {settings}", file=sys.stderr)
                    found = row(task, contender, options, parts, Path(folder), scored, args)
                    yield {"task": task.name, "model": contender.name, "settings": settings} | found


def row(
    task: Task,
    contender: Contender,
    options: dict[str, Any],
    parts: Any,
    folder: Path,
    scored: dict[str, Any],
    args: argparse.Namespace,
) -> dict[str, Any]:
    """What one run gave, or why it gave nothing; ``scored`` collects tastemap's own.

    ``parts`` are training and test, and the gaps of the users where a task has them.
    """
    about = {"ours": contender.ours, "beside": contender.beside, "threads": contender.threads}
    about["options"] = options
    try:
        answer, spent = with_memory(
            args.keep,
            {"task": task.name, "model": contender.name, "options": options, "seed": args.seed},
            lambda: run(
                contender,
                options,
                folder,
                task.ask,
                environments=args.environments,
                rounds=args.rounds,
                seed=args.seed,
                patience=args.patience,
            ),
        )
        found = about | {
            name: value for name, value in spent.items() if not args.no_times or name not in COSTS
        }
        if task.ask == "everyone":
            return found
        score = (rating_score if task.ask == "ratings" else list_score)(answer, *parts)
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
