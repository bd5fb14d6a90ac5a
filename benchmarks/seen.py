"""What it is worth to know what people have seen without rating it: errors, and lists.

    python benchmarks/seen.py [--data ml-100k ml-1m] [--parts errors lists] [--seeds 0]
        [--ml-100k PATH] [--ml-1m PATH] [--iterations N] [--json]

A tenth of the ratings, drawn with the seed, is the test part. Half of the others, drawn likewise,
lose their stars. `errors`: the RMSE of `bayes` on the test part, from the stars that are left
(`stars`), from these and the pairs without stars as seen (`stars + seen`), and from all stars (`all
stars`). No test pair is among what was seen. `than stars` is the difference of the RMSE to that of
`stars` with its interval of 95 %, from a bootstrap of the users.

`lists`: the ten best items that a user has neither rated nor seen, by `bayes` from stars and what
was seen, by the expected rating and by `likely-and-liked`; beside them `ease` that learns from
everything touched, and `ease` from likes alone, of the same parts. `touched` is the NDCG@10 where
every test pair is relevant, `liked` where it has at least 4 stars, and `stars of hits` the mean of
the true ratings of the test pairs that are in the lists.
"""

import argparse
import json
import platform
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from tastemap.arrays import F64, I64, IndexArray
from tastemap.data.ratings import Ratings

ORDERS = ("expected", "likely-and-liked")
HIDDEN_SHARE, TEST_SIZE, LENGTH, LIKED_FROM = 0.5, 0.1, 10, 4
# Lists are made for so many users at most, evenly taken from all.
MAX_USERS, REFERENCE = 1_000, "ease"


def main() -> None:
    """Measure, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=("ml-100k", "ml-1m"))
    parser.add_argument("--parts", nargs="+", default=("errors", "lists"))
    parser.add_argument("--seeds", nargs="+", type=int, default=(0,))
    parser.add_argument("--ml-100k", help="folder or zip of MovieLens 100K; else fetched or cached")
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M, likewise")
    parser.add_argument("--iterations", type=int, help="of bayes; else its default")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    args = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}", file=sys.stderr)
    rows = []
    for name in args.data:
        for seed in args.seeds:
            tables, test = parts(name, getattr(args, name.replace("-", "_")), seed)
            label = {"data": name, "seed": seed}
            if "errors" in args.parts:
                rows += [label | row for row in errors(tables, test, args.iterations, seed)]
            if "lists" in args.parts:
                rows += [label | row for row in lists(tables, test, args.iterations, seed)]
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows)


def parts(name: str, source: str | None, seed: int) -> tuple[dict[str, Ratings], Ratings]:
    """The training tables by name, and the test part."""
    import tastemap as tm

    ratings = tm.load_dataset(name, source=source)
    train, test = tm.train_test_split(ratings, test_size=TEST_SIZE, seed=seed)
    stars, hidden = tm.train_test_split(train, test_size=HIDDEN_SHARE, seed=seed + 1)
    seen = hidden.likes(threshold=hidden.scale.lowest)
    return {"stars": stars, "stars + seen": stars.with_seen(seen), "all stars": train}, test


def fitted(table: Ratings, iterations: int | None, seed: int) -> Any:
    """`bayes` on a table."""
    import tastemap as tm

    model = tm.BayesianFactorization(n_iterations=iterations)
    return model.fit(table, seed=seed, progress=False)


def errors(
    tables: dict[str, Ratings], test: Ratings, iterations: int | None, seed: int
) -> Iterator[dict[str, Any]]:
    """A row for each training table."""
    from tastemap.metrics.bootstrap import paired_differences, user_sums

    squares = []
    for name, table in tables.items():
        print(f"bayes on {name}: {len(table):,} ratings", file=sys.stderr)
        predicted = fitted(table, iterations, seed).predict_ratings(test)
        squares.append((predicted - test.rating.astype(np.float64)) ** 2)
        print(f"  {np.sqrt(squares[-1].mean()):.4f}", file=sys.stderr)
    sums = [user_sums(test.user_index, values) for values in squares]
    difference = paired_differences([total for total, _ in sums], sums[0][1], 0, root=True)
    for row, (name, table) in enumerate(tables.items()):
        yield {
            "part": "errors",
            "model": name,
            "n_ratings": len(table),
            "n_seen": 0 if table.seen is None else len(table.seen),
            "rmse": float(np.sqrt(squares[row].mean())),
            "than_stars": [float(value[row]) for value in difference],
        }


def lists(
    tables: dict[str, Ratings], test: Ratings, iterations: int | None, seed: int
) -> Iterator[dict[str, Any]]:
    """A row for each way to order a list, of at most `MAX_USERS` users with test pairs."""
    from tastemap.metrics.bootstrap import paired_differences

    table = tables["stars + seen"]
    users = np.flatnonzero(test.by_user.counts)
    users = users[:: -(-len(users) // MAX_USERS)].astype(np.int32)
    scored = {
        name: judged(items, users, test) for name, items in ways(table, users, iterations, seed)
    }
    names, values = [*scored], [row for row, _ in scored.values()]
    intervals = [
        paired_differences(
            [np.nan_to_num(row[column]) for row in values],
            np.ones(len(users)),
            names.index(REFERENCE),
        )
        for column in range(2)
    ]
    for row, (name, (ndcg, stars)) in enumerate(scored.items()):
        yield {
            "part": "lists",
            "model": name,
            "n_users": len(users),
            "touched": float(ndcg[0].mean()),
            "liked": float(np.nanmean(ndcg[1])),
            "touched_than_ease": [float(value[row]) for value in intervals[0]],
            "liked_than_ease": [float(value[row]) for value in intervals[1]],
            "hits": len(stars),
            "stars_of_hits": float(stars.mean()),
        }


def ways(
    table: Ratings, users: IndexArray, iterations: int | None, seed: int
) -> Iterator[tuple[str, IndexArray]]:
    """The name of a way to order lists, and the lists (n_users, 10) of some users."""
    import tastemap as tm
    from tastemap.models.batch.recommend import best_items

    touched = table.touched.likes()
    learnt_from = {"ease": touched, "ease of likes": table, "popularity": touched}
    for name, rows in learnt_from.items():
        print(name, file=sys.stderr)
        kind = tm.Popularity() if name == "popularity" else tm.EASE()
        model = kind.fit(rows, progress=False)
        yield name, best_items(model, users, LENGTH, seen=(touched,)).items
    print(f"bayes on {len(table):,} ratings", file=sys.stderr)
    model = fitted(table, iterations, seed)
    rows = {order: np.empty((len(users), LENGTH), dtype=np.int32) for order in ORDERS}
    for place, user in enumerate(users):
        described = model.user_at(int(user))
        scores = model.score_rows(described)
        for order in ORDERS:
            rows[order][place] = model.recommend_rows(described, LENGTH, scores=scores, by=order)[0]
    yield from rows.items()


def judged(items: IndexArray, users: IndexArray, test: Ratings) -> tuple[F64, F64]:
    """NDCG (2, n_users) of what was touched and of what was liked, and the stars of all hits.

    The second is NaN for users who like nothing of the test.
    """
    from tastemap.metrics.ranking import ndcg

    stars = np.zeros(items.shape)
    n: I64 = np.zeros((2, len(users)), dtype=np.int64)
    for row, user in enumerate(users):
        place = test.by_user[int(user)]
        true = dict(zip(test.item_index[place], test.rating[place], strict=True))
        stars[row] = [true.get(item, 0.0) for item in items[row]]
        n[:, row] = len(true), sum(rating >= LIKED_FROM for rating in true.values())
    liked = np.where(n[1] > 0, ndcg(stars >= LIKED_FROM, np.maximum(n[1], 1)), np.nan)
    return np.stack([ndcg(stars > 0, n[0]), liked]), stars[stars > 0]


def show(rows: list[dict[str, Any]]) -> None:
    """Print a table for each part."""

    def interval(values: list[float]) -> str:
        return f"{values[0]:+.4f} ({values[1]:+.4f} to {values[2]:+.4f})"

    for row in [row for row in rows if row["part"] == "errors"]:
        print(
            f"{row['data']:8} seed {row['seed']}  {row['model']:14} {row['n_ratings']:9,} stars "
            f"{row['n_seen']:9,} seen  RMSE {row['rmse']:.4f}  "
            f"than stars {interval(row['than_stars'])}"
        )
    for row in [row for row in rows if row["part"] == "lists"]:
        print(
            f"{row['data']:8} seed {row['seed']}  {row['model']:18} NDCG@10 touched "
            f"{row['touched']:.4f} than ease {interval(row['touched_than_ease'])}  liked "
            f"{row['liked']:.4f} than ease {interval(row['liked_than_ease'])}  "
            f"stars of {row['hits']:,} hits {row['stars_of_hits']:.3f}"
        )


if __name__ == "__main__":
    main()
