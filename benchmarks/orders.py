"""Ways to order a list, judged by what people rated later: accuracy, evidence, variety.

    python benchmarks/orders.py [--data ml-100k ml-1m] [--models bias knn als mf bayes]
        [--part test|inner] [--ml-100k PATH] [--ml-1m PATH] [--iterations N] [--users N] [--seed 0]
        [--json]

Each model is fitted on the training part of the split `forecast`: the latest fifth of each user's
ratings is the test. For each user of the test it lists the ten best items that the user has not
rated in training, in each order that the model has. `stars` is the mean true rating of the listed
items that the user rated in the test, with its standard error, and `hits` their number. `ndcg` is
the NDCG@10 of items with at least 4 stars of 5, ranked among all items. `coverage` is the share of
the items that are in some list, `rare` that of the places whose item has fewer than 20 training
ratings, and `diversity` one less the mean cosine between the raters of two items of a list.

`--part inner` chooses the defaults, and never sees the test: it splits the training part once more
in the same way, and judges cautious lists by several quantiles, and relative lists by several
numbers of ratings at which a lift counts half. The rule for both: the least of the steps at which,
with each model on each table, fewer than one place in 200 is rare (one list of ten in twenty); for
caution also with a mean true rating not more than one standard error below that of the expected
rating.

MovieLens 1M may be a folder with ratings.parquet and order.parquet, as `next_item.py` has them; the
split is then by the order of each user's ratings.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import tastemap as tm
from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.ratings import Ratings
from tastemap.metrics.diversity import diversity
from tastemap.metrics.ranking import coverage, ndcg
from tastemap.models.base import orders

LENGTH, LIKED_FROM, MIN_RATINGS, MAX_RARE = 10, 4, 20, 0.005
MODELS = ("bias", "knn", "als", "mf", "bayes")
# Quantiles of the standard normal distribution: 40, 25, 10, 5 and 2.5 %.
CAUTIONS = (0.2533, 0.6745, 1.2816, 1.6449, 1.96)
SHRINKAGES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=("ml-100k", "ml-1m"))
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--part", choices=("test", "inner"), default="test")
    parser.add_argument("--ml-100k", help="folder or zip of MovieLens 100K; else fetched or cached")
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M, likewise")
    parser.add_argument("--iterations", type=int, help="of bayes; else its default")
    parser.add_argument("--users", type=int, help="lists for so many evenly taken users; else all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    rows = []
    for name in args.data:
        train, test = tm.forecast_split(table(name, getattr(args, name.replace("-", "_"))))
        if args.part == "inner":
            train, test = tm.forecast_split(train)
        users = np.flatnonzero(test.by_user.counts)
        users = users[:: -(-len(users) // (args.users or len(users)))].astype(np.int32)
        for kind in args.models:
            print(f"{name} {kind}", file=sys.stderr)
            model = tm.make_model(kind, **options(kind, args.iterations))
            model.fit(train, seed=args.seed, progress=False)
            ways = inner_ways if args.part == "inner" else test_ways
            for way, items in ways(model, users):
                judged = judgement(items, users, train, test)
                rows.append({"data": name, "model": kind, "order": way} | judged)
                if not args.json:
                    show(rows[-1])
    if args.json:
        print(json.dumps(rows, indent=2))
    if args.part == "inner":
        print(choice(rows), file=sys.stderr)


def table(name: str, source: str | None) -> Ratings:
    """The ratings with their order."""
    files = [Path(source or "") / file for file in ("ratings.parquet", "order.parquet")]
    if source and all(file.is_file() for file in files):
        sys.path.insert(0, str(Path(__file__).parent))
        from next_item import table as ordered

        return ordered(*files)[0]
    return tm.load_dataset(name, source=source)


def options(kind: str, iterations: int | None) -> dict[str, Any]:
    """Options of a model: the defaults, but for the iterations of `bayes`."""
    return {"n_iterations": iterations} if kind == "bayes" and iterations else {}


def test_ways(model: Any, users: IndexArray) -> Iterator[tuple[str, IndexArray]]:
    """The name and the lists (n_users, 10) of each order."""
    names = [by for by in model.orders if by != "likely-and-liked"]
    lists = {by: np.full((len(users), LENGTH), -1, dtype=np.int32) for by in names}
    for place, user in enumerate(users.tolist()):
        described = model.user_at(user)
        scores = model.score_rows(described)
        for by in names:
            rows = model.recommend_rows(described, LENGTH, scores=scores, by=by)[0]
            lists[by][place, : len(rows)] = rows
    yield from lists.items()


def inner_ways(model: Any, users: IndexArray) -> Iterator[tuple[str, IndexArray]]:
    """The same for expected ratings, and each step of caution and of shrinkage."""
    scored = [(user := model.user_at(row), model.score_rows(user)) for row in users.tolist()]
    yield "expected", lists_by(model, scored, "expected")
    for by, name, steps in (
        ("cautious", "CAUTION", CAUTIONS),
        ("relative", "SHRINKAGE", SHRINKAGES),
    ):
        default = getattr(orders, name)
        for step in steps if by in model.orders else ():
            setattr(orders, name, step)
            yield f"{by} {step:g}", lists_by(model, scored, by)
        setattr(orders, name, default)


def lists_by(model: Any, scored: list[tuple[Any, FloatArray]], by: str) -> IndexArray:
    """The lists (n_users, 10) of users and their scores in an order."""
    lists = np.full((len(scored), LENGTH), -1, dtype=np.int32)
    for place, (user, scores) in enumerate(scored):
        rows = model.recommend_rows(user, LENGTH, scores=scores, by=by)[0]
        lists[place, : len(rows)] = rows
    return lists


def judgement(
    items: IndexArray, users: IndexArray, train: Ratings, test: Ratings
) -> dict[str, float]:
    """The scores of the lists (n_users, 10) of some users."""
    stars, n_liked = np.zeros(items.shape), np.zeros(len(users), dtype=np.int64)
    for place, user in enumerate(users.tolist()):
        of_user = test.by_user[user]
        true = dict(zip(test.item_index[of_user].tolist(), test.rating[of_user], strict=True))
        stars[place] = [true.get(item, 0.0) for item in items[place].tolist()]
        n_liked[place] = sum(rating >= LIKED_FROM for rating in true.values())
    hits, likes = stars[stars > 0], n_liked > 0
    return {
        "stars": float(hits.mean()),
        "error": float(hits.std() / np.sqrt(len(hits))),
        "hits": len(hits),
        "ndcg": float(ndcg(stars[likes] >= LIKED_FROM, n_liked[likes]).mean()),
        "rare": float((train.by_item.counts[items[items >= 0]] < MIN_RATINGS).mean()),
        "coverage": coverage(items, train.n_items),
        "diversity": diversity(items, train.user_index, train.item_index),
    }


def choice(rows: list[dict[str, Any]]) -> str:
    """The steps that the rule takes."""
    expected = {(r["data"], r["model"]): r for r in rows if r["order"] == "expected"}
    answers = []
    for by, steps in (("cautious", CAUTIONS), ("relative", SHRINKAGES)):
        for step in steps:
            judged = [row for row in rows if row["order"] == f"{by} {step:g}"]
            fits = all(row["rare"] < MAX_RARE for row in judged)
            for row in judged if by == "cautious" else ():
                best = expected[row["data"], row["model"]]
                fits &= row["stars"] >= best["stars"] - best["error"]
            if fits:
                answers.append(f"{by} {step:g}")
                break
        else:
            answers.append(f"{by}: no step fits")
    return ", ".join(answers)


def show(row: dict[str, Any]) -> None:
    """Print a row of the table."""
    print(
        f"| {row['data']} | {row['model']} | {row['order']} | {row['stars']:.2f} ± "
        f"{row['error']:.2f} | {row['hits']} | {row['ndcg']:.4f} | {row['coverage']:.3f} | "
        f"{row['rare']:.4f} | {row['diversity']:.3f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
