"""How well and how fast the models predict the ratings of MovieLens.

    python benchmarks/rating_models.py [--models bias bayes ...] [--splits u1 lab forecast ...]
        [--seeds 0 1] [--threads N] [--source FOLDER] [--ml-1m PATH] [--json]

Splits of MovieLens 100K: the published folds u1 to u5; `lab`, a fifth at random as the lab draws
it; `forecast`, the last fifth of each user's ratings; `time`, the last fifth of all ratings. Of
MovieLens 1M, where its folder or zip is given: `ml-1m`, a tenth at random (seed 0). Every model
learns from the whole training part at its defaults, but for `bayes-14` and `bayes-30`, which have
so many factors; nothing looks at the test part before it is scored. `bayes` takes no notice of
times; `bayes-time` is the same model with ``time="session"``, which at a random split sees ratings
given just before *and after* the one that it predicts, at a forecast only earlier ones, and at both
the moment of the rating itself.

RMSE and MAE are of the mean of a model's distribution (or its one prediction), MAE median of its
median; log-loss is the mean of -log p(rating). Compiling (the first fit in this process, of a small
table) is timed apart from fitting and from scoring the test part; reading is not timed. For `bayes`
two more are printed: the seconds of the first compilation, in a new process with an empty cache, of
fitting, predicting and folding in; and the milliseconds, at the median of 100 calls, to fold in a
new person with 50 ratings.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

# Slow NumPy down where they are set.
for unwanted in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(unwanted, None)

SPLITS = {"lab": "random"}
LARGE = "ml-1m"
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "bayes-time": ("bayes", {"time": "session"}),
    "bayes-14": ("bayes", {"n_factors": 14}),
    "bayes-30": ("bayes", {"n_factors": 30}),
}
DEFAULT_MODELS = ("bias", "mf", "bayes", "bayes-time")
COLUMNS = ("rmse", "mae", "mae_median", "log_loss", "compile_s", "fit_s", "score_s")


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=DEFAULT_MODELS)
    parser.add_argument("--splits", nargs="*", default=("u1", "lab", "forecast", "time"))
    parser.add_argument("--seeds", nargs="+", type=int, default=(0,))
    parser.add_argument("--threads", type=int, default=0, help="processor cores to use; 0: all")
    parser.add_argument("--source", help="folder of MovieLens 100K; else fetched or cached")
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M, for one more split")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--compile", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.threads and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
    if args.compile:
        compile_all()
        sys.exit()
    splits = dict(parts(args))
    result = {"machine": machine(), "rows": measure(args.models, splits, args.seeds)}
    if "bayes" in args.models:
        result["new_person"] = new_person(next(iter(splits.values())).train)
    print(json.dumps(result, indent=2)) if args.json else show(result)


def parts(args: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    """The training and test parts of each split, by name."""
    from tastemap import load_dataset
    from tastemap.data.splits import split_by_name

    if args.splits:
        ratings = load_dataset("ml-100k", source=args.source)
    for split in args.splits:
        yield split, split_by_name(ratings, SPLITS.get(split, split))
    if args.ml_1m:
        large = load_dataset("ml-1m", source=args.ml_1m)
        yield LARGE, split_by_name(large, "random", test_size=0.1, seed=0)


def measure(
    models: Sequence[str], splits: dict[str, Any], seeds: Sequence[int]
) -> list[dict[str, Any]]:
    """One row for each split, model and seed."""
    from tastemap.data.datasets.synthetic import synthetic_ratings
    from tastemap.models.registry import make_model

    small, rows = synthetic_ratings(), []
    for name in models:
        kind, options = MODELS.get(name, (name, {}))
        started = time.perf_counter()
        scored(make_model(kind, **options).fit(small, progress=False), small)
        compiling = time.perf_counter() - started
        for split, (train, test) in splits.items():
            for seed in seeds:
                print(f"{name} on {split}, seed {seed}", file=sys.stderr)
                started = time.perf_counter()
                model = make_model(kind, **options).fit(train, seed=seed, progress=False)
                fitted = time.perf_counter()
                errors = scored(model, test)
                seconds = {"fit_s": fitted - started, "score_s": time.perf_counter() - fitted}
                row = {"model": name, "split": split, "seed": seed, "compile_s": compiling}
                rows.append(row | seconds | errors)
    return rows


def new_person(train: Any) -> dict[str, float]:
    """Seconds of the first compilation, and milliseconds to fold in a person with 50 ratings."""
    import numpy as np

    from tastemap.models.registry import make_model

    with tempfile.TemporaryDirectory() as empty:
        environment = os.environ | {"NUMBA_CACHE_DIR": empty}
        command = [sys.executable, __file__, "--compile"]
        done = subprocess.run(  # noqa: S603
            command, env=environment, check=True, capture_output=True, text=True
        )
    model, rng = make_model("bayes").fit(train, progress=False), np.random.default_rng(0)
    rows = rng.choice(train.n_items, min(50, train.n_items), replace=False)
    levels = train.scale.levels
    person = dict(
        zip(train.items.ids_at(rows), rng.choice(levels, len(rows)).tolist(), strict=True)
    )
    seconds = []
    for _ in range(100):
        started = time.perf_counter()
        model.fold_in(person)
        seconds.append(time.perf_counter() - started)
    return {"first_compile_s": float(done.stdout), "fold_in_ms": 1e3 * float(np.median(seconds))}


def compile_all() -> None:
    """Print the seconds that fitting, predicting and folding in take for the first time."""
    from tastemap.data.datasets.synthetic import synthetic_ratings
    from tastemap.models.registry import make_model

    small = synthetic_ratings()
    started = time.perf_counter()
    model = make_model("bayes").fit(small, progress=False)
    scored(model, small)
    model.fold_in({small.items.ids[0]: small.scale.highest})
    print(time.perf_counter() - started)


def scored(model: Any, test: Any) -> dict[str, float | None]:
    """Errors on a test part: of the mean and, with a distribution, of the median and of p."""
    import numpy as np

    from tastemap.metrics.rating import mae, rmse

    levels = model.ratings_.scale.levels
    if not model.has_distribution or levels is None:
        predicted = model.predict_ratings(test)
        found = {"rmse": rmse(test.rating, predicted), "mae": mae(test.rating, predicted)}
        return found | {"mae_median": None, "log_loss": None}
    p = model.ratings_distribution(test)
    level = np.abs(test.rating[:, None] - levels).argmin(axis=1)
    median = levels[np.argmax(np.cumsum(p, axis=1) >= 0.5 - 1e-6, axis=1)]
    return {
        "rmse": rmse(test.rating, p @ levels),
        "mae": mae(test.rating, p @ levels),
        "mae_median": mae(test.rating, median),
        "log_loss": float(-np.mean(np.log(np.maximum(p[np.arange(len(p)), level], 1e-12)))),
    }


def machine() -> dict[str, Any]:
    """What the seconds depend on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = {name: version(name) for name in ("tastemap", "numpy", "numba")}
    return {"cores": cores, "processor": platform.processor() or platform.machine()} | packages


def show(result: dict[str, Any]) -> None:
    """The table."""
    print(", ".join(f"{name} {value}" for name, value in result["machine"].items()))
    print(f"{'split':10}{'model':12}{'seed':>5}" + "".join(f"{name:>12}" for name in COLUMNS))
    for row in sorted(result["rows"], key=lambda row: row["split"]):
        values = (
            "-" if row[c] is None else f"{row[c]:.{2 if '_s' in c[-2:] else 4}f}" for c in COLUMNS
        )
        print(
            f"{row['split']:10}{row['model']:12}{row['seed']:5}"
            + "".join(f"{value:>12}" for value in values)
        )
    if found := result.get("new_person"):
        print(f"first compilation, empty cache: {found['first_compile_s']:.1f} s")
        print(f"a new person with 50 ratings: {found['fold_in_ms']:.1f} ms")


if __name__ == "__main__":
    main()
