"""The best of each grid, on a split of the training part: ``leaderboard.py --choose``."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from peers.registry import Contender
from peers.runs import DidNotRunError, run, with_memory
from peers.scores import list_score, rating_score
from peers.tasks import TASKS, Task, inner, write_task

# One task of each data set and kind; what is chosen there holds for the others of its kind.
TASKS_TO_CHOOSE_ON = ("u1", "ml-1m", "lists-100k", "lists-1m", "next-1m")


def main(contenders: list[Contender], data: dict[str, Any], args: argparse.Namespace) -> None:
    """Print every point of every grid, the best one last."""
    for task in (task for task in TASKS if task.name in args.tasks):
        if task.name not in TASKS_TO_CHOOSE_ON:
            continue
        split = inner(task.split(data[task.data]), task.ask)
        with tempfile.TemporaryDirectory() as folder:
            write_task(split, Path(folder))
            for contender in contenders:
                if contender.grid and task.name in contender.tasks:
                    best(contender, task, split, Path(folder), args)


def best(
    contender: Contender, task: Task, split: Any, folder: Path, args: argparse.Namespace
) -> None:
    """The points of one grid by their error on the inner test part, or by their NDCG."""
    found = []
    for point in contender.points():
        options = contender.options | point
        try:
            answer, spent = with_memory(
                args.keep,
                {"inner": task.name, "model": contender.name, "options": options},
                lambda options=options: run(
                    contender,
                    options,
                    folder,
                    task.ask,
                    environments=args.environments,
                    warm=False,
                    patience=args.patience,
                ),
            )
            score = (rating_score if task.ask == "ratings" else list_score)(answer, *split)
        except (DidNotRunError, ValueError) as error:
            print(f"{task.name} {contender.name} {point}: {error}", file=sys.stderr)
            continue
        value = score.values["rmse"] if task.ask == "ratings" else -score.values["ndcg"]
        found.append((value, spent["fit_s"], point))
    for value, seconds, point in sorted(found, key=lambda one: one[0], reverse=True):
        print(f"{task.name} {contender.name} {abs(value):.4f} {seconds:6.2f} s {point}", flush=True)
