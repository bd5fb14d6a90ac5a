"""Lists of ten for everyone, beside the bare matrix products, where users and items are many.

    python benchmarks/everyone.py [--users 162541] [--items 59047] [--factors 64] [--seen 150]
        [--threads 2] [--memory 1GiB] [--out FILE.parquet] [--json]

Factors are drawn at random (seed 0), and so is what each user has seen; the sizes are by default
those of MovieLens 25M. ``products`` is the matrix product of all users' factors with all items', a
block of users at a time into the same array: no answer can be faster. ``lists`` finds the best of
each (`best_items`), ``file`` writes them with ids and titles (`write_recommendations`). Peak memory
is what the process has grown by above the model and its ratings.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

UNWANTED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS")


def main() -> None:
    """Measure in a process of its own, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=162_541)
    parser.add_argument("--items", type=int, default=59_047)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--seen", type=int, default=150, help="items that each user has seen")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="1GiB", help="as of tastemap recommend")
    parser.add_argument("--out", type=Path, help="keep the lists in this file")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.here:
        environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
        environment |= dict.fromkeys(THREADS, str(args.threads))
        command = [sys.executable, __file__, *sys.argv[1:], "--here"]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603
    result = measured(args)
    print(json.dumps(result, indent=2)) if args.json else show(result)


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """Seconds of each way, and the growth of memory."""
    import numpy as np

    from tastemap.cli.arguments import parse_bytes
    from tastemap.models.batch.recommend import best_items
    from tastemap.models.batch.write import write_recommendations

    model = planted(args.users, args.items, args.factors, args.seen)
    small = planted(300, 500, args.factors, 20)  # compiles, and tells nothing
    best_items(small, np.arange(300, dtype=np.int32), 10, seen=(small.ratings_,))
    w, x = model.factors.user_weights[:-1], model.factors.item_weights[:-1]
    seconds = {}
    out = np.empty((256, args.items), np.float32)

    def products() -> None:
        for start in range(0, len(w), len(out)):
            part = w[start : start + len(out)]
            np.matmul(part, x.T, out=out[: len(part)])

    with tempfile.TemporaryDirectory() as folder:
        path = args.out or Path(folder) / "lists.parquet"
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for name, way in {
            "products": products,
            "lists": lambda: best_items(
                model, np.arange(args.users, dtype=np.int32), 10, seen=(model.ratings_,)
            ),
            "file": lambda: write_recommendations(model, path, 10, memory=parse_bytes(args.memory)),
        }.items():
            started = time.perf_counter()
            way()
            seconds[name] = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        size = path.stat().st_size
    sizes = {name: getattr(args, name) for name in ("users", "items", "factors", "threads")}
    growth = (after - before) / 1024
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    return sizes | {"machine": machine, "seconds": seconds, "grown_mib": growth, "file_bytes": size}


def planted(n_users: int, n_items: int, n_factors: int, n_seen: int) -> Any:
    """A model of random factors, whose users have seen random items."""
    import numpy as np
    import polars as pl

    from tastemap.data.ratings import Ratings
    from tastemap.data.scale import Scale
    from tastemap.data.vocabulary import Vocabulary
    from tastemap.models.base.artifact import Artifact
    from tastemap.models.base.factors import FactorModel, Factors

    rng = np.random.default_rng(0)
    users = Vocabulary(pl.Series("user_id", np.arange(n_users)), "user")
    items = Vocabulary(pl.Series("item_id", np.arange(n_items)), "item")
    rating = np.full(n_users * n_seen, 4.0, np.float32)
    ratings = Ratings(
        user_index=np.repeat(np.arange(n_users, dtype=np.int32), n_seen),
        item_index=rng.integers(0, n_items, len(rating)).astype(np.int32),
        rating=rating,
        timestamp=None,
        users=users,
        items=items,
        scale=Scale(1.0, 5.0, 1.0),
    )
    spread, shape = n_factors**-0.25, 1 + n_factors
    weights = rng.normal(0, spread, (n_users + 1, shape)).astype(np.float32)
    factors = Factors(3.5, weights, rng.normal(0, spread, (n_items + 1, shape)).astype(np.float32))
    artifact = Artifact("FactorModel", {}, factors.arrays(), ratings, seed=0, learnt_by="planted")
    return FactorModel.from_artifact(artifact)


def show(result: dict[str, Any]) -> None:
    """The result as a table."""
    bare = result["seconds"]["products"]
    print(
        f"{result['users']:,} users, {result['items']:,} items, {result['factors']} factors, "
        f"{result['threads']} threads; {result['machine']}\n"
    )
    print("way        seconds   of the products")
    for name, seconds in result["seconds"].items():
        print(f"{name:9} {seconds:8.2f} {seconds / bare:17.2f}")
    print(f"\nmemory grew by {result['grown_mib']:,.0f} MiB; file {result['file_bytes']:,} bytes")


if __name__ == "__main__":
    main()
