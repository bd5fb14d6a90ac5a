"""Neighbours and a map of large catalogues: seconds, and what the approximate index finds.

    python benchmarks/catalogue.py --data FOLDER [--sizes 59047 1200000] [--map 59047]
        [--ratings 25e6] [--threads 2] [--seed 0] [--json]

For each number of items an expansion of MovieLens 100K (`tastemap synthesize`) with 162,541 users
is made, once, in FOLDER; `mf` with its defaults learns from it, and then, in a process of its own:
``index`` finds the ten neighbours of every item by the graph (`similar_all(approximate=True)`), its
recall held against the exact ones of a thousand items; ``exact`` compares all with all, where there
are at most a million items; ``map`` draws the items (`project_items`), where there are at most
``--map``.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

UNWANTED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS")
USERS = 162_541


def main() -> None:
    """Measure each size in a process of its own, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the sets")
    parser.add_argument("--sizes", nargs="+", type=int, default=[59_047, 1_200_000])
    parser.add_argument("--map", type=int, default=59_047, help="items of the largest map")
    parser.add_argument("--ratings", type=float, default=25e6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--items", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.items:
        print(json.dumps(measured(args)))
        return
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    environment |= dict.fromkeys(THREADS, str(args.threads))
    rows = []
    for n in args.sizes:
        command = [sys.executable, __file__, *sys.argv[1:], f"--items={n}"]
        done = subprocess.run(  # noqa: S603 - this file
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        rows.append(json.loads(done.stdout))
    print(json.dumps(rows, indent=2)) if args.json else show(rows)


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """Seconds of each way for a catalogue of ``args.items``."""
    import tastemap as tm
    from tastemap.explore.item_map import project_items
    from tastemap.models.batch.similar import MAX_EXACT_ITEMS, similar_all

    model = tm.make_model("mf").fit(tm.read_ratings(made(args)), seed=args.seed, progress=False)
    found = similar_all(model, 10, approximate=True)
    row = {"items": model.ratings_.n_items, "index": found.seconds, "recall": found.recall}
    if row["items"] <= MAX_EXACT_ITEMS:
        row["exact"] = similar_all(model, 10, approximate=False).seconds
    if row["items"] <= args.map:
        started, used = time.perf_counter(), time.process_time()
        project_items(model)
        row |= {"map": time.perf_counter() - started, "map_processor": time.process_time() - used}
    return row


def made(args: argparse.Namespace) -> Path:
    """The ratings of an expansion, made if they are not there."""
    import tastemap as tm
    from tastemap.data.datasets.fractal import FractalExpansion, Size
    from tastemap.data.datasets.writer import write_release

    folder = args.data / f"{args.items}-items-{int(args.ratings)}-{args.seed}"
    if not folder.is_dir():
        print(f"making {folder}", file=sys.stderr)
        size = Size(USERS, args.items, int(args.ratings))
        big = FractalExpansion(tm.load_dataset("ml-100k"), size, args.seed)
        write_release(big.blocks(), big.schema, big.items(), folder, form="parquet")
    return folder / "ratings.parquet"


def show(rows: list[dict[str, Any]]) -> None:
    """A table in Markdown."""
    print("| items | all pairs, s | index, s | recall of the index | map, s |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        exact, drawn = (f"{row[way]:.1f}" if way in row else "–" for way in ("exact", "map"))
        cells = (f"{row['items']:,}", exact, f"{row['index']:.1f}", f"{row['recall']:.3f}", drawn)
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
