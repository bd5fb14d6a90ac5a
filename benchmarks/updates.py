"""An update with new ratings beside a fit anew on all of them: errors and time.

    python benchmarks/updates.py [--models bayes mf als] [--data ml-100k] [--seeds 0 1]
        [--ml-100k PATH] [--ml-1m PATH] [--json]

A tenth of the ratings, drawn at random, is the test part. Of the others a tenth is new: the
latest (`latest`, which brings new people and items) or one drawn at random (`any`). `before` is the
RMSE of a fit without the new ratings, `update` that after they came in by `update`, and `anew` that
of a fit on all. `time` is the update's in parts of that of the fit anew, in the same run.
"""

import argparse
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

SHARE = 0.1


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=("bayes", "mf", "als"))
    parser.add_argument("--data", nargs="+", default=("ml-100k",))
    parser.add_argument("--seeds", nargs="+", type=int, default=(0,))
    parser.add_argument("--ml-100k", help="folder or zip of MovieLens 100K; else fetched or cached")
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M, likewise")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}", file=sys.stderr)
    rows = []
    for name in args.data:
        source = getattr(args, name.replace("-", "_"))
        for seed in args.seeds:
            rows += [
                {"data": name, "seed": seed} | row
                for row in measure(name, source, seed, args.models)
            ]
    if args.json:
        print(json.dumps(rows, indent=2))
        return
    columns = [*rows[0]]
    print("| " + " | ".join(columns) + " |", "|---" * len(columns) + "|", sep="\n")
    for row in rows:
        cells = (f"{v:.4f}" if isinstance(v, float) else str(v) for v in row.values())
        print("| " + " | ".join(cells) + " |")


def measure(
    name: str, source: str | None, seed: int, models: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Rows of a table for each model and each kind of new ratings."""
    import tastemap as tm
    from tastemap.metrics.rating import rmse

    train, test = tm.train_test_split(tm.load_dataset(name, source=source), SHARE, seed)
    for kind in ("latest", "any"):
        split = tm.time_split if kind == "latest" else tm.train_test_split
        old, new = split(train, SHARE, seed)
        everything = old.merged_with(new)
        for which in models:
            model = tm.make_model(which).fit(old, seed=seed, progress=False)
            before = rmse(test.rating, model.predict_ratings(test))
            begun = perf_counter()
            model.update(new, seed=seed, progress=False)
            middle = perf_counter()
            anew = tm.make_model(which).fit(everything, seed=seed, progress=False)
            seconds = perf_counter() - middle
            yield {
                "new": kind,
                "model": which,
                "before": before,
                "update": rmse(test.rating, model.predict_ratings(test)),
                "anew": rmse(test.rating, anew.predict_ratings(test)),
                "time": f"{(middle - begun) / seconds:.2f}",
            }


if __name__ == "__main__":
    main()
