"""How well the models predict ratings of items and users of whom they have seen few or none.

    python benchmarks/new_items.py [--models bias bayes ...]
        [--parts items users few facts facts-1m] [--seeds 0 1 2]
        [--source FOLDER] [--ml-1m PATH] [--json]

`items` and `users`: of MovieLens 100K, 120 items (or users) with at least 20 ratings are drawn with
each seed; all of their ratings are the test part, all others the training part. The tables of items
and users stay whole, so that genres, years and ages are there for models that use them. `few`: of
MovieLens 1M, each user's training ratings are one to five, drawn at random, and five others the
test part. Every model learns at its defaults; `bayes-ids` is `bayes` without the tables.

`facts` (MovieLens 100K) and `facts-1m`: all ratings of a tenth of the items are hidden, and each
model learns three times: with the table of items, with titles alone ("no facts"), and with a table
whose facts have been shuffled among the items. `ndcg` is that of lists of ten among all items that
the user has not rated, hidden or not, for what the user likes of the hidden ones; `ndcg new` among
the hidden ones alone. Items are put in a random order first, for ties go to the first.

A row is the mean over the seeds: RMSE, the mean of prediction minus rating, and for models with a
distribution the log-loss, the share of ratings inside the intervals of 80 % beside the share that
these promise, and under `central` the share between the quantiles of 10 and 90 %, where a level
that a quantile cuts counts by its part inside. `than bias` is the mean difference of the RMSE to
that of `bias` on the same test ratings, and its standard error over the seeds.
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
# Those of `facts` and `facts-1m`, and the three tables that each learns with.
FACTS_MODELS = (REFERENCE, "bayes", "als", "mf", "knn", "ials", "ease", "item-knn")
TABLES = ("facts", "no facts", "shuffled")
COLUMNS = ("rmse", "error", "log_loss", "inside", "promised", "central", "ndcg", "ndcg_new")


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--parts", nargs="+", default=("items", "users"))
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1, 2))
    parser.add_argument("--source", help="folder of MovieLens 100K; else fetched or cached")
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M, for the part `few`")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    rows = []
    for part in args.parts:
        names = names_of(part, args.models)
        measured = {name: [] for name in names}
        for seed, train, test in splits(part, args):
            for name, errors in measured.items():
                print(f"{part}, seed {seed}: {name}", file=sys.stderr)
                errors.append(scored(name, train, test, seed))
        rows += [summary(part, name, measured) for name in names]
    print(json.dumps(rows, indent=2)) if args.json else show(rows)


def names_of(part: str, models: list[str] | None) -> tuple[str, ...]:
    """The rows of a part, the reference first; where facts are varied, with the kind of table."""
    if not part.startswith("facts"):
        return tuple(dict.fromkeys((REFERENCE, *(models or DEFAULT_MODELS))))
    others = [name for name in models or FACTS_MODELS if name != REFERENCE]
    return (REFERENCE, *(f"{name}, {table}" for name in others for table in TABLES))


def splits(part: str, args: argparse.Namespace) -> Iterator[tuple[int, Any, Any]]:
    """Seed, training part and test part."""
    from tastemap import load_dataset

    large = part in ("few", "facts-1m")
    ratings = load_dataset(
        "ml-1m" if large else "ml-100k", source=args.ml_1m if large else args.source
    )
    for seed in args.seeds:
        rng = np.random.default_rng(seed)
        if part.startswith("facts"):
            shuffled = in_random_order(ratings, rng)
            rows = rng.choice(ratings.n_items, ratings.n_items // 10, replace=False)
            hidden = np.isin(shuffled.item_index, rows)
            yield seed, shuffled.take(~hidden), shuffled.take(hidden)
        elif large:
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


def in_random_order(ratings: Any, rng: np.random.Generator) -> Any:
    """The ratings with items in a random order; items without a rating are left out."""
    from tastemap.data.vocabulary import Vocabulary

    order = rng.permutation(ratings.n_items)
    items = Vocabulary(ratings.items.ids[order], "item", ratings.item_table)
    place = np.argsort(order).astype(np.int32)
    return ratings.replaced(item_index=place[ratings.item_index], items=items)


def with_table(ratings: Any, table: str, seed: int) -> Any:
    """The ratings with the facts of items, without, or with those of other items."""
    from polars import concat

    from tastemap.data.vocabulary import Vocabulary

    items = ratings.items.frame
    if table == "no facts":
        items = items.select("item_id", "title")
    elif table == "shuffled":
        order = np.random.default_rng(seed).permutation(len(items))
        items = concat([items.select("item_id"), items.drop("item_id")[order]], how="horizontal")
    return ratings.with_items(Vocabulary(ratings.items.ids, "item", items))


def scored(name: str, train: Any, test: Any, seed: int) -> dict[str, float]:
    """The scores of one model; NaN where it has none."""
    from tastemap.metrics import calibration
    from tastemap.metrics.rating import rmse
    from tastemap.models.registry import make_model

    name, _, table = name.partition(", ")
    kind, options = MODELS.get(name, (name, {}))
    model = make_model(kind, **options)
    model.fit(with_table(train, table, seed) if table else train, seed=seed, progress=False)
    row = dict.fromkeys(COLUMNS, float("nan"))
    if table:
        row["ndcg"], row["ndcg_new"] = ranked(model, train, test)
        print("  " + (model.facts_[-1] if model.facts_ else ""), file=sys.stderr)
    if not model.predicts_ratings:
        return row
    predicted = model.predict_ratings(test)
    row["rmse"] = rmse(test.rating, predicted)
    row["error"] = float(np.mean(predicted - test.rating))
    if model.has_distribution:
        p = model.ratings_distribution(test)
        level = calibration.places(test.rating, train.scale.levels)
        row["log_loss"] = calibration.log_loss(level, p)
        row["inside"] = calibration.coverage(level, p, 0.8)
        row["promised"] = calibration.promised_coverage(p, 0.8)
        row["central"] = central(level, p)
    return row


def ranked(model: Any, train: Any, test: Any) -> tuple[float, float]:
    """NDCG of hidden likes in lists of ten: among all unrated items, and among hidden ones."""
    from tastemap.evaluation.evaluate import relevant_hits
    from tastemap.metrics.ranking import ndcg
    from tastemap.models.batch.recommend import best_items

    likes = test.likes()
    users, n_relevant = np.unique(likes.user_index, return_counts=True)
    values = []
    for allowed in (None, test.by_item.counts > 0):
        lists = best_items(model, users, 10, seen=(train,), allowed=allowed).items
        hits = relevant_hits(users, lists, likes.user_index, likes.item_index, test.n_items)
        values.append(float(ndcg(hits, n_relevant).mean()))
    return values[0], values[1]


def central(level: np.ndarray, p: np.ndarray) -> float:
    """The share of ratings between the quantiles of 10 and 90 %: 0.8 where distributions hold."""
    rows = np.arange(len(level))
    above, of_level = np.cumsum(p, axis=1)[rows, level], np.maximum(p[rows, level], 1e-12)
    inside = np.minimum(above, 0.9) - np.maximum(above - of_level, 0.1)
    return float((np.clip(inside, 0, None) / of_level).mean())


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
    print(f"{'part':10}{'model':20}" + "".join(f"{c:>10}" for c in COLUMNS) + f"{'than bias':>20}")
    for row in rows:
        values = ("-" if np.isnan(row[c]) else f"{row[c]:.4f}" for c in COLUMNS)
        than = f"{row['than_bias']:+.4f}"
        if not np.isnan(row["standard_error"]):
            than += f" ± {row['standard_error']:.4f}"
        print(f"{row['part']:10}{row['model']:20}" + "".join(f"{v:>10}" for v in values), end="")
        print(f"{than:>20}")


if __name__ == "__main__":
    main()
