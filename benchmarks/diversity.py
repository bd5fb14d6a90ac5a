"""What varied and calibrated lists gain, and what they cost in hits and in time.

    python benchmarks/diversity.py [--data ml-100k ml-1m] [--models ease ials mf als]
        [--parts inner test time] [--seeds 0] [--ml-100k PATH] [--ml-1m PATH] [--json]
        [--figure FILE]

A tenth of the ratings, drawn with the seed, is the test part, and a tenth of the others the inner
validation part. `inner`: models are fitted without both, and lists of ten scored on the inner part;
the default weight of a calibration is chosen here. `test`: models are fitted on all but the test
part, and scored on that. A row is a weight: NDCG@10; the mean Kullback-Leibler divergence of a
list's genres from those of what the user likes in training, in nats; and the diversity within a
list, by who rated both. Each has its change from the plain list beside it.

`time`: seconds of the processor, on one thread, for lists of ten for everybody: plain, and beyond
that for lists that are calibrated, varied, or within caps. With a file, the first curve of the test
part is drawn.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

WISHES: dict[str, dict[str, Any]] = {
    "plain": {},
    "calibrated": {"calibrated": "genres"},
    "diversity 0.3": {"diversity": 0.3},
    "at most 3 of a genre": {"at_most": {"genres": 3}},
    "all three": {"calibrated": "genres", "diversity": 0.3, "at_most": {"genres": 4}},
}


def main() -> None:
    """Measure, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=("ml-100k", "ml-1m"))
    parser.add_argument("--models", nargs="+", default=("ease", "ials", "mf", "als"))
    parser.add_argument("--parts", nargs="+", default=("inner", "test", "time"))
    parser.add_argument("--seeds", nargs="+", type=int, default=(0,))
    parser.add_argument("--ml-100k", help="folder or zip of MovieLens 100K; else fetched or cached")
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M, likewise")
    parser.add_argument(
        "--figure", help="a .png, .svg or .pdf for the first curve of the test part"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    args = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}", file=sys.stderr)
    rows = []
    for row in (row for name in args.data for row in measured(name, args)):
        rows.append(row)
        if not args.json:
            print("  ".join(f"{key} {shown(value)}" for key, value in row.items()), flush=True)
    if args.json:
        print(json.dumps(rows, indent=2))
    if args.figure:
        draw(rows, args.figure)


def measured(name: str, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The rows of one data set."""
    import tastemap as tm

    ratings = tm.load_dataset(name, source=getattr(args, name.replace("-", "_")))
    for seed in args.seeds:
        train, test = tm.train_test_split(ratings, test_size=0.1, seed=seed)
        inner = tm.train_test_split(train, test_size=0.1, seed=seed + 1)
        for model in args.models:
            label = {"data": name, "seed": seed, "model": model}
            for part, parts in (("inner", inner), ("test", (train, test))):
                if part in args.parts:
                    rows = curve(model, *parts, seed)
                    yield from ({**label, "part": part} | row for row in rows)
    for model in args.models if "time" in args.parts else ():
        yield {"data": name, "model": model, "part": "time"} | seconds(model, ratings)


def curve(name: str, train: Any, test: Any, seed: int) -> Iterator[dict[str, Any]]:
    """The scores by wish and weight, and their changes from the plain list."""
    import tastemap as tm
    from tastemap.evaluation.trade_off import trade_off

    print(f"{name} on {len(train):,} ratings", file=sys.stderr)
    model = tm.make_model(name).fit(train, seed=seed, progress=False)
    plain: dict[str, Any] = {}
    for row in trade_off(model, test).to_dicts():
        plain = plain or row
        for score in ("ndcg", "divergence", "diversity"):
            row[f"{score}_change"] = f"{row[score] / plain[score] - 1:+.1%}"
        yield row


def seconds(name: str, ratings: Any) -> dict[str, float]:
    """Seconds of lists for everybody: plain, and more than that for each wish."""
    import tastemap as tm
    from tastemap.models.base.reranking import Reranking
    from tastemap.models.batch.recommend import best_items

    model = tm.make_model(name).fit(ratings, progress=False)
    users = np.arange(ratings.n_users, dtype=np.int32)
    taken = {}
    for wish, options in WISHES.items():
        for _ in range(2):  # the first compiles, and works out what is kept
            start = time.process_time()
            reranking = Reranking.of(ratings, **options)
            best_items(model, users, 10, seen=(ratings,), n_threads=1, reranking=reranking)
            taken[wish] = time.process_time() - start
    return {wish: taken[wish] - (taken["plain"] if wish != "plain" else 0) for wish in WISHES}


def draw(rows: list[dict[str, Any]], path: str) -> None:
    """Draw the first curve of the test part."""
    import polars as pl

    from tastemap.explore.figures.trade_off import plot_trade_off

    curves = pl.DataFrame([row for row in rows if row["part"] == "test"])
    first = curves.filter(
        (pl.col("data") == curves["data"][0]) & (pl.col("seed") == curves["seed"][0])
    )
    first = first.filter(pl.col("model") == first["model"][0])
    plot_trade_off(first, 10).savefig(path, dpi=110)


def shown(value: Any) -> str:
    """A value of a row."""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
