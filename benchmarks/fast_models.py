"""How good and how fast the plain models are, on one core.

    python benchmarks/fast_models.py [--ml-100k PATH] [--ml-1m PATH] [--rounds 3] [--json]
                                     [--parts ratings lists everyone]

Ratings are predicted on fold u1 and the lab's split of MovieLens 100K and on a random tenth of
MovieLens 1M (seed 0): RMSE and MAE. Lists of ten are scored on both: ratings of 4 and more are the
likes, a fifth of each user's (seed 0) is the test, and all items without a like in training are
ranked: Recall@10 and NDCG@10.

Each model has its defaults. They were chosen on other splits: inner validation parts of the
training ratings, and folds u3 and u4.

Ten items for everyone: lists for all users of MovieLens 1M, what each has rated left out, from
models of 64 factors fitted to all ratings; the seconds of `best_items`, which gives arrays, and of
`recommend_all`, which gives a frame, beside those of the bare matrix product of the factors and of
plain NumPy (product, seen items to minus infinity, argpartition, sort). The least of five times as
many calls as rounds.

Seconds are those of a fit, from `Ratings` to a fitted model, the least of the rounds, each on a new
table, so that nothing is kept from one to the next; compilation is not counted, but for the
two-tower model, which is fitted once. BLAS, Numba and XLA have one thread, and variables that slow
OpenBLAS down are unset. PATH is a folder or zip of the release; by default it is fetched.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

# Slow NumPy down where they are set.
UNWANTED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
XLA = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
# Models that are not one of the registry with its defaults: name there, and options.
VARIANTS = {
    "ease, 2019": (
        "ease",
        {"reg": 500.0, "dropout": 0.0, "user_power": 0.0, "zero_diagonal": True},
    ),
    "blend, two-tower": ("blend", {"models": ["ease", "ials", "two-tower"]}),
}
# Fitted once, whatever the rounds.
SLOW = {"two-tower", "blend, two-tower"}
# Names in the registry, each model with its defaults, or among the variants.
RATING = {
    "ml-100k u1": ["bias", "knn", "als", "mf"],
    "ml-100k lab": ["bias", "knn", "als", "mf"],
    "ml-1m": ["bias", "knn", "als", "mf"],
}
LIST_MODELS = ["popularity", "item-knn", "ease, 2019", "ease", "ials"]
LIST_MODELS += ["two-tower", "blend", "blend, two-tower"]
LISTS = dict.fromkeys(("ml-100k", "ml-1m"), LIST_MODELS)
PARTS = ("ratings", "lists", "everyone")
# Of lists for everyone.
FACTORS, K = 64, 10
EVERYONE = ["mf", "ials"]
CALLS = ("best_items", "recommend_all", "product", "numpy")
# Of the tables.
HEADINGS = {"seconds": "fit, s", "predict_seconds": "predict, s"}
FORMATS = dict.fromkeys(HEADINGS, ".2f") | dict.fromkeys(CALLS, ".3f")


def main() -> None:
    """Measure in a process of its own, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ml-100k", help="folder or zip of MovieLens 100K")
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M")
    parser.add_argument("--rounds", type=int, default=3, help="fits of each model")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.here:
        sys.exit(in_own_process())
    rows = []
    for row in measured(args):
        rows.append(row)
        print(f"{row['data']}: {row['model']}", file=sys.stderr)
    result = {"machine": machine(), "rounds": args.rounds, "results": rows}
    print(json.dumps(result, indent=2)) if args.json else show(result)


def in_own_process() -> int:
    """This file again, in an environment with one thread."""
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    environment |= dict.fromkeys(THREADS, "1") | {"XLA_FLAGS": XLA}
    command = [sys.executable, __file__, *sys.argv[1:], "--here"]
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


def measured(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row for each data set and model."""
    import tastemap as tm

    small = tm.load_dataset("ml-100k", source=args.ml_100k)
    large = tm.load_dataset("ml-1m", source=args.ml_1m)
    if "ratings" in args.parts:
        yield from ratings_rows(small, large, args.rounds)
    if "lists" in args.parts:
        yield from lists_rows(small, large, args.rounds)
    if "everyone" in args.parts:
        yield from everyone(large, 5 * args.rounds)


def ratings_rows(small: Any, large: Any, rounds: int) -> Iterator[dict[str, Any]]:
    """Errors of predicted ratings."""
    import tastemap as tm

    splits = {
        "ml-100k u1": tm.published_fold(small, 1),
        "ml-100k lab": tm.train_test_split(small, 0.2, 0),
        "ml-1m": tm.train_test_split(large, 0.1, 0),
    }
    for data, models in RATING.items():
        for name in models:
            model, about = fitted(name, splits[data].train, rounds)
            yield {"data": data} | about | rating_errors(model, splits[data].test)


def lists_rows(small: Any, large: Any, rounds: int) -> Iterator[dict[str, Any]]:
    """Quality of lists of ten."""
    import tastemap as tm

    for data, ratings in (("ml-100k", small), ("ml-1m", large)):
        likes = ratings.take(ratings.rating >= 4)
        train, test = tm.per_user_split(likes, 0.2, 0)
        for name in LISTS[data]:
            model, about = fitted(name, train, rounds)
            yield {"data": data} | about | list_scores(model, test)


def fitted(name: str, train: Any, rounds: int) -> tuple[Any, dict[str, Any]]:
    """A model, compiled before, with its name and the least seconds of its fits."""
    from tastemap.data.datasets.synthetic import synthetic_ratings
    from tastemap.models.registry import make_model

    known, options = VARIANTS.get(name, (name, {}))
    make_model(known, **options).fit(synthetic_ratings(), progress=False)
    seconds = []
    for _ in range(1 if name in SLOW else rounds):
        fresh, model = replace(train), make_model(known, **options)
        start = time.perf_counter()
        model.fit(fresh, seed=0, progress=False)
        seconds.append(time.perf_counter() - start)
    return model, {"model": name, "seconds": round(min(seconds), 3)}


def rating_errors(model: Any, test: Any) -> dict[str, float]:
    """RMSE and MAE, and the seconds of the predictions."""
    import tastemap as tm

    start = time.perf_counter()
    predicted = model.predict_ratings(test)
    seconds = time.perf_counter() - start
    errors = {"rmse": tm.rmse(test.rating, predicted), "mae": tm.mae(test.rating, predicted)}
    return errors | {"predict_seconds": round(seconds, 3)}


def list_scores(model: Any, test: Any) -> dict[str, float]:
    """Recall@10 and NDCG@10, and the seconds of ranking all items for everyone."""
    from tastemap.evaluation.evaluate import evaluate_ranking

    start = time.perf_counter()
    frame = evaluate_ranking(model, test, k=10)
    seconds = time.perf_counter() - start
    values = dict(zip(frame["metric"], frame["value"], strict=True))
    scores = {"recall": values["recall"], "ndcg": values["ndcg"], "coverage": values["coverage"]}
    return scores | {"predict_seconds": round(seconds, 3)}


def everyone(ratings: Any, calls: int) -> Iterator[dict[str, Any]]:
    """Seconds of ten items for each user: by tastemap, by NumPy, and of the product alone."""
    from tastemap.models.batch.recommend import best_items, recommend_all
    from tastemap.models.registry import make_model

    users = np.arange(ratings.n_users, dtype=np.int32)
    for name in EVERYONE:
        model = make_model(name, n_factors=FACTORS).fit(ratings, progress=False)
        P, Q = model.user_factors.copy(), model.item_factors.copy()
        asked = {
            "best_items": partial(best_items, model, users, K, seen=(ratings,)),
            "recommend_all": partial(recommend_all, model, K),
            "product": partial(np.matmul, P, Q.T, out=np.empty((len(P), len(Q)), P.dtype)),
            "numpy": partial(plain, P, Q, ratings),
        }
        least = {call: round(least_seconds(ask, calls), 3) for call, ask in asked.items()}
        yield {"data": "ml-1m, everyone", "model": name} | least


def plain(P: Any, Q: Any, ratings: Any) -> Any:
    """The lists by NumPy alone."""
    scores = P @ Q.T
    scores[ratings.user_index, ratings.item_index] = -np.inf
    top = np.argpartition(-scores, K, axis=1)[:, :K]
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1)
    return np.take_along_axis(top, order, axis=1)


def least_seconds(ask: Callable[[], Any], calls: int) -> float:
    """The least seconds of some calls, after one that does not count."""
    ask()
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def machine() -> dict[str, Any]:
    """What it ran on."""
    packages = {name: version(name) for name in ("tastemap", "numpy", "numba")}
    about = Path("/proc/cpuinfo")
    name = platform.processor() or platform.machine()
    if about.is_file():
        lines = about.read_text(encoding="utf-8").splitlines()
        name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), name)
    found = {"python": platform.python_version()} | packages
    return {"processor": name, "threads": 1, "date": str(date.today()), "versions": found}


def show(result: dict[str, Any]) -> None:
    """Three tables: predictions, lists, lists for everyone."""
    from rich.console import Console
    from rich.table import Table

    about = result["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(f"{about['processor']}, one thread, {about['date']}; {versions}")
    fits = f"seconds: least of {result['rounds']} fits"
    kinds = {
        "Ratings": (("rmse", "mae"), fits),
        "Lists": (("recall", "ndcg", "coverage"), fits),
        f"Ten items for everyone, {FACTORS} factors": (CALLS, "seconds: least of several calls"),
    }
    for title, (metrics, caption) in kinds.items():
        rows = [row for row in result["results"] if metrics[0] in row]
        columns = metrics if metrics == CALLS else ("seconds", *metrics, "predict_seconds")
        table = Table(title=title, caption=caption)
        for name in ("data", "model"):
            table.add_column(name)
        for name in columns:
            table.add_column(HEADINGS.get(name, name), justify="right")
        for row in rows:
            cells = (f"{row[name]:{FORMATS.get(name, '.4f')}}" for name in columns)
            table.add_row(row["data"], row["model"], *cells)
        if rows:
            console.print(table)


if __name__ == "__main__":
    main()
