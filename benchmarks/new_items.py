"""How well the models predict ratings of items and users of whom they have seen few or none.

    python benchmarks/new_items.py [--models bias bayes ...] [--parts items users few]
        [--seeds 0 1 2] [--source FOLDER] [--ml-1m PATH] [--json]

`items` and `users`: of MovieLens 100K, 120 items (or users) with at least 20 ratings are drawn with
each seed; all of their ratings are the test part, all others the training part. The tables of items
and users stay whole, so that genres, years and ages are there for models that use them. `few`: of
MovieLens 1M, each user's training ratings are one to five, drawn at random, and five others the
test part. Every model learns at its defaults; `bayes-ids` is `bayes` without the tables.

A row is the mean over the seeds: RMSE, the mean of prediction minus rating, and for models with a
distribution the log-loss, and the share of ratings inside the intervals of 80 % beside the share
that these promise. `than bias` is the mean difference of the RMSE to that of `bias` on the same
test ratings, and its standard error over the seeds.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

N_HIDDEN, MIN_RATINGS, MAX_FEW, N_TEST = 120, 20, 5, 5
REFERENCE = "bias"
MODELS: dict[str, tuple[str, dict[str, Any]]] = {"bayes-ids": ("bayes", {"side": False})}
DEFAULT_MODELS = (REFERENCE, "mf", "als", "knn", "bayes", "bayes-ids")
COLUMNS = ("rmse", "error", "log_loss", "inside", "promised")


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=DEFAULT_MODELS)
    parser.add_argument("--parts", nargs="+", default=("items", "users"))
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1, 2))
    parser.add_argument("--source", help="folder of MovieLens 100K; else fetched or cached")
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M, for the part `few`")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    rows = []
    for part in args.parts:
        measured = {name: [] for name in dict.fromkeys((REFERENCE, *args.models))}
        for seed, train, test in splits(part, args):
            for name, errors in measured.items():
                print(f"{part}, seed {seed}: {name}", file=sys.stderr)
                errors.append(scored(name, train, test, seed))
        rows += [summary(part, name, measured) for name in args.models]
    print(json.dumps(rows, indent=2)) if args.json else show(rows)


def splits(part: str, args: argparse.Namespace) -> Iterator[tuple[int, Any, Any]]:
    """Seed, training part and test part."""
    from tastemap import load_dataset

    large = part == "few"
    ratings = load_dataset(
        "ml-1m" if large else "ml-100k", source=args.ml_1m if large else args.source
    )
    for seed in args.seeds:
        rng = np.random.default_rng(seed)
        if large:
            place = np.empty(len(ratings), dtype=np.int64)
            for user in range(ratings.n_users):
                rows = ratings.by_user[user]
                place[rows] = rng.permutation(len(rows))
            n = rng.integers(1, MAX_FEW + 1, ratings.n_users)[ratings.user_index]
            yield seed, ratings.take(place < n), ratings.take((place >= n) & (place < n + N_TEST))
        else:
            index = ratings.item_index if part == "items" else ratings.user_index
            counts = np.bincount(index)
            rows = rng.choice(np.flatnonzero(counts >= MIN_RATINGS), N_HIDDEN, replace=False)
            hidden = np.isin(index, rows)
            yield seed, ratings.take(~hidden), ratings.take(hidden)


def scored(name: str, train: Any, test: Any, seed: int) -> dict[str, float]:
    """The scores of one model; NaN where it has none."""
    from tastemap.metrics import calibration
    from tastemap.metrics.rating import rmse
    from tastemap.models.registry import make_model

    kind, options = MODELS.get(name, (name, {}))
    model = make_model(kind, **options).fit(train, seed=seed, progress=False)
    predicted = model.predict_ratings(test)
    row = dict.fromkeys(COLUMNS, float("nan"))
    row["rmse"] = rmse(test.rating, predicted)
    row["error"] = float(np.mean(predicted - test.rating))
    if model.has_distribution:
        p = model.ratings_distribution(test)
        level = calibration.places(test.rating, train.scale.levels)
        row["log_loss"] = calibration.log_loss(level, p)
        row["inside"] = calibration.coverage(level, p, 0.8)
        row["promised"] = calibration.promised_coverage(p, 0.8)
    return row


def summary(part: str, name: str, measured: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """One line of the table."""
    row: dict[str, Any] = {"part": part, "model": name}
    row |= {c: float(np.mean([errors[c] for errors in measured[name]])) for c in COLUMNS}
    pairs = zip(measured[name], measured[REFERENCE], strict=True)
    differences = np.array([errors["rmse"] - other["rmse"] for errors, other in pairs])
    row["than_bias"] = float(differences.mean())
    n = len(differences)
    row["standard_error"] = float(differences.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return row


def show(rows: list[dict[str, Any]]) -> None:
    """The table."""
    print(f"{'part':8}{'model':12}" + "".join(f"{c:>10}" for c in COLUMNS) + f"{'than bias':>20}")
    for row in rows:
        values = ("-" if np.isnan(row[c]) else f"{row[c]:.4f}" for c in COLUMNS)
        than = f"{row['than_bias']:+.4f}"
        if not np.isnan(row["standard_error"]):
            than += f" ± {row['standard_error']:.4f}"
        print(f"{row['part']:8}{row['model']:12}" + "".join(f"{v:>10}" for v in values), end="")
        print(f"{than:>20}")


if __name__ == "__main__":
    main()
